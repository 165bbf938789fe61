package pool

import "github.com/pgjay/pgjay/proxy/reactor"

// Backends beyond Settings.Size are opened for waiters that have waited for
// OverflowAfter. Most waits are over long before: more backends than the server
// has cores for make all queries slower.

// patience is the timer of the oldest waiter that still has to wait.
type patience struct {
	armed bool          // guarded by Pool.mu
	timer reactor.Timer // owned by Pool.home
}

// coverableLocked returns for how many of the waiters that nothing is under way for
// a login may begin: those for whom there is room within the pool's size, and
// those that have waited long enough. For the others the timer is armed.
func (p *Pool) coverableLocked(uncovered int) int {
	settings := p.settings.Load()
	live := p.liveLocked()
	room := max(0, settings.Size-live)
	if uncovered <= room || settings.OverflowAfter == 0 || live >= settings.limit() {
		return uncovered
	}
	covered := p.dialing.pings + p.dialing.underway
	overdue, next := p.overdueLocked(settings)
	if next != nil && !p.patience.armed {
		p.patience.armed, p.later.overflow = true, true
	}
	return min(uncovered, max(room, overdue-covered))
}

// overdueLocked counts the waiters that have waited long enough, and returns the
// first that has not.
func (p *Pool) overdueLocked(settings *Settings) (n int, next *Waiter) {
	before := p.set.now() - int64(settings.OverflowAfter)
	for next = p.waiting.first; next != nil && next.since <= before; next = next.next {
		n++
	}
	return n, next
}

// armOverflow is a pool as the task that starts the timer.
type armOverflow Pool

// Run starts the timer. The loop's clock need not be the set's.
func (a *armOverflow) Run() {
	p := (*Pool)(a)
	settings, wait := p.settings.Load(), int64(0)
	p.mu.Lock()
	if _, next := p.overdueLocked(settings); next != nil {
		wait = next.since + int64(settings.OverflowAfter) - p.set.now()
	}
	p.mu.Unlock()
	p.patience.timer.Task = (*overflow)(p)
	p.home.Schedule(&p.patience.timer, p.home.Now()+max(0, wait))
}

// overflow is a pool as the timer's task.
type overflow Pool

// Run opens backends for those who have waited long enough.
func (o *overflow) Run() {
	p := (*Pool)(o)
	p.mu.Lock()
	p.patience.armed = false
	p.coverLocked()
	p.unlock()
}
