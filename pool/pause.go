package pool

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
)

// A database can be paused: its pools give out no backend and close those that they
// have, each as soon as no session has it. Whoever asks for one waits until the
// database is resumed. The backend of a Listener stays, as the sessions behind it would
// miss notifications.

// ErrResumed ends the wait for the backends of a database that is resumed meanwhile.
var ErrResumed = errors.New("it was resumed before all of its connections were closed")

// orders is what an operator has said of databases.
type orders struct {
	paused    bool // all of them
	databases map[string]order
}

// order is what an operator has said of one database.
type order struct{ paused, disabled bool }

func (o *orders) pausedOne(database string) bool { return o.paused || o.databases[database].paused }

// halt is a pool's part in a pause.
type halt struct {
	halted  bool
	closing int // backends that have left the pool and whose sockets are not closed yet
}

// Pause pauses a database, or all if it is "". It returns false if all are paused already.
func (s *Set) Pause(database string) bool {
	s.mu.Lock()
	defer s.halt(database)
	defer s.mu.Unlock()
	switch {
	case s.orders.paused:
		return false
	case database == "":
		s.orders.paused = true
	default:
		s.orderLocked(database, func(o *order) { o.paused = true })
	}
	return true
}

// Resume ends what Pause with the same name has begun. It returns false if that is
// nothing.
func (s *Set) Resume(database string) bool {
	s.mu.Lock()
	defer s.halt(database)
	defer s.mu.Unlock()
	paused := s.orders.databases[database].paused
	if database == "" {
		paused, s.orders.paused = s.orders.paused, false
	} else {
		s.orderLocked(database, func(o *order) { o.paused = false })
	}
	return paused
}

// Disable says that a database takes no new clients, or takes them again.
func (s *Set) Disable(database string, disabled bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.orderLocked(database, func(o *order) { o.disabled = disabled })
}

// Disabled reports whether a database takes no new clients.
func (s *Set) Disabled(database string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.orders.databases[database].disabled
}

// Paused reports whether a database is paused; with "", whether all are.
func (s *Set) Paused(database string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.orders.pausedOne(database)
}

// ordered returns the databases that are paused or disabled, each by its name.
func (s *Set) ordered() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Collect(maps.Keys(s.orders.databases))
}

func (s *Set) orderLocked(database string, change func(*order)) {
	o := s.orders.databases[database]
	change(&o)
	if o == (order{}) {
		delete(s.orders.databases, database)
		return
	}
	if s.orders.databases == nil {
		s.orders.databases = make(map[string]order)
	}
	s.orders.databases[database] = o
}

// halt has the pools of a database, or all if it is "", do what was ordered. No lock is
// held by the caller.
func (s *Set) halt(database string) {
	for _, p := range s.all() {
		if database == "" || p.key.Database == database {
			p.heed(s.Paused(p.key.Database))
		}
	}
	s.changes.happened()
}

// heed begins or ends a pause of the pool.
func (p *Pool) heed(halted bool) {
	p.mu.Lock()
	defer p.unlock()
	p.halt.halted = halted
	for i := len(p.all) - 1; halted && i >= 0; i-- {
		p.retireLocked(p.all[i], reasonPaused)
	}
	p.startLinedLocked()
	p.coverLocked()
}

// AwaitPaused waits until a database that is paused, or all of them, has no backend any
// more. It may block for long.
func (s *Set) AwaitPaused(ctx context.Context, database string) error {
	return s.await(ctx, func() (bool, error) {
		if !s.Paused(database) {
			return false, ErrResumed
		}
		return s.every(database, (*Pool).vacantLocked), nil
	})
}

// AwaitClosed waits until no backend of a database, or of all, is to be closed any more,
// as Reconnect and Reconfigure have ordered. It may block for long.
func (s *Set) AwaitClosed(ctx context.Context, database string) error {
	return s.await(ctx, func() (bool, error) { return s.every(database, (*Pool).closedLocked), nil })
}

// every reports whether something is true of all pools of a database, or of all.
func (s *Set) every(database string, is func(*Pool) bool) bool {
	for _, p := range s.all() {
		if database != "" && p.key.Database != database {
			continue
		}
		p.mu.Lock()
		ok := is(p)
		p.mu.Unlock()
		if !ok {
			return false
		}
	}
	return true
}

// vacantLocked reports whether the pool has no backend but those of a Listener.
func (p *Pool) vacantLocked() bool {
	return p.liveLocked()+p.special-p.listening+p.halt.closing == 0
}

// closedLocked reports whether no backend of the pool is to be closed.
func (p *Pool) closedLocked() bool {
	for _, b := range p.all {
		if b.retired {
			return false
		}
	}
	return p.halt.closing == 0
}

// changes wakes those who wait for something in the pools to change.
type changes struct {
	mu   sync.Mutex
	next chan struct{} // guarded by mu; closed at the next change; nil: nobody waits
}

func (c *changes) happened() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next != nil {
		close(c.next)
		c.next = nil
	}
}

func (c *changes) wait() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next == nil {
		c.next = make(chan struct{})
	}
	return c.next
}

// await waits until is returns true or an error, which is looked at after each change.
func (s *Set) await(ctx context.Context, is func() (bool, error)) error {
	for {
		changed := s.changes.wait()
		if ok, err := is(); ok || err != nil {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
