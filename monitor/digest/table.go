package digest

import (
	"context"
	"hash/maphash"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

// Options is what a Table is made of.
type Options struct {
	Loops int
	// Max bounds the shapes that are told apart; 0: nothing is recorded.
	Max int
	Log *slog.Logger // of slow statements
	// Trace is told of executions that have a Trace; nil: nobody is. It must not block.
	Trace func(*Record)
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// Table has what was recorded. All its methods may be called by any goroutine.
type Table struct {
	recorders []*Recorder // immutable
	log       *slog.Logger
	trace     func(*Record)
	now       func() time.Time
	kick      chan struct{}

	registry registry

	mu      sync.Mutex
	started time.Time // guarded by mu; of the numbers
	slow    slowRing  // guarded by mu
	lost    uint64    // guarded by mu; records of shapes that had been forgotten
	pruned  uint64    // guarded by mu; shapes that were forgotten
	sum     Sum       // guarded by mu
}

// registry has the shapes and the owners. It is locked for moments only, as loops ask
// for what they do not know.
type registry struct {
	mu     sync.Mutex
	max    int                  // guarded by mu
	made   uint64               // guarded by mu; shapes so far
	shapes map[uint64]*Shape    // guarded by mu
	others map[*Owner]*Shape    // guarded by mu; what had no room
	owners map[[2]string]*Owner // guarded by mu
	limits Limits               // guarded by mu
}

// NewTable makes a table. Run collects; without it nothing but the rings' room is
// recorded until somebody asks.
func NewTable(o Options) *Table {
	if o.Now == nil {
		o.Now = time.Now
	}
	t := &Table{log: o.Log, trace: o.Trace, now: o.Now, kick: make(chan struct{}, 1), started: o.Now()}
	t.registry.max = o.Max
	t.registry.shapes = make(map[uint64]*Shape)
	t.registry.others = make(map[*Owner]*Shape)
	t.registry.owners = make(map[[2]string]*Owner)
	for range o.Loops {
		t.recorders = append(t.recorders, &Recorder{table: t, known: make(map[uint64]*Shape)})
	}
	return t
}

// Recorder returns the end that a loop writes to.
func (t *Table) Recorder(loop int) *Recorder { return t.recorders[loop] }

// collectInterval is how old at most is what Snapshot need not wait for.
const collectInterval = time.Second

// Run collects until ctx ends.
func (t *Table) Run(ctx context.Context) {
	ticker := time.NewTicker(collectInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-t.kick:
		}
		t.collect()
	}
}

// wake makes the collector work now. It does not block.
func (t *Table) wake() {
	select {
	case t.kick <- struct{}{}:
	default:
	}
}

// maxOwners bounds the pairs of database and user that are told apart.
const maxOwners = 1000

// Owner returns who is counted for; nil if nothing is recorded. A session asks once,
// at login.
func (t *Table) Owner(database, user string) *Owner {
	r := &t.registry
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.max <= 0 {
		return nil
	}
	key := [2]string{database, user}
	if o := r.owners[key]; o != nil {
		return o
	}
	if len(r.owners) >= maxOwners {
		key = [2]string{"other", "other"}
		if o := r.owners[key]; o != nil {
			return o
		}
	}
	o := &Owner{Database: key[0], User: key[1], salt: rand.Uint64() &^ 1}
	r.limits.apply(o)
	r.owners[key] = o
	return o
}

// SetLimits says from when on statements are slow.
func (t *Table) SetLimits(l Limits) {
	r := &t.registry
	r.mu.Lock()
	defer r.mu.Unlock()
	r.limits = l
	for _, o := range r.owners {
		l.apply(o)
	}
}

// shape returns the shape that is shown as this text; if there is no room for it, one that
// stands for all the owner's that have none.
func (t *Table) shape(o *Owner, text string, mixed bool) *Shape {
	key := maphash.String(keySeed, text) ^ o.salt
	if mixed { // a client's text may be the same
		key ^= 1
	}
	r := &t.registry
	r.mu.Lock()
	defer r.mu.Unlock()
	if sh := r.shapes[key]; sh != nil {
		return sh
	}
	if len(r.shapes) < r.max {
		sh := newShape(o, key, text, mixed)
		r.made++
		sh.serial = r.made
		r.shapes[key] = sh
		return sh
	}
	t.wake() // it will make room
	other := r.others[o]
	if other == nil {
		other = newShape(o, 0, "(others: more than monitor.max_statements)", true)
		r.others[o] = other
	}
	return other
}

// all returns all shapes.
func (r *registry) all() []*Shape {
	r.mu.Lock()
	defer r.mu.Unlock()
	shapes := make([]*Shape, 0, len(r.shapes)+len(r.others))
	for _, sh := range r.shapes {
		shapes = append(shapes, sh)
	}
	for _, sh := range r.others {
		shapes = append(shapes, sh)
	}
	return shapes
}
