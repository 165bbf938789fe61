package cache

import (
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dgraph-io/ristretto/v2"
)

// A Cache remembers answers. Any number of goroutines may use it.
type Cache struct {
	store *ristretto.Cache[uint64, slot]
	cfg   atomic.Pointer[Config]
	rules atomic.Pointer[Rules]

	flights [flightShards]flightShard
	stripes [stripes]stripe

	entries, bytes, evicted atomic.Int64
	packedIn, packedOut     atomic.Int64
	warmed                  [warmResults]atomic.Int64

	// guarded by mu
	mu     sync.Mutex
	spaces map[string]*Space
	tags   map[string]*Word
	shapes []weakShape

	closing sync.Mutex // taken alone, by what takes long
	closed  bool       // guarded by closing
}

// slot is what ristretto holds under the first half of a key. ristretto does not
// compare keys, so the second half is here.
type slot struct {
	hi    uint64
	entry *Entry
}

// New returns a cache with nothing in it. It has goroutines until Close.
func New(cfg Config) (*Cache, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	c := &Cache{spaces: make(map[string]*Space), tags: make(map[string]*Word)}
	rules, err := c.newRules(&cfg)
	if err != nil {
		return nil, err
	}
	c.store, err = ristretto.NewCache(&ristretto.Config[uint64, slot]{
		NumCounters:        max(int64(cfg.Size)/bytesPerCounter, minCounters),
		MaxCost:            int64(cfg.Size),
		BufferItems:        64,
		IgnoreInternalCost: true, // it is in entryOverhead
		KeyToHash:          func(lo uint64) (uint64, uint64) { return lo, 0 },
		OnEvict:            c.onEvict,
		OnExit:             c.onExit,
	})
	if err != nil {
		return nil, err
	}
	c.cfg.Store(&cfg)
	c.rules.Store(rules)
	return c, nil
}

// ristretto estimates how often keys are asked for with counters of 3 bytes each.
// It forgets by half each time it has counted as many questions as it has
// counters, so there must be several for each entry.
const (
	bytesPerCounter = 128
	minCounters     = 1 << 13
)

// Configure changes the configuration. If rules or times are others, everything is
// forgotten. After a change of size to less than half, or more than twice, it is
// less apt what has to make room, until the next start.
func (c *Cache) Configure(cfg Config) error {
	if err := cfg.check(); err != nil {
		return err
	}
	rules, err := c.newRules(&cfg)
	if err != nil {
		return err
	}
	old := c.cfg.Swap(&cfg)
	c.store.UpdateMaxCost(int64(cfg.Size))
	if old.TTL != cfg.TTL || old.MaxTTL != cfg.MaxTTL || old.MaxEntry != cfg.MaxEntry || old.Hints != cfg.Hints ||
		!reflect.DeepEqual(old.Rules, cfg.Rules) {
		c.rules.Store(rules)
		c.PurgeAll()
	}
	return nil
}

// Close forgets everything and ends the goroutines. No Get or Put may be under way;
// later ones find nothing and remember nothing.
func (c *Cache) Close() {
	c.closing.Lock()
	defer c.closing.Unlock()
	if !c.closed {
		c.closed = true
		c.store.Close()
	}
}

// Get looks a key up. now is monotonic time in nanoseconds, of the clock that the
// entries' times are of. Without an entry the outcome is a miss. It is counted for
// the entry's shape; of Absent the caller tells the shape: see Shape.Absent.
func (c *Cache) Get(k Key, now int64) (*Entry, Outcome) {
	found, ok := c.store.Get(k.Lo)
	if !ok || found.hi != k.Hi {
		return nil, Absent
	}
	e, s := found.entry, found.entry.shape
	if w := e.stamp.moved(); w != nil { // first: no time makes an answer good that a change has made wrong
		if _, stable := w.Load(); stable {
			s.wasted(w)
		}
		outcome := Unserved
		if e.served.Load() {
			outcome = Moved
		}
		s.count(outcome)
		return nil, outcome
	}
	outcome := e.check(now)
	n := s.count(outcome)
	if !outcome.Served() {
		return nil, outcome
	}
	s.served(e.cost, n)
	e = c.unpacked(k, e, now)
	e.Serve()
	return e, outcome
}

// OnError looks a key up when PostgreSQL could not be asked: what Get refuses as
// expired may be served now if its rule has stale_if_error.
func (c *Cache) OnError(k Key, s *Shape, now int64) (*Entry, bool) {
	found, ok := c.store.Get(k.Lo)
	if !ok || found.hi != k.Hi || now >= found.entry.onError || !found.entry.stamp.Current() {
		return nil, false
	}
	s.count(OnError)
	return found.entry, true
}

// Put remembers an entry, unless it is known already that it would not be served,
// and returns why it did not. It takes a moment until the entry is found, and it
// may never be.
func (c *Cache) Put(k Key, e *Entry, now int64) Reason {
	r := c.put(k, e, now)
	if r != NoReason {
		e.shape.Refuse(r)
	}
	return r
}

func (c *Cache) put(k Key, e *Entry, now int64) Reason {
	switch {
	case Bytes(e.size) > e.limit:
		return DroppedLarge
	case now >= e.onError:
		return DroppedExpired
	case e.stamp.n == 0:
		return DroppedMoved
	}
	if w := e.stamp.moved(); w != nil {
		e.shape.wasted(w)
		return DroppedMoved
	}
	memory := e.memory()
	c.account(e, 1, memory)
	if !c.store.SetWithTTL(k.Lo, slot{k.Hi, e}, memory, time.Duration(e.onError-now)) {
		c.account(e, -1, -memory)
		return DroppedFull
	}
	return NoReason
}

func (c *Cache) account(e *Entry, entries, bytes int64) {
	c.entries.Add(entries)
	c.bytes.Add(bytes)
	e.shape.entries.Add(entries)
	e.shape.bytes.Add(bytes)
}

// onExit hears of every slot that ristretto lets go of, whatever the reason.
func (c *Cache) onExit(s slot) {
	if s.entry != nil {
		c.account(s.entry, -1, -s.entry.memory())
	}
}

// onEvict hears of those that had to make room; others have a time.
func (c *Cache) onEvict(item *ristretto.Item[slot]) {
	if item.Value.entry != nil && item.Expiration.IsZero() {
		c.evicted.Add(1)
	}
}
