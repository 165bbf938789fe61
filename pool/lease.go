package pool

import "math"

// searchDepth bounds how far into a stack a lease looks for an equal label.
const searchDepth = 8

// Lease returns a backend that is w.Lessee's until Release or Destroy, its
// socket on w.Loop; or nil: then w waits and is called back on its loop. It is
// called on w.Loop. While others wait it never returns a backend.
func (p *Pool) Lease(w *Waiter) *Backend {
	defer unbroken()
	p.mu.Lock()
	if p.waiting.n == 0 && p.count[stateIdle] > 0 {
		if b := p.chooseLocked(w); b != nil {
			move := b.loop != w.Loop
			p.idle[b.loop.Index()].remove(b)
			b.setStateLocked(stateLeased, w.Loop)
			p.usage.counters.Leases++
			p.mu.Unlock()
			if move {
				b.conn.Move(w.Loop)
			}
			b.lessee = w.Lessee
			return b
		}
	}
	p.waitLocked(w)
	p.unlock()
	return nil
}

// waitLocked makes w wait:
//
//  1. until it is known whether its session goes on;
//  2. until its home has been checked, if that is idle and nobody else waits;
//  3. until it is its turn.
func (p *Pool) waitLocked(w *Waiter) {
	w.pool = p
	w.asked, w.queued = w.Loop.Now(), p.set.clock.Load()
	if p.parkLocked(w) {
		return
	}
	if home := w.homeLocked(); home != nil && p.waiting.n == 0 {
		p.reserveLocked(home, w)
		return
	}
	p.queueLocked(w)
	p.coverLocked()
}

// queueLocked puts w into the queue. The caller covers it.
func (p *Pool) queueLocked(w *Waiter) {
	if p.set.working.closing.Load() {
		p.failLocked(w, ErrClosed)
		return
	}
	w.state = waitQueued
	w.since = p.set.now()
	p.waiting.push(w)
}

// failLocked ends the wait of w, which is in no queue, with an error.
func (p *Pool) failLocked(w *Waiter, err error) {
	w.state, w.err = waitServed, err
	p.later.served.push(w)
}

// Abandon takes w out of the queue: then there is no callback. It returns
// false if the callback is on its way already; what it brings must be
// released. It is called on w.Loop.
func (p *Pool) Abandon(w *Waiter) bool {
	defer unbroken()
	p.mu.Lock()
	switch w.state {
	case waitQueued:
		p.waiting.remove(w)
		p.wantLocked(min(p.sharing.wanted, p.waiting.n))
	case waitReserved:
		w.backend.reserved, w.backend = nil, nil
	case waitParked:
		w.Residence.parked = nil
	default:
		p.mu.Unlock()
		return false
	}
	w.state = waitNone
	p.usage.counters.Abandoned++
	p.unlock()
	return true
}

// Release gives the backend back. It is called on the lessee's loop. The
// backend must be clean: no transaction, nothing under way in either
// direction, not paused, Label true.
func (b *Backend) Release() {
	defer unbroken()
	b.lessee = nil
	p := b.Pool
	p.mu.Lock()
	p.offerLocked(b)
	p.unlock()
}

// offerLocked finds the next use of a backend that has come free. The
// conditions, in order:
//
//  1. it is not to be closed: dedicated, retired, of a database that is paused,
//     beyond the limit, or owed to another pool of the database;
//  2. it was checked for one waiter, who gets it;
//  3. the oldest waiter gets it;
//  4. nobody waits: it is idle.
func (p *Pool) offerLocked(b *Backend) {
	if reason, ok := p.unwantedLocked(b); ok {
		p.discardLocked(b, reason)
		return
	}
	if w := b.reserved; w != nil {
		b.reserved = nil
		p.handLocked(b, w)
		return
	}
	if p.waiting.n > 0 {
		p.handLocked(b, p.waiting.pop())
		return
	}
	b.since = p.set.clock.Load()
	b.setStateLocked(stateIdle, b.loop)
	p.idle[b.loop.Index()].push(b)
}

// unwantedLocked reports whether a backend that has come free is to be closed,
// and why.
func (p *Pool) unwantedLocked(b *Backend) (reason string, unwanted bool) {
	switch {
	case b.dedicated:
		return reasonDedicated, true
	case b.retired:
		return b.reason, true
	case p.halt.halted:
		return reasonPaused, true
	case len(p.all) > p.settings.Load().limit():
		return reasonSize, true
	case p.sharing.yielding > 0:
		return reasonShare, p.yieldLocked()
	}
	return "", false
}

// handLocked gives b to w. From here until w runs nobody may touch the socket:
// the loop that has it is kept off by Enter, and what the socket has to report
// is reported again when it is on w's loop.
func (p *Pool) handLocked(b *Backend, w *Waiter) {
	b.setStateLocked(stateHanded, b.loop)
	w.state, w.backend = waitServed, b
	p.later.served.push(w)
	p.wantLocked(min(p.sharing.wanted, p.waiting.n))
}

// chooseLocked finds an idle backend for w that needs no check first: its home,
// equal label on its loop, equal label on another, any on its loop, any. If it
// is in doubt whether the session goes on, or its home must be checked first,
// there is none.
func (p *Pool) chooseLocked(w *Waiter) *Backend {
	stale := p.staleLocked()
	if w.Residence != nil && w.Residence.doubt != doubtNone {
		return nil
	}
	if home := w.homeLocked(); home != nil {
		if home.since <= stale {
			return nil
		}
		return home
	}
	own := w.Loop.Index()
	b, equal := p.idle[own].find(w.Label, stale)
	if equal {
		return b
	}
	for i := 1; i < len(p.idle); i++ {
		other, equal := p.idle[(own+i)%len(p.idle)].find(w.Label, stale)
		if equal {
			return other
		}
		if b == nil {
			b = other
		}
	}
	return b
}

// staleLocked returns the time such that a backend idle since then needs a
// check before it is leased.
func (p *Pool) staleLocked() int64 {
	settings := p.settings.Load()
	if !settings.PrePing {
		return math.MinInt64
	}
	return p.set.clock.Load() - int64(settings.PrePingAfter)
}

// find returns a backend with an equal label from the top of the stack, or the
// top one. Those idle since stale, which are the lower ones, do not count.
func (s *stack) find(label Label, stale int64) (b *Backend, equal bool) {
	for at, depth := s.top, 0; at != nil && depth < searchDepth && at.since > stale; at, depth = at.next, depth+1 {
		if at.Label == label {
			return at, true
		}
	}
	if s.top != nil && s.top.since > stale {
		return s.top, false
	}
	return nil, false
}
