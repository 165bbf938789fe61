package explain

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/monitor/advice"
	"github.com/pgjay/pgjay/monitor/digest"
	"github.com/pgjay/pgjay/pool"
)

// Options is what an Explainer is made of.
type Options struct {
	Config Config
	Table  *digest.Table
	Log    *slog.Logger
	// Ran is told how long it took to explain a statement; nil: nobody is.
	Ran func(analyzed bool, took time.Duration)
}

// Connect logs in as a pool's user, apart from its backends.
type Connect func(context.Context, pool.Key) (*pgconn.PgConn, error)

// Explainer explains slow statements, one after the other. All its methods may be called
// by any goroutine.
type Explainer struct {
	table *digest.Table
	log   *slog.Logger
	ran   func(analyzed bool, took time.Duration)
	kick  chan struct{}

	mu      sync.Mutex
	cfg     Config     // guarded by mu
	connect Connect    // guarded by mu; nil: not yet
	busy    Busy       // guarded by mu; nil: never
	queue   queue      // guarded by mu
	told    queue      // guarded by mu; of those whose plans are there
	results []*Result  // guarded by mu; oldest first
	number  uint64     // guarded by mu
	counts  Counts     // guarded by mu
	advices adviceBook // guarded by mu
}

// Counts says what became of slow statements.
type Counts struct {
	Offered  uint64 // and wanted: those of shapes that are cooling down are not counted
	Analyzed uint64
	Planned  uint64 // explained without being executed
	Told     uint64 // by PostgreSQL, without being asked
	Failed   uint64 // PostgreSQL said an error, or could not be reached
	Queued   int    // now
	// Skips counts by Skip why statements were not executed, or not even explained.
	Skips map[Skip]uint64
	// Changes counts the times that a statement of a database had another plan than the
	// time before, and what the planner thinks of it.
	Changes map[Change]uint64
}

// Change is a kind of change of plans.
type Change struct {
	Database  string
	Direction string
}

// The directions of a change, by the planner's cost. They are a metrics label.
const (
	Cheaper = "cheaper"
	Dearer  = "dearer"
	Same    = "same"
)

// Skip says why a slow statement was not executed for its plan. It is a metrics label.
type Skip string

// The skips: those of the queue, and those of the gates.
const (
	SkipCooldown   Skip = "cooldown"   // its shape was explained, or is waiting
	SkipQueue      Skip = "queue"      // too many wait that were slower
	SkipText       Skip = "text"       // gate 1
	SkipMode       Skip = "mode"       // monitor.explain
	SkipSession    Skip = "session"    // what it depends on is in the client's session
	SkipBusy       Skip = "busy"       // gate 5
	SkipDuration   Skip = "duration"   // gate 3
	SkipPlan       Skip = "plan"       // gates 3 and 4
	SkipFunction   Skip = "function"   // gate 2
	SkipSuperuser  Skip = "superuser"  // gate 5
	SkipParameters Skip = "parameters" // they are not known
	SkipError      Skip = "error"      // it failed
)

// AllSkips are the values of Skip.
func AllSkips() []Skip {
	return []Skip{SkipCooldown, SkipQueue, SkipText, SkipMode, SkipSession, SkipBusy, SkipDuration, SkipPlan, SkipFunction, SkipSuperuser, SkipParameters, SkipError}
}

// New makes an Explainer. Nothing is explained before Run.
func New(o Options) *Explainer {
	return &Explainer{
		table: o.Table, log: o.Log, ran: o.Ran, cfg: o.Config, kick: make(chan struct{}, 1),
		queue: newQueue(), told: newQueue(), advices: newAdviceBook(),
		counts: Counts{Skips: make(map[Skip]uint64), Changes: make(map[Change]uint64)},
	}
}

// Configure changes how statements are explained from now on.
func (e *Explainer) Configure(cfg Config) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.cfg = cfg
	if cfg.Mode == Off {
		clear(e.queue.waiting)
	}
}

// Busy reports whether the backends of a pool have too much to do for more.
type Busy = func(pool.Key) bool

// SetConnect says how to log in, and whom to ask whether that is wanted.
func (e *Explainer) SetConnect(c Connect, busy Busy) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.connect, e.busy = c, busy
}

// Wants reports whether a statement of this shape that took so long would be taken: a
// session asks before it copies anything. It locks for a moment.
func (e *Explainer) Wants(sh *digest.Shape, took time.Duration) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.cfg.Mode == Off || e.cfg.Mode == "" {
		return false
	}
	skip := e.queue.skips(sh.ID(), took, time.Now())
	if skip != "" {
		e.counts.Skips[skip]++
	}
	return skip == ""
}

// Offer queues a slow statement. It locks for a moment and does not wait.
func (e *Explainer) Offer(r *Request) {
	e.mu.Lock()
	e.counts.Offered++
	if e.queue.put(r) {
		e.counts.Skips[SkipQueue]++
	}
	e.mu.Unlock()
	e.wake()
}

func (e *Explainer) wake() {
	select {
	case e.kick <- struct{}{}:
	default:
	}
}

// Run explains until ctx ends.
func (e *Explainer) Run(ctx context.Context) {
	links := newLinks()
	defer links.close()
	visit := time.NewTicker(revisitEvery)
	defer visit.Stop()
	for {
		r, cfg, wait := e.next()
		if r != nil {
			e.explain(ctx, links, r, cfg)
			continue
		}
		if wait == 0 || wait > linkIdle {
			wait = linkIdle
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-e.kick:
			timer.Stop()
		case <-visit.C:
			timer.Stop()
			e.revisit(ctx, links)
		case <-timer.C:
			links.closeIdle(time.Now())
		}
	}
}

// next takes a statement out of the queue.
func (e *Explainer) next() (*Request, Config, time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.connect == nil {
		return nil, e.cfg, 0
	}
	r, toldWait := e.told.take(time.Now(), e.cfg.Rate)
	if r != nil {
		return r, e.cfg, 0
	}
	r, wait := e.queue.take(time.Now(), e.cfg.Rate)
	if wait == 0 || toldWait > 0 && toldWait < wait {
		wait = toldWait
	}
	return r, e.cfg, wait
}

// Results returns the explained statements, the latest first.
func (e *Explainer) Results() []*Result {
	e.mu.Lock()
	defer e.mu.Unlock()
	list := make([]*Result, 0, len(e.results))
	for i := len(e.results) - 1; i >= 0; i-- {
		list = append(list, e.results[i])
	}
	return list
}

// Result returns one of them.
func (e *Explainer) Result(number uint64) (*Result, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, r := range e.results {
		if r.Number == number {
			return r, true
		}
	}
	return nil, false
}

// Counts returns what became of slow statements.
func (e *Explainer) Counts() Counts {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.counts
	c.Skips, c.Changes = maps.Clone(c.Skips), maps.Clone(c.Changes)
	c.Queued = len(e.queue.waiting) + len(e.told.waiting)
	return c
}

// Advice returns what there is to be done, what saves most first.
func (e *Explainer) Advice() []advice.Advice {
	stats := e.table.Snapshot()
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.advices.list(stats, e.cfg.Advice)
}

// keep notes a result.
func (e *Explainer) keep(r *Result) {
	r.setSize()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.number++
	r.Number = e.number
	again := r.Plan == nil && r.Skip == SkipBusy // it is asked for again, and again
	switch {
	case r.Plan == nil:
		e.counts.Failed++
	case r.Told:
		e.counts.Told++
	case r.Plan.Analyzed:
		e.counts.Analyzed++
	default:
		e.counts.Planned++
	}
	if r.Skip != "" {
		e.counts.Skips[r.Skip]++
	}
	if again {
		e.results = slices.DeleteFunc(e.results, func(o *Result) bool { return o.Plan == nil && o.Shape == r.Shape && o.Skip == r.Skip })
	}
	e.results = append(e.results, r)
	e.trim()
}

// maxKept bounds the memory that results take, in bytes. The latest is kept whatever it takes.
const maxKept = 32 << 20

// trim forgets the oldest results. The caller holds mu.
func (e *Explainer) trim() {
	sum, first := 0, len(e.results)-1
	for first > 0 {
		sum += e.results[first].size
		if sum+e.results[first-1].size > maxKept || len(e.results)-first >= e.cfg.Keep {
			break
		}
		first--
	}
	if first > 0 {
		e.results = append([]*Result(nil), e.results[first:]...)
	}
}
