package pool

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
	"weak"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/proxy/reactor"
)

// Options is what a Set needs.
type Options struct {
	Loops   []*reactor.Loop
	Backend BackendConfig
	Config  Config
	// Credentials says as whom to log in for a client. nil, or an empty user:
	// as the client's user; an empty password is BackendConfig.Password.
	Credentials func(Key) (user, password string)
	Hooks       Hooks
	// Plans says what the backends of a pool are to tell of plans; nil: nothing.
	Plans func(Key) Plans

	// The simulator's world. nil is the real one.

	Dial  DialFunc
	Probe ProbeFunc      // of a simulated world: nil refuses
	Go    func(func())   // runs what may block
	Now   func() int64   // nanoseconds of a clock that does not go back
	Rand  func() float64 // in [0, 1), for jitter
}

// Hooks are told what happens. They are called on any goroutine, without
// locks, and must not block if nothing else is said. Each may be nil.
type Hooks struct {
	// Connected is called after each attempt to log in.
	Connected func(k Key, took time.Duration, err error)
	// LoggedIn is called when a backend of a pool has logged in and is nobody's yet. It
	// may block, and use the connection, but must leave it as it was.
	LoggedIn func(ctx context.Context, k Key, conn *pgconn.PgConn)
	// Closed is called when a backend has been closed.
	Closed func(k Key, reason string)
}

// Key names a pool: database and user as the client names them.
type Key struct{ Database, User string }

// Set has all pools. Its methods may be called on any goroutine.
type Set struct {
	options Options // not changed after NewSet

	simulated bool // the caller runs what Options.Go is given
	live      atomic.Pointer[configuration]
	// clock is Options.Now as of the last use of it, at most a second ago: for
	// what need not be exact and must cost nothing.
	clock   atomic.Int64
	working working
	ctx     context.Context // of the logins
	stop    context.CancelFunc

	reload    sync.Mutex // one Reconfigure at a time
	mu        sync.RWMutex
	index     map[Key]*entry                    // guarded by mu
	entries   []*entry                          // guarded by mu; in the order in which they were made
	databases map[string]weak.Pointer[database] // guarded by mu
	orders    orders                            // guarded by mu
	changes   changes
	tellers   tellers
}

// entry is a pool in a Set. A pool that is not used is held weakly: it goes
// with the last session that refers to it, and as long as there is one, it
// stays the only pool of its key.
type entry struct {
	pool *Pool // nil: not used
	ref  weak.Pointer[Pool]
	key  Key
}

// configuration is what Reconfigure replaces as a whole.
type configuration struct {
	backend BackendConfig
	config  Config
}

// NewSet returns a set without pools.
func NewSet(o Options) *Set {
	if o.Dial == nil {
		o.Dial = Dial
	}
	simulated := o.Go != nil
	if !simulated {
		o.Go = func(f func()) { go f() }
	}
	if o.Probe == nil {
		o.Probe = refuseProbe
		if !simulated {
			o.Probe = Probe
		}
	}
	if o.Now == nil {
		start := time.Now()
		o.Now = func() int64 { return int64(time.Since(start)) }
	}
	if o.Rand == nil {
		o.Rand = rand.Float64
	}
	s := &Set{options: o, simulated: simulated, index: make(map[Key]*entry), databases: make(map[string]weak.Pointer[database])}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.working.idle = make(chan struct{})
	s.live.Store(&configuration{o.Backend, o.Config})
	s.now()
	return s
}

// now returns the time, and moves the clock.
func (s *Set) now() int64 {
	now := s.options.Now()
	s.clock.Store(now)
	return now
}

// Pool returns the pool of a key; it is made at the first use.
func (s *Set) Pool(k Key) *Pool {
	s.mu.RLock()
	p := s.index[k].value()
	s.mu.RUnlock()
	for p == nil {
		live := s.live.Load()
		settings, target := live.settings(k), s.target(live, k)
		p = s.addPool(k, live, settings, target)
	}
	return p
}

// connectTimeout bounds a login, a check, and a cancel request.
func (s *Set) connectTimeout() time.Duration {
	if timeout := s.live.Load().backend.ConnectTimeout; timeout > 0 {
		return timeout
	}
	return DefaultBackendConfig().ConnectTimeout
}

// value returns the pool, if there is still one.
func (e *entry) value() *Pool {
	switch {
	case e == nil:
		return nil
	case e.pool != nil:
		return e.pool
	}
	return e.ref.Value()
}

// addPool makes the pool of a key. It returns nil if the configuration has
// changed meanwhile.
func (s *Set) addPool(k Key, live *configuration, settings *Settings, target Target) *Pool {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.index[k]
	if p := e.value(); p != nil {
		return p
	}
	if s.live.Load() != live {
		return nil
	}
	loops := s.options.Loops
	p := newPool(s, k, s.databaseLocked(k.Database, live), loops[len(s.entries)%len(loops)])
	p.settings.Store(settings)
	p.target = target
	p.halt.halted = s.orders.pausedOne(k.Database)
	if e == nil {
		e = &entry{key: k}
		s.index[k] = e
		s.entries = append(s.entries, e)
	}
	e.pool, e.ref = p, weak.Make(p)
	return p
}

// databaseLocked returns what the pools of a database share.
func (s *Set) databaseLocked(name string, live *configuration) *database {
	d := s.databases[name].Value()
	if d == nil {
		d = &database{cap: live.databaseCap(name)}
		s.databases[name] = weak.Make(d)
	}
	return d
}

// all returns the pools.
func (s *Set) all() (pools []*Pool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, e := range s.entries {
		if p := e.value(); p != nil {
			pools = append(pools, p)
		}
	}
	return pools
}

// sweep forgets pools: at once when no login ever succeeded, otherwise when
// there has been nothing in them for some time.
func (s *Set) sweep(now int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.entries[:0]
	for _, e := range s.entries {
		p := e.value()
		if p == nil {
			delete(s.index, e.key)
			continue
		}
		kept = append(kept, e)
		e.pool = p
		if p.forgettable(now) {
			e.pool = nil
		}
	}
	clear(s.entries[len(kept):])
	s.entries = kept
	for name, ref := range s.databases {
		if ref.Value() == nil {
			delete(s.databases, name)
		}
	}
}

// forgettable reports whether nobody would miss the pool.
func (p *Pool) forgettable(now int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.emptyLocked() {
		p.usage.emptySince = 0
		return false
	}
	if p.usage.emptySince == 0 {
		p.usage.emptySince = now
	}
	return !p.dialing.succeeded || now-p.usage.emptySince >= forgetAfter
}

// Run calls Tick every second until ctx ends.
func (s *Set) Run(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			s.Tick(s.options.Now())
		}
	}
}

// Close says goodbye to the idle backends, fails the waiters, and closes
// leased backends as they are released. It returns when all sockets are closed
// or ctx ends; in a simulated world it does not wait, as nothing would happen
// meanwhile.
func (s *Set) Close(ctx context.Context) {
	s.working.closing.Store(true)
	s.stop()
	for _, p := range s.all() {
		p.mu.Lock()
		for p.waiting.n > 0 {
			p.failLocked(p.waiting.pop(), ErrClosed)
		}
		for i := len(p.all) - 1; i >= 0; i-- {
			p.retireLocked(p.all[i], reasonShutdown)
		}
		p.unlock()
	}
	for _, l := range s.listeners() {
		l.post((*Listener).shut)
	}
	if !s.simulated {
		s.working.wait(ctx)
	}
}

// spawn runs what may block.
func (s *Set) spawn(f func()) {
	s.working.add()
	s.options.Go(f)
}

// working counts logins and sockets that are not closed yet.
type working struct {
	n       atomic.Int64
	closing atomic.Bool
	once    sync.Once
	idle    chan struct{} // closed when n is 0 and closing
}

func (w *working) add() { w.n.Add(1) }

func (w *working) done() {
	if w.n.Add(-1) == 0 && w.closing.Load() {
		w.once.Do(func() { close(w.idle) })
	}
}

func (w *working) wait(ctx context.Context) {
	if w.n.Load() == 0 {
		return
	}
	select {
	case <-w.idle:
	case <-ctx.Done():
	}
}
