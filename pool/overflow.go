package pool

// Backends beyond Settings.Size are opened for waiters that have waited for
// OverflowAfter. Most waits are over long before: more backends than the server
// has cores for make all queries slower.

// coverableLocked returns for how many of the waiters that nothing is under way for
// a login may begin: those for whom there is room within the pool's size, and
// those that have waited long enough. When the next one has, it is asked again.
func (p *Pool) coverableLocked(uncovered int) int {
	settings := p.settings.Load()
	live := p.liveLocked()
	room := max(0, settings.Size-live)
	if uncovered <= room || settings.OverflowAfter == 0 || live >= settings.limit() {
		return uncovered
	}
	covered := p.dialing.pings + p.dialing.underway
	overdue, next := p.overdueLocked(settings)
	if next != nil {
		p.coverAtLocked(next.since + int64(settings.OverflowAfter))
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
