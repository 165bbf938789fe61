package pool

import (
	"context"
	"errors"
	"time"

	"github.com/pgjay/pgjay/proxy/wire"
)

// pg_terminate_backend and a server that shuts down say the same to a backend:
// 57P01. The first is meant for the session whose home the backend is, which has
// to end as it would if it had no proxy between; the second is a pause for the
// sessions of a pool. What it was is asked by another login: a server that shuts
// down refuses it from before it ends the first backend (postmaster.c,
// pmdie_handler); one that has been started since has not been up for as long
// as the backend was; one where nobody can log in any more will not come back.
//
// 57P05 is meant for the session too, if it is what has set idle_session_timeout.

// doubtState says whether a session is to end because its home has ended.
type doubtState uint8

const (
	doubtNone  doubtState = iota
	doubtOpen             // it is being found out; until then it gets no backend
	doubtEnded            // it is
)

// doubt is a residence whose home was ended.
type doubt struct {
	residence *Residence
	farewell  *wire.Error // of the home
	server    string      // that it was on
	since     int64       // when it logged in
}

// Ends notes what the backend has said before it ends. It may be called on any
// goroutine.
func (b *Backend) Ends(farewell *wire.Error) {
	b.Pool.mu.Lock()
	b.farewell = farewell
	b.Pool.mu.Unlock()
}

// Doubted reports whether the home of a session was ended and it is not known
// yet what that means for the session: Judged will be called.
func (p *Pool) Doubted(r *Residence) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return r.doubt == doubtOpen
}

func (p *Pool) doubtLocked(r *Residence, b *Backend) {
	switch _, limited := b.Label.Get("idle_session_timeout"); {
	case b.farewell.Code == "57P05" && limited:
		r.doubt = doubtEnded
		p.later.verdicts = append(p.later.verdicts, verdict{r.Resident, b.farewell})
	case b.farewell.Code == "57P01":
		r.doubt = doubtOpen
		p.homes.next = append(p.homes.next, doubt{r, b.farewell, b.login.Server, b.CreatedAt})
		p.later.judge = true
	}
}

// parkLocked has w wait for the end of the doubt about its session.
func (p *Pool) parkLocked(w *Waiter) bool {
	r := w.Residence
	if r == nil || r.doubt == doubtNone {
		return false
	}
	r.parked, w.state = w, waitParked
	return true
}

// judge finds out what the doubts are about, one probe at a time: a probe says
// nothing of what has happened since it began.
func (p *Pool) judge() {
	p.mu.Lock()
	if p.homes.open != nil || p.homes.next == nil {
		p.mu.Unlock()
		return
	}
	p.homes.open, p.homes.next = p.homes.next, nil
	target := p.target
	p.mu.Unlock()
	p.set.spawn(func() {
		ctx, cancel := context.WithTimeout(p.set.ctx, p.set.connectTimeout())
		defer cancel()
		server, uptime, err := p.set.options.Probe(ctx, target)
		p.judged(func(d doubt) bool {
			return err == nil && server == d.server && p.set.now()-int64(uptime) <= d.since || err != nil && final(err)
		})
		p.set.working.done()
	})
}

// judged ends the doubts that judge was about.
func (p *Pool) judged(ended func(doubt) bool) {
	p.mu.Lock()
	defer p.unlock()
	for _, d := range p.homes.open {
		r := d.residence
		if r.doubt != doubtOpen {
			continue // it has left
		}
		if ended(d) {
			r.doubt = doubtEnded
			p.later.verdicts = append(p.later.verdicts, verdict{r.Resident, d.farewell})
			continue
		}
		r.doubt = doubtNone
		if w := r.parked; w != nil {
			r.parked = nil
			p.queueLocked(w)
		}
		p.later.verdicts = append(p.later.verdicts, verdict{r.Resident, nil})
	}
	p.homes.open = nil
	p.later.judge = p.homes.next != nil
	p.coverLocked()
}

// verdict is a call of Resident.Judged.
type verdict struct {
	resident Resident
	cause    *wire.Error
}

// ProbeFunc logs in and returns the address of the server and for how long it
// has been up. It may block.
type ProbeFunc func(ctx context.Context, t Target) (server string, uptime time.Duration, err error)

// refuseProbe is the ProbeFunc of a simulated world that has none.
func refuseProbe(context.Context, Target) (string, time.Duration, error) {
	return "", 0, errors.New("there is no server to ask")
}
