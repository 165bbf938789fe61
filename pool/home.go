package pool

import (
	"slices"

	"github.com/pgjay/pgjay/proxy/wire"
)

// Resident is the session behind a Residence. Its methods may be called on any
// goroutine, without locks.
type Resident interface {
	// Settled ends a search that Settle began. pid is that of the home, or 0:
	// there is none. err is set when no backend can be had at all, for a reason
	// that waiting does not cure.
	Settled(pid uint32, err error)
	// Judged ends a doubt (see Pool.Doubted). cause is set when the session is
	// to end with its home: it is what the server has said.
	Judged(cause *wire.Error)
}

// Residence is a session's claim to its home: the backend whose process ID its
// client was told. A session that asks for a backend gets its home, if that is
// idle. Sessions have different homes as long as the pool's Size allows; others
// share one. It is embedded in the session, and belongs to the pool from Settle
// to Vacate.
type Residence struct {
	// Resident is set before Settle.
	Resident Resident

	// Guarded by Pool.mu.

	home   *Backend // nil: none, or not any more
	at     int      // in home.residents
	doubt  doubtState
	parked *Waiter // waits for the end of the doubt
}

// Settle finds a home. It returns false if that takes a login: then Settled is
// called. pid is 0 if there is no backend, and none may be had at the moment.
func (p *Pool) Settle(r *Residence) (pid uint32, settled bool) {
	defer unbroken()
	p.mu.Lock()
	defer p.unlock()
	b := p.roomiestLocked()
	if b != nil && len(b.residents) == 0 || !p.mayHouseLocked(1) {
		return r.moveInLocked(b), true
	}
	p.homes.seeking = append(p.homes.seeking, r)
	p.coverLocked()
	return 0, false
}

// Vacate ends a residence, or the search for one. Settled and Judged may still
// be on their way.
func (p *Pool) Vacate(r *Residence) {
	defer unbroken()
	p.mu.Lock()
	defer p.unlock()
	r.doubt = doubtNone
	if i := slices.Index(p.homes.seeking, r); i >= 0 {
		p.homes.seeking = slices.Delete(p.homes.seeking, i, i+1)
	}
	if b := r.home; b != nil {
		last := b.residents[len(b.residents)-1]
		b.residents[r.at], last.at = last, r.at
		b.residents[len(b.residents)-1] = nil
		b.residents = b.residents[:len(b.residents)-1]
		r.home = nil
	}
}

// moveInLocked makes b, which may be nil, the home of r, and returns its PID.
func (r *Residence) moveInLocked(b *Backend) (pid uint32) {
	if b == nil {
		return 0
	}
	r.home, r.at = b, len(b.residents)
	b.residents = append(b.residents, r)
	return b.PID
}

// roomiestLocked returns a backend with as few residents as any; of these an
// idle one, if there is one.
func (p *Pool) roomiestLocked() (roomiest *Backend) {
	for _, b := range p.all {
		switch {
		case b.retired:
		case roomiest == nil || len(b.residents) < len(roomiest.residents),
			len(b.residents) == len(roomiest.residents) && b.state() == stateIdle && roomiest.state() != stateIdle:
			roomiest = b
		}
	}
	return roomiest
}

// mayHouseLocked reports whether the pool may grow so that so many more sessions
// have a home of their own.
func (p *Pool) mayHouseLocked(more int) bool {
	missing := max(0, len(p.homes.seeking)+more-p.dialing.underway)
	settings := p.settings.Load()
	return settings.Homes && !p.halt.halted && !p.set.working.closing.Load() && p.dialing.failures == 0 && p.liveLocked()+missing <= settings.Size
}

// houseLocked has a login under way for each session that looks for a home, as
// far as the limits allow. The others share one.
func (p *Pool) houseLocked() {
	for len(p.homes.seeking) > p.dialing.underway {
		if p.mayHouseLocked(0) {
			if p.dialing.underway >= p.atOnceLocked() {
				return // one of these will do
			}
			if p.beginLoginLocked() {
				continue
			}
		}
		last := len(p.homes.seeking) - 1
		p.settleLocked(p.homes.seeking[last], p.roomiestLocked(), nil)
		p.homes.seeking = p.homes.seeking[:last]
	}
}

// welcomeLocked makes a new backend the home of whoever has looked for one
// longest.
func (p *Pool) welcomeLocked(b *Backend) {
	if len(p.homes.seeking) > 0 && !b.retired {
		p.settleLocked(p.homes.seeking[0], b, nil)
		p.homes.seeking = slices.Delete(p.homes.seeking, 0, 1)
	}
}

// turnAwayLocked ends the search of all: there will be no backend.
func (p *Pool) turnAwayLocked(err error) {
	for _, r := range p.homes.seeking {
		p.settleLocked(r, nil, err)
	}
	p.homes.seeking = nil
}

func (p *Pool) settleLocked(r *Residence, b *Backend, err error) {
	p.later.settled = append(p.later.settled, settlement{r.Resident, r.moveInLocked(b), err})
}

// settlement is a call of Resident.Settled.
type settlement struct {
	resident Resident
	pid      uint32
	err      error
}

// evictLocked ends the residences of a backend that is closed. Why it has ended
// may concern the session whose home it was.
func (p *Pool) evictLocked(b *Backend) {
	for _, r := range b.residents {
		r.home = nil
	}
	if b.farewell != nil && len(b.residents) == 1 {
		p.doubtLocked(b.residents[0], b)
	}
	b.residents = nil
}

// homeLocked returns the home of whoever waits, if it is idle.
func (w *Waiter) homeLocked() *Backend {
	if w.Residence == nil || w.Residence.home == nil || w.Residence.home.state() != stateIdle {
		return nil
	}
	return w.Residence.home
}

// reserveLocked checks a backend that was idle for long, for its resident alone.
func (p *Pool) reserveLocked(b *Backend, w *Waiter) {
	p.checkLocked(b)
	b.pinging, b.reserved = true, w
	w.state, w.backend = waitReserved, b
	p.later.pings = append(p.later.pings, b)
}

// unreserveLocked has whoever waits for b alone wait for any.
func (p *Pool) unreserveLocked(b *Backend) {
	w := b.reserved
	if w == nil {
		return
	}
	b.reserved, w.backend = nil, nil
	p.queueLocked(w)
}
