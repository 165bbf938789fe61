package pool

import (
	"context"
	"maps"

	"github.com/pgjay/pgjay/proxy/reactor"
	"github.com/pgjay/pgjay/proxy/wire"
)

// DialDedicated makes a backend outside the pool, for replication and for
// start-up parameters that cannot be SET. It is leased to w.Lessee from the
// beginning, and Release closes it. then is called on w.Loop. A dedicated
// backend counts for max_database_connections but not for the pool's size. Not
// counting replication, which PostgreSQL bounds by max_wal_senders, there are no
// more of them than the pool may have backends.
func (s *Set) DialDedicated(ctx context.Context, k Key, params map[string]string, w *Waiter, then func(*Backend, error)) {
	p := s.Pool(k)
	d := &dedicated{pool: p, lessee: w.Lessee, loop: w.Loop, then: then}
	_, replication := params["replication"]
	target, err := p.reserveDedicated(replication)
	if err != nil {
		d.loop.Post(reactor.Func(func() { then(nil, err) }))
		return
	}
	target.Params = maps.Clone(params)
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(s.ctx, cancel)
	s.spawn(func() {
		defer cancel()
		defer stop()
		d.login, d.err = s.dial(ctx, target)
		d.loop.Post(d)
	})
}

// reserveDedicated takes a place for a dedicated backend.
func (p *Pool) reserveDedicated(replication bool) (Target, error) {
	if !p.base.reserve(p) {
		return Target{}, errCap
	}
	p.mu.Lock()
	defer p.unlock()
	if !replication && p.special >= p.settings.Load().limit() {
		p.base.give(p)
		p.later.balance = true
		return Target{}, errDedicated
	}
	p.special++
	return p.target, nil
}

// dedicated is a login outside the pool, as a task for the loop that gets the
// socket.
type dedicated struct {
	pool   *Pool
	lessee Lessee
	loop   *reactor.Loop
	then   func(*Backend, error)
	login  *Login
	err    error
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
		p.special--
		p.base.give(p)
		p.later.balance = true
		p.usage.counters.ConnectFailures++
		p.unlock()
		p.set.working.done()
		d.then(nil, d.err)
		return
	}
	p.usage.counters.Connects++
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
