package pool

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/proxy/reactor"
	"github.com/pgjay/pgjay/proxy/wire"
)

// world is a set on manual loops with servers that are made up. Everything in
// it runs on the test's goroutine; nothing runs before run.
type world struct {
	t     testing.TB
	now   int64
	loops []*reactor.Loop
	set   *Set
	work  []func() // what Options.Go was given
	// serve is the server: nil logs everybody in.
	serve func(Target) error
	// hold keeps logins under way while set.
	hold   bool
	conns  []*fakeConn
	closed []string // reasons
	dials  int
	pids   uint32
	rand   func() float64
	loop   *reactor.Loop // that runs a task or an event
	attach error         // what attaching a socket says
	board  *board        // what listening backends talk to; nil: there are none
}

func newWorld(t testing.TB, loops int, change func(*Options)) *world {
	w := &world{t: t, rand: func() float64 { return 0 }}
	for i := range loops {
		w.loops = append(w.loops, reactor.NewManual(i))
	}
	o := Options{
		Loops: w.loops, Backend: DefaultBackendConfig(), Config: DefaultConfig(),
		Dial: w.dial,
		Go:   func(f func()) { w.work = append(w.work, f) },
		Now:  func() int64 { return w.now },
		Rand: func() float64 { return w.rand() },
		Hooks: Hooks{
			Closed: func(_ Key, reason string) { w.closed = append(w.closed, reason) },
		},
	}
	o.Config.OverflowAfter = 0 // time passes only where a test says so
	if change != nil {
		change(&o)
	}
	w.set = NewSet(o)
	return w
}

func (w *world) dial(_ context.Context, t Target) (*Login, error) {
	w.dials++
	if w.serve != nil {
		if err := w.serve(t); err != nil {
			return nil, err
		}
	}
	w.pids++
	c := &fakeConn{world: w, pid: w.pids, target: t}
	w.conns = append(w.conns, c)
	return &Login{
		PID: w.pids, Server: "fake:1", Params: NewParams(map[string]string{"server_version": "15"}),
		Socket: fakeSocket{c},
		Cancel: func(context.Context) error { c.canceled++; return nil },
	}, nil
}

// run runs everything that can run, without time passing.
func (w *world) run() {
	for ran := true; ran; {
		ran = false
		for len(w.work) > 0 && !w.hold {
			f := w.work[0]
			w.work = w.work[1:]
			f()
			ran = true
		}
		for _, l := range w.loops {
			w.loop = l
			ran = l.Step(w.now) || ran
			w.loop = nil
		}
	}
}

// pass lets time pass, with a tick every second.
func (w *world) pass(d time.Duration) {
	for end := w.now + int64(d); w.now < end; {
		w.now = min(end, (w.now/int64(time.Second)+1)*int64(time.Second))
		if w.now%int64(time.Second) == 0 {
			w.set.Tick(w.now)
		}
		w.run()
	}
}

// on does something as a loop.
func (w *world) on(l *reactor.Loop, f func()) {
	before := w.loop
	w.loop = l
	f()
	w.loop = before
}

func (w *world) session(p *Pool, loop int) *session {
	s := &session{world: w, pool: p, loop: w.loops[loop]}
	s.waiter.Lessee, s.waiter.Loop = s, s.loop
	return s
}

// stat returns the snapshot of a pool.
func (w *world) stat(p *Pool) Stat {
	w.t.Helper()
	for _, st := range w.set.Stats() {
		if st.Key == p.Key() {
			return st
		}
	}
	w.t.Fatalf("no statistics of %v", p.Key())
	return Stat{}
}

// fakeConn is a socket that checks who uses it.
type fakeConn struct {
	world    *world
	pid      uint32
	target   Target
	loop     *reactor.Loop
	backend  *Backend
	closed   bool
	moves    int
	out      []byte
	canceled int
	mute     bool // does not answer pings
}

// fakeSocket is a fakeConn before it is attached.
type fakeSocket struct{ *fakeConn }

func (s fakeSocket) Attach(l *reactor.Loop, b *Backend) (Conn, error) {
	s.loop, s.backend = l, b
	return s.fakeConn, s.world.attach
}

func (s fakeSocket) Close() error {
	s.closed = true
	return nil
}

func (c *fakeConn) check() {
	if c.world.loop != c.loop {
		c.world.t.Errorf("socket of backend %d is used by another loop", c.pid)
	}
}

func (c *fakeConn) Write(p []byte) {
	c.check()
	c.out = append(c.out, p...)
	if c.world.board != nil && c.world.board.hear(c, p) {
		return
	}
	if string(p) == string(pingMessage) && !c.mute {
		c.later(func() {
			c.data(wire.AppendReadyForQuery(nil, wire.StatusIdle))
		})
	}
}
func (c *fakeConn) Flush()        { c.check() }
func (c *fakeConn) Pause()        { c.check() }
func (c *fakeConn) Resume()       { c.check() }
func (c *fakeConn) Buffered() int { return 0 }
func (c *fakeConn) Close()        { c.check(); c.closed = true }
func (c *fakeConn) Move(to *reactor.Loop) {
	c.loop, c.moves = to, c.moves+1
	c.check()
}

// later runs f on the socket's loop, wherever that is then.
func (c *fakeConn) later(f func()) { c.loop.Post(reactor.Func(f)) }

// event is an event of the socket. It reports whether the backend let it in.
func (c *fakeConn) event(f func()) bool {
	if c.closed || !c.backend.Enter(c.loop) {
		return false
	}
	c.world.on(c.loop, f)
	return true
}

func (c *fakeConn) data(p []byte) bool { return c.event(func() { c.backend.Data(p) }) }

func (c *fakeConn) fail(err error) bool {
	return c.event(func() { c.closed = true; c.backend.Closed(err) })
}

// session is a lessee that keeps what it gets.
type session struct {
	world  *world
	pool   *Pool
	loop   *reactor.Loop
	waiter Waiter
	b      *Backend
	err    error
	lost   error
	data   []byte
	order  *[]*session // the order in which sessions get a backend
	calls  int
	got    func(*Backend)
}

func (s *session) lease() *Backend {
	s.err = nil
	s.world.on(s.loop, func() {
		if b := s.pool.Lease(&s.waiter); b != nil {
			s.hold(b)
		}
	})
	return s.b
}

func (s *session) hold(b *Backend) {
	if s.b != nil {
		s.world.t.Error("a session got two backends")
	}
	s.b = b
	if s.order != nil {
		*s.order = append(*s.order, s)
	}
}

func (s *session) release() {
	s.world.on(s.loop, func() {
		b := s.b
		s.b = nil
		b.Release()
	})
}

func (s *session) destroy() {
	s.world.on(s.loop, func() {
		b := s.b
		s.b = nil
		b.Destroy("test")
	})
}

func (s *session) abandon() (ok bool) {
	s.world.on(s.loop, func() { ok = s.pool.Abandon(&s.waiter) })
	return ok
}

func (s *session) Leased(b *Backend) {
	if s.world.loop != s.loop {
		s.world.t.Error("Leased on the wrong loop")
	}
	s.calls++
	s.hold(b)
	if s.got != nil {
		s.got(b)
	}
}

func (s *session) LeaseFailed(err error) {
	if s.world.loop != s.loop {
		s.world.t.Error("LeaseFailed on the wrong loop")
	}
	s.calls++
	s.err = err
}
func (s *session) BackendData(p []byte)    { s.data = append(s.data, p...) }
func (s *session) BackendBlocked()         { s.data = append(s.data, "<blocked>"...) }
func (s *session) BackendDrained()         { s.data = append(s.data, "<drained>"...) }
func (s *session) BackendClosed(err error) { s.b, s.lost = nil, err }

// serverError is an error as pgconn returns it.
func serverError(code string) error {
	return fmt.Errorf("failed to connect: %w", &pgconn.PgError{Severity: "FATAL", Code: code, Message: "no"})
}

var errRefused = errors.New("connection refused")

// idlePIDs returns the idle backends of a loop, the next to be leased first.
func (p *Pool) idlePIDs(loop int) (pids []uint32) {
	for b := p.idle[loop].top; b != nil; b = b.next {
		pids = append(pids, b.PID)
	}
	return pids
}

// check compares the counts with the lists.
func (p *Pool) check(t testing.TB) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	var count [states]int
	for i, b := range p.all {
		count[b.state()]++
		if b.index != i {
			t.Errorf("backend %d: index %d instead of %d", b.PID, b.index, i)
		}
	}
	if count != p.count {
		t.Errorf("counts %v, but the states are %v", p.count, count)
	}
	idle := 0
	for i, s := range p.idle {
		since := int64(1) << 62
		for b := s.top; b != nil; b = b.next {
			idle++
			if b.state() != stateIdle || b.loop.Index() != i || b.since > since {
				t.Errorf("backend %d is wrong in the idle stack of loop %d", b.PID, i)
			}
			since = b.since
		}
	}
	queue := 0
	for w := p.waiting.first; w != nil; w = w.next {
		queue++
		if w.state != waitQueued || w.next == nil && p.waiting.last != w {
			t.Error("the wait queue is broken")
		}
	}
	for _, b := range p.all {
		for i, r := range b.residents {
			if r.home != b || r.at != i {
				t.Errorf("resident %d of backend %d is not at home", i, b.PID)
			}
		}
		if b.reserved != nil && (b.state() != stateChecking || b.reserved.state != waitReserved) {
			t.Errorf("backend %d is reserved in state %d", b.PID, b.state())
		}
	}
	if len(p.homes.seeking) > p.dialing.underway && p.dialing.underway < p.atOnceLocked() {
		t.Errorf("%d look for a home, %d logins are under way", len(p.homes.seeking), p.dialing.underway)
	}
	if idle != count[stateIdle] || queue != p.waiting.n || !p.later.empty() {
		t.Errorf("idle %d/%d, waiting %d/%d, later %+v", idle, count[stateIdle], queue, p.waiting.n, p.later)
	}
	if p.dialing.underway < 0 || p.dialing.pings < 0 || p.special < p.listening || p.listening < 0 {
		t.Errorf("impossible counts: %+v, special %d, listening %d", p.dialing, p.special, p.listening)
	}
	p.base.mu.Lock()
	held := p.account.held
	p.base.mu.Unlock()
	if held != p.liveLocked()+p.special {
		t.Errorf("%d places of the database for %d backends", held, p.liveLocked()+p.special)
	}
}

// pids returns the PIDs of the connections that are open.
func (w *world) open() (pids []uint32) {
	for _, c := range w.conns {
		if !c.closed {
			pids = append(pids, c.pid)
		}
	}
	slices.Sort(pids)
	return pids
}
