package cache

import (
	"slices"
	"sync"
	"time"
)

// A Waiter waits for the answer to a query that another forwards. The calls come
// on the goroutine of whoever fills or abandons the flight, without locks, at any
// time after Join has been called; a Waiter takes them to its own.
type Waiter interface {
	// Filled is called with the answer, and ends the wait.
	Filled(*Entry)
	// Lead is called when the leader has given up and the waiter is the leader
	// now: it forwards the query itself, and calls Fill or Abandon.
	Lead()
}

// A Flight is one query that has been forwarded and that others wait for. It has
// one leader at a time. What a nil Flight is told does nothing.
type Flight struct {
	key   Key
	stamp Stamp
	shard *flightShard

	// guarded by shard.mu
	waiters []Waiter
	over    bool
}

// flightShard has the flights that may be joined, by key.
type flightShard struct {
	mu      sync.Mutex
	flights map[Key]*Flight
	_       [48]byte
}

const flightShards = 64

// CoalesceMaxWait is the configuration's.
func (c *Cache) CoalesceMaxWait() time.Duration { return c.cfg.Load().CoalesceMaxWait }

// Join is called on a miss, with the stamp that was just taken. The leader
// forwards the query; it calls Fill if there is an answer that may be remembered,
// and Abandon if not, also when its client goes away. Another waits for w to be
// called, as long as it likes: then it calls Leave, and forwards its query alone.
//
// A flight is joined only with an equal stamp that is current: then nothing has
// changed since its query was forwarded, and its answer is as good as one got
// later. Otherwise the caller leads a flight of its own.
func (c *Cache) Join(k Key, st Stamp, w Waiter) (f *Flight, leader bool) {
	if !st.Current() {
		return nil, true
	}
	shard := &c.flights[k.Lo%flightShards]
	shard.mu.Lock()
	defer shard.mu.Unlock()
	if f := shard.flights[k]; f != nil && f.stamp.Equal(&st) {
		f.waiters = append(f.waiters, w)
		return f, false
	}
	f = &Flight{key: k, stamp: st, shard: shard}
	if shard.flights == nil {
		shard.flights = make(map[Key]*Flight)
	}
	shard.flights[k] = f
	return f, true
}

// Fill gives the answer to those who wait. Only the leader may call it, once. It
// does not put the entry into the cache.
func (f *Flight) Fill(e *Entry) {
	if f == nil {
		return
	}
	f.shard.mu.Lock()
	waiters := f.end()
	f.shard.mu.Unlock()
	for _, w := range waiters {
		w.Filled(e)
	}
}

// Abandon makes the one who has waited longest the leader. Only the leader may
// call it, once. Errors are not shared: each gets its own.
func (f *Flight) Abandon() {
	if f == nil {
		return
	}
	f.shard.mu.Lock()
	var next Waiter
	if len(f.waiters) > 0 {
		next, f.waiters = f.waiters[0], f.waiters[1:]
	} else {
		f.end()
	}
	f.shard.mu.Unlock()
	if next != nil {
		next.Lead()
	}
}

// Leave ends the wait of w and reports whether it did. If not, w has been called
// or is about to be; if it is made the leader, it has to lead, or to abandon.
func (f *Flight) Leave(w Waiter) bool {
	if f == nil {
		return false
	}
	f.shard.mu.Lock()
	defer f.shard.mu.Unlock()
	i := slices.Index(f.waiters, w)
	if i < 0 {
		return false
	}
	f.waiters = slices.Delete(f.waiters, i, i+1)
	return true
}

// end returns those who wait, and lets nobody join any more. Caller holds the
// shard's mu.
func (f *Flight) end() []Waiter {
	if f.over {
		panic("cache: a flight that is over")
	}
	f.over = true
	if f.shard.flights[f.key] == f { // a flight with a later stamp may have taken its place
		delete(f.shard.flights, f.key)
	}
	waiters := f.waiters
	f.waiters = nil
	return waiters
}
