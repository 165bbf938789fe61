package pool

import (
	"slices"
	"sync"
)

// database shares max_database_connections between the pools of its users. A
// pool takes a place before each login and gives it back when the backend is
// closed.
type database struct {
	mu      sync.Mutex
	cap     int     // guarded by mu; 0: none
	used    int     // guarded by mu; places taken
	members []*Pool // guarded by mu; the pools that hold or want places
	wants   int64   // guarded by mu; counts how often a pool began to want one
	turn    int     // guarded by mu; whose turn it is to give, when all are poor
	// listener is guarded by mu. It is nil until a session listens.
	listener *Listener
}

// account is a pool's part in its database, guarded by database.mu.
type account struct {
	held   int   // places
	wanted int   // places it was refused and still needs
	since  int64 // when it began to want one, by database.wants
	member bool
}

// poorerThan says which of two pools a free place is for: the one that has
// fewer, or wants one for longer.
func (a *account) poorerThan(b *account) bool {
	if a.held != b.held || b.wanted == 0 {
		return a.held < b.held
	}
	return a.wanted > 0 && a.since < b.since
}

// take takes a place for p. It returns false if there is none, or if it is
// for another pool.
func (d *database) take(p *Pool) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cap > 0 {
		if d.used >= d.cap {
			return false
		}
		if next := d.poorestLocked(); next != nil && next != p && !p.account.poorerThan(&next.account) {
			return false
		}
	}
	d.takeLocked(p)
	return true
}

// reserve takes a place for p even if others wait for one. When there is none
// an idle backend of any pool is closed. No lock is held by the caller.
func (d *database) reserve(p *Pool) bool {
	for {
		d.mu.Lock()
		if d.cap == 0 || d.used < d.cap {
			d.takeLocked(p)
			d.mu.Unlock()
			return true
		}
		members := slices.Clone(d.members)
		d.mu.Unlock()
		if !slices.ContainsFunc(members, (*Pool).closeIdle) {
			return false
		}
	}
}

func (d *database) takeLocked(p *Pool) {
	d.used++
	p.account.held++
	d.enrolLocked(p)
}

// closeIdle closes the backend that was idle for longest. It returns false if
// none is idle.
func (p *Pool) closeIdle() bool {
	p.mu.Lock()
	b := p.longestIdleLocked()
	if b != nil {
		p.discardIdleLocked(b, reasonShare)
	}
	p.unlock()
	return b != nil
}

// give gives a place of p back.
func (d *database) give(p *Pool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.used--
	p.account.held--
	d.enrolLocked(p)
}

// enrolLocked keeps members up to date.
func (d *database) enrolLocked(p *Pool) {
	member := p.account.held > 0 || p.account.wanted > 0
	if member == p.account.member {
		return
	}
	p.account.member = member
	if member {
		d.members = append(d.members, p)
		return
	}
	i := slices.Index(d.members, p)
	d.members = slices.Delete(d.members, i, i+1)
}

// wantLocked notes how many logins the cap does not allow at the moment.
func (p *Pool) wantLocked(n int) {
	if n == p.sharing.wanted {
		return
	}
	p.later.balance = p.later.balance || n > p.sharing.wanted
	p.sharing.wanted = n
	d := p.base
	d.mu.Lock()
	if p.account.wanted == 0 {
		d.wants++
		p.account.since = d.wants
	}
	p.account.wanted = n
	d.enrolLocked(p)
	d.mu.Unlock()
}

// setCap changes the cap.
func (d *database) setCap(n int) {
	d.mu.Lock()
	d.cap = n
	d.mu.Unlock()
}

// balance gives free places to the pools that want them, the poorest first,
// and then has rich pools give up what is the share of poor ones. With rotate
// even pools with one backend give it up, in turn, to those that have none.
// No lock is held by the caller.
func (d *database) balance(rotate bool) {
	for p := d.next(); p != nil; p = d.next() {
		p.mu.Lock()
		p.coverLocked()
		p.unlock()
	}
	for turns := 0; ; {
		all, excess := d.standings()
		if claims(all)+excess <= 0 {
			return
		}
		giver := richest(all)
		if giver == nil && (excess > 0 || rotate && turns < max(1, len(all)/2)) {
			giver = d.takeTurns(all)
			turns++
		}
		if giver == nil || !giver.giveUp() {
			return
		}
	}
}

// next returns the pool that a free place is for; nil if there is none, or no
// pool wants it.
func (d *database) next() *Pool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cap > 0 && d.used >= d.cap {
		return nil
	}
	return d.poorestLocked()
}

// poorestLocked returns the pool that the next free place is for.
func (d *database) poorestLocked() (poorest *Pool) {
	for _, p := range d.members {
		if p.account.wanted > 0 && (poorest == nil || p.account.poorerThan(&poorest.account)) {
			poorest = p
		}
	}
	return poorest
}

// standing is what a division of the places looks at.
type standing struct {
	pool     *Pool
	held     int // places that will be left to it
	yielding int // places it has promised to give up
	backends int // of held, those that it could give up
	wanted   int
	share    int
}

// standings looks at all members, one after the other: the picture may be a
// little out of date, and then the next balance corrects it. excess is how
// many places are taken beyond the cap, which may have been lowered.
func (d *database) standings() (all []standing, excess int) {
	d.mu.Lock()
	limit := d.cap
	if limit == 0 {
		d.mu.Unlock()
		return nil, 0
	}
	excess = max(0, d.used-limit)
	for _, p := range d.members {
		all = append(all, standing{pool: p, held: p.account.held, wanted: p.account.wanted})
	}
	d.mu.Unlock()
	demand := 0
	for i := range all {
		s := &all[i]
		s.pool.mu.Lock()
		s.yielding = s.pool.sharing.yielding
		s.held -= s.yielding
		s.backends = len(s.pool.all) - s.yielding
		if s.wanted > 0 || s.pool.busyLocked() {
			s.share = 1
			demand++
		}
		s.pool.mu.Unlock()
	}
	for i := range all {
		all[i].share *= max(1, limit/max(1, demand))
	}
	return all, excess
}

// claims returns how many places poor pools may demand of rich ones, beyond
// what has been promised already.
func claims(all []standing) (n int) {
	for _, s := range all {
		n += min(s.wanted, max(0, s.share-s.held)) - s.yielding
	}
	return n
}

// richest returns the pool that is most above its share; nil if none is.
func richest(all []standing) (richest *Pool) {
	most := 0
	for _, s := range all {
		if above := s.held - s.share; above > most && s.backends > 0 {
			richest, most = s.pool, above
		}
	}
	return richest
}

// takeTurns returns the next pool in turn that has a backend.
func (d *database) takeTurns(all []standing) *Pool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for range all {
		d.turn++
		if s := all[d.turn%len(all)]; s.backends > 0 {
			return s.pool
		}
	}
	return nil
}

// giveUp closes an idle backend for another pool, or the next that comes free.
// It returns false if there is none to promise.
func (p *Pool) giveUp() bool {
	if p.closeIdle() {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sharing.yielding >= len(p.all) {
		return false
	}
	p.sharing.yielding++
	return true
}

// yieldLocked reports whether a backend that has come free is still to be
// given up: another pool wants its place, or there are too many.
func (p *Pool) yieldLocked() bool {
	p.base.mu.Lock()
	wanted := p.base.cap > 0 && p.base.used > p.base.cap
	for _, m := range p.base.members {
		wanted = wanted || m != p && m.account.wanted > 0
	}
	p.base.mu.Unlock()
	if !wanted {
		p.sharing.yielding = 0
		return false
	}
	p.sharing.yielding--
	return true
}
