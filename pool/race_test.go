package pool

import (
	"context"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/pgjay/pgjay/proxy/reactor"
)

// quietConn is a socket that answers pings only, for real loops.
type quietConn struct{ backend *Backend }

func (c *quietConn) Write(p []byte) {
	if string(p) == string(pingMessage) {
		l := c.backend.loop
		l.Post(reactor.Func(func() {
			if c.backend.Enter(l) {
				c.backend.Data([]byte("Z\x00\x00\x00\x05I"))
			}
		}))
	}
}
func (*quietConn) Flush()             {}
func (*quietConn) Pause()             {}
func (*quietConn) Resume()            {}
func (*quietConn) Close()             {}
func (*quietConn) Buffered() int      { return 0 }
func (*quietConn) Move(*reactor.Loop) {}

// quietDial logs everybody in at once.
func quietDial(context.Context, Target) (*Login, error) {
	return &Login{Socket: quietSocket{}, Cancel: func(context.Context) error { return nil }}, nil
}

// quietSocket is a quietConn before it is attached.
type quietSocket struct{}

func (quietSocket) Attach(_ *reactor.Loop, b *Backend) (Conn, error) { return &quietConn{b}, nil }
func (quietSocket) Close() error                                     { return nil }

// TestManyLoops has sessions on real loops compete for few backends. The race
// detector looks on; that a backend has one lessee is checked here.
func TestManyLoops(t *testing.T) {
	group, err := reactor.New(reactor.Config{Loops: 4})
	if err != nil {
		t.Fatal(err)
	}
	defer group.Close()
	config := DefaultConfig()
	config.Size, config.Overflow, config.PrePingAfter = 3, 1, 0 // a ping before each lease
	config.MaxDatabaseConnections = 6
	set := NewSet(Options{Loops: group.Loops(), Backend: DefaultBackendConfig(), Config: config, Dial: quietDial})
	var running sync.WaitGroup
	for i := range 24 {
		running.Add(1)
		r := &racer{
			t: t, pool: set.Pool(Key{"crm", string(rune('a' + i%2))}), loop: group.Loops()[i%4],
			left: 2000, done: running.Done,
		}
		r.waiter.Lessee, r.waiter.Loop = r, r.loop
		r.loop.Post(r)
	}
	finished := make(chan struct{})
	go func() { running.Wait(); close(finished) }()
	for working := true; working; {
		select {
		case <-finished:
			working = false
		default:
			set.Tick(set.options.Now())
			set.Stats()
			runtime.Gosched()
		}
	}
	set.Close(t.Context())
	if n := set.working.n.Load(); n != 0 {
		t.Errorf("%d at work after Close", n)
	}
}

// racer is a session that leases and releases again and again.
type racer struct {
	t      *testing.T
	pool   *Pool
	loop   *reactor.Loop
	waiter Waiter
	b      *Backend
	left   int
	done   func()
}

// owners has the racer that holds each backend.
var owners sync.Map // *Backend to *atomic.Pointer[racer]

func (r *racer) Run() {
	switch {
	case r.b != nil:
		r.end()
	case r.left == 0:
		r.done()
		return
	default:
		r.left--
		if b := r.pool.Lease(&r.waiter); b != nil {
			r.Leased(b)
			return
		}
		if r.left%7 == 0 && r.pool.Abandon(&r.waiter) {
			r.loop.Post(r)
		}
	}
}

func (r *racer) end() {
	b := r.b
	r.b = nil
	owner, _ := owners.Load(b)
	if !owner.(*atomic.Pointer[racer]).CompareAndSwap(r, nil) {
		r.t.Error("the backend has another lessee")
	}
	b.UnnamedOwner++
	switch r.left % 31 {
	case 0:
		b.Destroy("test")
	case 1:
		b.Closed(io.EOF)
	default:
		b.Release()
	}
	r.loop.Post(r)
}

func (r *racer) Leased(b *Backend) {
	owner, _ := owners.LoadOrStore(b, new(atomic.Pointer[racer]))
	if !owner.(*atomic.Pointer[racer]).CompareAndSwap(nil, r) {
		r.t.Error("the backend has a lessee already")
	}
	r.b = b
	if !b.Enter(r.loop) {
		r.t.Error("the lessee's loop is kept off")
	}
	r.loop.Post(r)
}

func (r *racer) LeaseFailed(err error) { r.t.Error(err); r.done() }
func (r *racer) BackendData([]byte)    {}
func (r *racer) BackendBlocked()       {}
func (r *racer) BackendDrained()       {}
func (r *racer) BackendClosed(error)   {}

// benchPool returns a pool with idle backends on two loops.
func benchPool(b *testing.B, change func(*Options)) (*world, *Pool, *session) {
	w := newWorld(b, 2, change)
	p := w.set.Pool(key)
	for i := range 2 {
		for _, s := range w.fill(p, i, 8) {
			s.b.conn = &quietConn{}
			s.release()
		}
	}
	return w, p, w.session(p, 0)
}

func BenchmarkLeaseRelease(b *testing.B) {
	_, p, s := benchPool(b, nil)
	b.ReportAllocs()
	for b.Loop() {
		p.Lease(&s.waiter).Release()
	}
}

func BenchmarkLeaseReleaseOtherLoop(b *testing.B) {
	w, p, s := benchPool(b, nil)
	label := NewLabel([]Setting{{Name: "search_path", Value: "x"}})
	p.idle[1].top.Label = label
	s.waiter.Label = label
	other := w.session(p, 1)
	other.waiter.Label = label
	b.ReportAllocs()
	for b.Loop() {
		p.Lease(&s.waiter).Release()
		p.Lease(&other.waiter).Release()
	}
}

func BenchmarkHandOff(b *testing.B) {
	w := newWorld(b, 1, limits(1, 0))
	p := w.set.Pool(key)
	s := w.fill(p, 0, 1)[0]
	s.b.conn = &quietConn{}
	s.release()
	other := w.session(p, 0)
	held := p.Lease(&s.waiter)
	w.loop = w.loops[0]
	b.ReportAllocs()
	for b.Loop() {
		p.Lease(&other.waiter)
		held.Release()
		w.loops[0].Step(0)
		held, other.b = other.b, nil
		s, other = other, s
	}
}
