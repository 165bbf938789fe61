package pool

import (
	"context"
	"maps"
	"slices"

	"github.com/pgjay/pgjay/proxy/reactor"
	"github.com/pgjay/pgjay/proxy/wire"
)

// DialDedicated makes a backend outside the pool, for replication and for
// start-up parameters that cannot be SET. It is leased to w.Lessee from the
// beginning, and Release closes it. then is called on w.Loop. A dedicated
// backend counts for max_database_connections but not for the pool's size. Not
// counting replication, which PostgreSQL bounds by max_wal_senders, there are no
// more of them than the pool may have backends; until ctx ends, others wait, and so
// do all while the database is paused.
func (s *Set) DialDedicated(ctx context.Context, k Key, params map[string]string, w *Waiter, then func(*Backend, error)) {
	p := s.Pool(k)
	d := &dedicated{pool: p, ctx: ctx, params: maps.Clone(params), lessee: w.Lessee, loop: w.Loop, then: then}
	_, replication := params["replication"]
	p.mu.Lock()
	d.unbounded = replication
	if !p.mayStartLocked(d) {
		p.lining = append(p.lining, d)
		d.stop = context.AfterFunc(ctx, d.giveUp)
		p.unlock()
		return
	}
	p.special++
	p.unlock()
	d.start()
}

// start logs in. The backend counts already.
func (d *dedicated) start() {
	p := d.pool
	if !p.base.reserve(p) {
		p.mu.Lock()
		p.specialGoneLocked(d.listening)
		p.unlock()
		p.set.changes.happened()
		d.fail(errCap)
		return
	}
	p.mu.Lock()
	target := p.target
	p.mu.Unlock()
	target.Params = d.params
	ctx, cancel := context.WithCancel(d.ctx)
	stop := context.AfterFunc(p.set.ctx, cancel)
	p.set.spawn(func() {
		defer cancel()
		defer stop()
		d.login, d.err = p.set.dial(ctx, target)
		d.loop.Post(d)
	})
}

// giveUp ends the wait for a place.
func (d *dedicated) giveUp() {
	p := d.pool
	p.mu.Lock()
	i := slices.Index(p.lining, d)
	if i >= 0 {
		p.lining = slices.Delete(p.lining, i, i+1)
	}
	p.unlock()
	if i >= 0 {
		d.fail(errDedicated)
	}
}

func (d *dedicated) fail(err error) {
	d.loop.Post(reactor.Func(func() { d.then(nil, err) }))
}

// specialGoneLocked notes that a dedicated backend is no more, and lets others
// begin.
func (p *Pool) specialGoneLocked(listening bool) {
	p.special--
	if listening {
		p.listening--
	}
	p.startLinedLocked()
}

// mayStartLocked reports whether d may log in now.
func (p *Pool) mayStartLocked(d *dedicated) bool {
	return !p.halt.halted && (d.unbounded || p.special-p.listening < p.settings.Load().limit())
}

// startLinedLocked has those log in that have waited for it.
func (p *Pool) startLinedLocked() {
	for len(p.lining) > 0 && p.mayStartLocked(p.lining[0]) {
		d := p.lining[0]
		p.lining = slices.Delete(p.lining, 0, 1)
		d.stop()
		p.special++
		p.later.dedicated = append(p.later.dedicated, d)
	}
}

// dedicated is a login outside the pool, as a task for the loop that gets the
// socket.
type dedicated struct {
	pool   *Pool
	ctx    context.Context // of the caller's patience
	stop   func() bool     // keeps ctx from ending the wait for a place
	params map[string]string
	lessee Lessee
	loop   *reactor.Loop
	then   func(*Backend, error)
	login  *Login
	err    error

	listening bool // for a Listener
	unbounded bool // the pool's limit does not hold
}

// Run leases the backend.
func (d *dedicated) Run() {
	p := d.pool
	var b *Backend
	if d.err == nil {
		b, d.err = p.attach(d.login, d.loop, true)
	}
	p.mu.Lock()
	if d.err != nil {
		p.specialGoneLocked(d.listening)
		p.base.give(p)
		p.later.balance = true
		p.usage.counters.ConnectFailures++
		p.unlock()
		p.set.changes.happened()
		p.set.working.done()
		d.then(nil, d.err)
		return
	}
	p.usage.counters.Connects++
	b.listening = d.listening
	b.setStateLocked(stateLeased, d.loop)
	p.unlock()
	b.lessee = d.lessee
	d.then(b, nil)
}

// errCap is why a dedicated backend cannot be had.
var errCap = &wire.Error{
	Severity: "FATAL", Code: "53300",
	Message: "pgjay: no connection to this database is free",
	Hint:    "pool.max_database_connections bounds them.",
}

// errDedicated is why there is no other dedicated backend.
var errDedicated = &wire.Error{
	Severity: "FATAL", Code: "53300",
	Message: "pgjay: too many clients need a backend of their own",
	Detail:  "They need it for a start-up parameter that cannot be set later, or because a text resets one and goes on.",
	Hint:    "There are as many as pool.size and pool.overflow allow, beside the pool.",
}
