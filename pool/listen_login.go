package pool

import "github.com/pgjay/pgjay/proxy/reactor"

// relogin is what a listener knows about its logins.
type relogin struct {
	underway  bool
	lost      bool // there was a backend, and it was lost
	failures  int  // in a row, losses included
	notBefore int64
	armed     bool // timer runs
	timer     reactor.Timer
	lastErr   error // of the last login; nil if it succeeded
}

// connect logs in, if anybody waits for it, as the user of the one who has
// waited for longest.
func (l *Listener) connect() {
	d := &l.login
	switch {
	case len(l.waiting) == 0 || d.underway || d.armed:
		return
	case l.set.working.closing.Load():
		l.shut()
		return
	case l.home.Now() < d.notBefore:
		d.armed = true
		l.home.Schedule(&d.timer, d.notBefore)
		return
	}
	d.underway = true
	k := &link{listener: l, pool: l.waiting[0].sub.pool}
	k.target = k.pool.dialListener(l.home, k)
}

// dialListener makes a dedicated backend that listens: it counts for
// max_database_connections, but not as one that a session has.
func (p *Pool) dialListener(home *reactor.Loop, k *link) Target {
	d := &dedicated{pool: p, ctx: p.set.ctx, params: listenParams, lessee: k, loop: home, then: k.arrived, listening: true}
	p.mu.Lock()
	p.special++
	p.listening++
	target := p.target
	p.unlock()
	d.start()
	return target
}

// arrived ends a login.
func (k *link) arrived(b *Backend, err error) {
	l := k.listener
	l.login.underway = false
	if err != nil {
		l.loginFailed(k.pool, err)
		return
	}
	k.backend = b
	l.login.lastErr = nil
	if l.closed || k.outdated() {
		k.release()
	} else {
		l.connected(k)
	}
	l.advance()
}

// connected takes a backend into use. Nobody is active yet.
func (l *Listener) connected(k *link) {
	l.begin(k)
	l.counts.logins.Add(1)
	if l.login.lost {
		l.login.lost = false
		l.counts.reconnects.Add(1)
	}
}

// loginFailed decides what a failed login means for those who wait. If waiting
// does not cure it, it ends for all who would log in in the same way.
func (l *Listener) loginFailed(p *Pool, err error) {
	d := &l.login
	d.lastErr = err
	l.counts.failures.Add(1)
	if final(err) {
		l.waiting = l.refuseSome(l.waiting, err, func(r *request) bool { return r.sub.pool == p })
	} else {
		l.backOff()
	}
	l.advance()
}

// backOff puts the next login off.
func (l *Listener) backOff() {
	l.login.failures++
	l.login.notBefore = l.home.Now() + l.set.backoff(l.login.failures)
}

// retry ends the back-off.
func (l *Listener) retry() {
	l.login.armed = false
	l.advance()
}

// refuseSome ends the wait of some, and returns the others.
func (l *Listener) refuseSome(all []*request, err error, whom func(*request) bool) (others []*request) {
	for _, r := range all {
		if whom(r) {
			l.refuse(r, err)
		} else {
			others = append(others, r)
		}
	}
	return others
}

// outdated reports whether the database is elsewhere now. Another user or
// password is no reason: who is logged in stays so.
func (k *link) outdated() bool {
	k.pool.mu.Lock()
	defer k.pool.mu.Unlock()
	return k.target.URL != k.pool.target.URL || k.target.Database != k.pool.target.Database
}

// reconfigured looks whether the backend is still the right one.
func (l *Listener) reconfigured() {
	if k := l.link; k != nil && k.outdated() {
		k.release()
		l.lose(k, errMoved)
	}
}
