package pool

import "time"

// forgetAfter is how long the counters of a pool are kept that has no backend.
const forgetAfter = int64(time.Hour)

// Tick does what has to be done now and then: it closes surplus idle backends,
// replaces old ones, keeps MinIdle ready, repeats failed logins, and forgets
// pools that nobody uses. Run calls it every second; the simulator does so
// itself. now is in the time of Options.Now.
func (s *Set) Tick(now int64) {
	s.clock.Store(now)
	s.sweep(now)
	for _, p := range s.all() {
		p.tick(now)
	}
	for _, d := range s.bases() {
		d.balance(true)
	}
}

// tick looks after one pool.
func (p *Pool) tick(now int64) {
	settings := p.settings.Load()
	p.mu.Lock()
	if p.usage.counters.Leases != p.usage.leases {
		p.usage.leases, p.usage.last = p.usage.counters.Leases, now
	}
	p.closeHungLocked(now - int64(p.set.connectTimeout()))
	p.recycleLocked(now)
	p.closeSurplusLocked(settings.Size, now-int64(settings.OverflowIdle))
	p.keepIdleLocked(settings)
	p.coverLocked()
	p.unlock()
}

// closeHungLocked closes backends whose check began before since.
func (p *Pool) closeHungLocked(since int64) {
	for i := len(p.all) - 1; i >= 0; i-- {
		if b := p.all[i]; b.state() == stateChecking && b.since < since {
			p.discardLocked(b, reasonCheck)
		}
	}
}

// recycleLocked deals with the backends that have reached their age. Of each:
//
//  1. beyond the pool's size, or in a pool that nobody has used for as long as
//     it exists, it goes without being replaced;
//  2. where there is room, a login begins, and the backend goes when that has
//     succeeded: then the next one has its turn;
//  3. where there is none, it goes when it comes free.
func (p *Pool) recycleLocked(now int64) {
	settings := p.settings.Load()
	for settings.Recycle > 0 && !p.dialing.replacing {
		b := p.oldestExpiredLocked(now)
		if b == nil {
			return
		}
		staying := p.stayingLocked()
		needed := staying <= settings.Size && (p.usage.last >= b.CreatedAt || staying <= settings.MinIdle)
		if needed && p.liveLocked() < settings.limit() {
			if !p.mayLoginLocked() {
				return
			}
			if p.beginLoginLocked() {
				p.dialing.replacing = true
				return
			}
		}
		p.retireLocked(b, reasonRecycle)
	}
}

// stayingLocked counts the backends that do not go when they come free.
func (p *Pool) stayingLocked() (n int) {
	for _, b := range p.all {
		if !b.retired {
			n++
		}
	}
	return n
}

// oldestExpiredLocked returns the backend that is longest overdue.
func (p *Pool) oldestExpiredLocked(now int64) (oldest *Backend) {
	for _, b := range p.all {
		if b.expires != 0 && b.expires <= now && !b.retired && (oldest == nil || b.expires < oldest.expires) {
			oldest = b
		}
	}
	return oldest
}

// retireOldestLocked retires the backend that a login was to replace.
func (p *Pool) retireOldestLocked() {
	if b := p.oldestExpiredLocked(p.set.now()); b != nil {
		p.retireLocked(b, reasonRecycle)
	}
}

// closeSurplusLocked closes backends beyond size that have been idle since
// before, the longest idle first.
func (p *Pool) closeSurplusLocked(size int, before int64) {
	for len(p.all) > size {
		b := p.longestIdleLocked()
		if b == nil || b.since > before {
			return
		}
		p.discardIdleLocked(b, reasonOverflow)
	}
}

// keepIdleLocked logs in for MinIdle, in a pool where a login ever succeeded.
func (p *Pool) keepIdleLocked(settings *Settings) {
	missing := settings.MinIdle - p.count[stateIdle] - p.count[stateChecking] - p.dialing.underway
	for ; missing > 0 && p.dialing.succeeded && p.liveLocked() < settings.Size && p.mayLoginLocked(); missing-- {
		if !p.beginLoginLocked() {
			return
		}
	}
}

// expiry returns when a backend made now is to be replaced.
func (s *Set) expiry(now int64, recycle time.Duration) int64 {
	if recycle <= 0 {
		return 0
	}
	return now + int64(float64(recycle)*(1-s.options.Rand()/10))
}
