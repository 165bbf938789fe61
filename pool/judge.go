package pool

import (
	"context"
	"errors"
	"time"
)

// pg_terminate_backend and a server that shuts down say the same to a backend:
// 57P01. The first is meant for the session whose home the backend is, which has
// to end as it would if it had no proxy between; the second is a pause for the
// sessions of a pool. What it was is asked by another login: a server that shuts
// down refuses it from before it ends the first backend (postmaster.c,
// pmdie_handler); one that has been started since has not been up for as long
// as the backend was.

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
	server    string // that the home was on
	since     int64  // when the home logged in
}

// Terminated notes that the backend has said that it is ended by an
// administrator. It may be called on any goroutine.
func (b *Backend) Terminated() {
	b.Pool.mu.Lock()
	b.terminated = true
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
	r.doubt = doubtOpen
	p.homes.next = append(p.homes.next, doubt{r, b.login.Server, b.CreatedAt})
	p.later.judge = true
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
			return err == nil && server == d.server && p.set.now()-int64(uptime) <= d.since
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
		r.doubt = doubtNone
		if ended(d) {
			r.doubt = doubtEnded
		} else if w := r.parked; w != nil {
			r.parked = nil
			p.queueLocked(w)
		}
		p.later.verdicts = append(p.later.verdicts, verdict{r.Resident, r.doubt == doubtEnded})
	}
	p.homes.open = nil
	p.later.judge = p.homes.next != nil
	p.coverLocked()
}

// verdict is a call of Resident.Judged.
type verdict struct {
	resident Resident
	ended    bool
}

// ProbeFunc logs in and returns the address of the server and for how long it
// has been up. It may block.
type ProbeFunc func(ctx context.Context, t Target) (server string, uptime time.Duration, err error)

// refuseProbe is the ProbeFunc of a simulated world that has none.
func refuseProbe(context.Context, Target) (string, time.Duration, error) {
	return "", 0, errors.New("there is no server to ask")
}
