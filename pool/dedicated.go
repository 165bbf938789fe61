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
// backend counts for max_database_connections but not for the pool's size.
func (s *Set) DialDedicated(ctx context.Context, k Key, params map[string]string, w *Waiter, then func(*Backend, error)) {
	p := s.Pool(k)
	d := &dedicated{pool: p, lessee: w.Lessee, loop: w.Loop, then: then}
	if !p.base.reserve(p) {
		d.loop.Post(reactor.Func(func() { then(nil, errCap) }))
		return
	}
	p.mu.Lock()
	p.special++
	target := p.target
	p.mu.Unlock()
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
