package pool

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/proxy/reactor"
)

// dialing is what a pool knows about its logins.
type dialing struct {
	underway  int   // logins, from take to admit or failure
	pings     int   // checks of stale backends for waiters
	replacing bool  // one of the logins is to replace the oldest expired backend
	failures  int   // in a row
	notBefore int64 // the next login, after failures
	alarm     int64 // when the retry timer goes off; 0: it is not armed
	lastErr   error // of the last login; nil if it succeeded
	succeeded bool  // a login ever did
	standby   *bool // what the server has said of itself the last time
}

// coverLocked has a check or a login under way for each waiter, as far as the
// limits allow: whatever comes of it goes to the oldest waiter. And it looks for
// homes.
func (p *Pool) coverLocked() {
	p.coverWaitersLocked()
	p.houseLocked()
}

func (p *Pool) coverWaitersLocked() {
	for p.count[stateIdle] > 0 && p.waiting.n > p.dialing.pings {
		p.pingLocked(p.lastUsedLocked()) // or it would not be idle while somebody waits
	}
	uncovered := p.coverableLocked(p.waiting.n - p.dialing.pings - p.dialing.underway)
	for ; uncovered > 0 && p.mayLoginLocked(); uncovered-- {
		if !p.beginLoginLocked() {
			p.wantLocked(uncovered)
			return
		}
	}
	p.wantLocked(0)
}

// mayLoginLocked reports whether the pool may begin a login now:
//
//  1. the set is open, and the database is not paused;
//  2. the pool's limit is not reached;
//  3. not too many are under way: one while they fail;
//  4. the back-off after a failure is over. If not the timer is armed.
func (p *Pool) mayLoginLocked() bool {
	settings := p.settings.Load()
	if p.set.working.closing.Load() || p.halt.halted || p.liveLocked() >= settings.limit() || p.dialing.underway >= p.atOnceLocked() {
		return false
	}
	if p.dialing.failures == 0 || p.set.now() >= p.dialing.notBefore {
		return true
	}
	p.coverAtLocked(p.dialing.notBefore)
	return false
}

// atOnceLocked returns how many logins may be under way at once.
func (p *Pool) atOnceLocked() int {
	if p.dialing.failures > 0 {
		return 1
	}
	return max(1, p.settings.Load().MaxConnecting)
}

// beginLoginLocked begins a login unless the database's cap forbids it.
func (p *Pool) beginLoginLocked() bool {
	if !p.base.take(p) {
		return false
	}
	p.dialing.underway++
	p.later.logins++
	return true
}

// startLogin runs a login that was begun.
func (p *Pool) startLogin() {
	p.mu.Lock()
	target, renewal := p.target, p.renewals.Load()
	p.mu.Unlock()
	if hook := p.set.options.Hooks.LoggedIn; hook != nil {
		target.LoggedIn = func(ctx context.Context, conn *pgconn.PgConn) { hook(ctx, p.key, conn) }
	}
	p.set.spawn(func() {
		login, err := p.set.dialPooled(p.set.ctx, target)
		if err == nil && p.set.working.closing.Load() {
			err = errors.Join(ErrClosed, login.Socket.Close())
		}
		if err != nil {
			p.loginFailed(err)
			p.set.working.done()
			return
		}
		a := &arrival{pool: p, target: target, renewal: renewal, login: login, loop: p.landing()}
		a.loop.Post(a)
	})
}

// landing chooses the loop for a new backend: the one that waits for it, or
// the one with the least to do.
func (p *Pool) landing() *reactor.Loop {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w := p.waiting.first; w != nil {
		return w.Loop
	}
	least := p.home
	for _, l := range p.set.options.Loops {
		if l.Load() < least.Load() {
			least = l
		}
	}
	return least
}

// dial logs in, and tells the hook.
func (s *Set) dial(ctx context.Context, t Target) (*Login, error) {
	start := s.now()
	login, err := s.options.Dial(ctx, t)
	if err != nil {
		err = &DialError{Key: t.Key, User: t.User, Err: err}
	}
	if hook := s.options.Hooks.Connected; hook != nil {
		hook(t.Key, time.Duration(s.now()-start), err)
	}
	return login, err
}

// arrival is a login on its way into the pool, as a task for the loop that
// gets the socket.
type arrival struct {
	pool    *Pool
	target  Target
	renewal uint32 // the pool's renewals when it began
	login   *Login
	loop    *reactor.Loop
	backend *Backend // once attached
}

// Run attaches the socket and then, when the loop has dealt with that, puts
// the backend into the pool: from there another loop may take it at once.
func (a *arrival) Run() {
	p := a.pool
	if a.backend != nil {
		p.arrived(a)
		return
	}
	b, err := p.attach(a.login, a.loop, false)
	if err != nil {
		p.loginFailed(&DialError{Key: p.key, User: a.target.User, Err: err})
		p.set.working.done()
		return
	}
	b.renewal, a.backend = a.renewal, b
	a.loop.Post(a)
}

// arrived puts a new backend into the pool.
func (p *Pool) arrived(a *arrival) {
	p.mu.Lock()
	p.dialing.underway--
	p.dialing.failures, p.dialing.lastErr, p.dialing.succeeded = 0, nil, true
	p.dialing.standby = standby(a.login.Params)
	p.usage.counters.Connects++
	p.admitLocked(a.backend)
	if !a.target.same(&p.target) {
		p.retireLocked(a.backend, reasonReload)
	}
	if a.backend.Outdated() {
		p.retireLocked(a.backend, reasonRecycle)
	}
	if p.set.working.closing.Load() {
		p.retireLocked(a.backend, reasonShutdown)
	}
	p.welcomeLocked(a.backend)
	p.offerLocked(a.backend)
	if p.dialing.replacing {
		p.dialing.replacing = false
		p.retireOldestLocked()
		p.recycleLocked(p.set.now())
	}
	p.coverLocked()
	p.unlock()
}

// standby says what a server reports of itself; nil: before PostgreSQL 14 none does.
func standby(params Params) *bool {
	value, reported := params.Get("in_hot_standby")
	if !reported {
		return nil
	}
	return new(value == "on")
}

// attach makes a backend of a login. It is called on the loop that gets the
// socket.
func (p *Pool) attach(login *Login, loop *reactor.Loop, dedicated bool) (*Backend, error) {
	now := p.set.now()
	b := &Backend{
		PID: login.PID, Secret: login.Secret, Params: login.Params,
		Pool: p, CreatedAt: now, login: login, dedicated: dedicated,
	}
	b.loop = loop
	b.expires = p.set.expiry(now, p.settings.Load().Recycle)
	b.place.Store(place(stateConnecting, loop))
	conn, err := login.Socket.Attach(loop, b)
	if err != nil {
		return nil, err
	}
	b.conn = conn
	return b, nil
}

// loginFailed decides what a failed login means for the waiters.
func (p *Pool) loginFailed(err error) {
	p.mu.Lock()
	d := &p.dialing
	d.underway--
	d.lastErr, d.replacing = err, false
	p.later.room = p.waiting.n > 0 && full(err)
	p.usage.counters.ConnectFailures++
	p.base.give(p)
	p.later.balance = true
	if final(err) && len(p.all) == 0 {
		d.failures = 0
		p.turnAwayLocked(err)
		for p.waiting.n > 0 {
			p.failLocked(p.waiting.pop(), err)
		}
	} else if now := p.set.now(); d.failures == 0 || now >= d.notBefore {
		d.failures++
		d.notBefore = now + p.set.backoff(d.failures)
	}
	p.coverLocked()
	p.unlock()
	p.set.changes.happened()
}
