package reactor

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// patience is how long a test waits for what must happen.
const patience = 10 * time.Second

// forBoth runs a test with both kinds of loops, and looks for what it leaves.
func forBoth(t *testing.T, f func(t *testing.T, g *Group)) {
	for _, portable := range []bool{false, true} {
		name := map[bool]string{false: "native", true: "portable"}[portable]
		t.Run(name, func(t *testing.T) {
			before := takeStock(t)
			g, err := New(Config{Loops: 3, Portable: portable})
			if err != nil {
				t.Fatal(err)
			}
			f(t, g)
			g.Close()
			before.compare(t)
		})
	}
}

// stock is what a test may not leave more of than there was.
type stock struct{ descriptors, goroutines int }

func takeStock(t *testing.T) stock {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		entries = nil // not on this system
	}
	return stock{len(entries), runtime.NumGoroutine()}
}

// compare waits for goroutines that have nothing more to do.
func (s stock) compare(t *testing.T) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		now := takeStock(t)
		if now.descriptors <= s.descriptors && now.goroutines <= s.goroutines {
			return
		}
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<16)
			t.Fatalf("%+v before, %+v after\n%s", s, now, stacks[:runtime.Stack(stacks, true)])
		}
		runtime.Gosched()
	}
}

// onLoop runs f on l and waits for the end of that event.
func onLoop(l *Loop, f func()) {
	done := make(chan struct{})
	l.Post(Func(f))
	l.Post(Func(func() { close(done) }))
	<-done
}

// wait receives from c.
func wait[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("no %s", what)
		panic("unreachable")
	}
}

// watcher is a Handler that counts its events and calls what it is given.
type watcher struct {
	conn      *Conn
	onData    func(p []byte)
	onBlocked func()
	onDrained func()
	stays     bool // behind the peer's end of file

	blocked, drained, half, ended atomic.Int32
	blocks, drains, halves        chan struct{}
	ends                          chan error
}

func newWatcher() *watcher {
	return &watcher{
		blocks: make(chan struct{}, 1), drains: make(chan struct{}, 1),
		halves: make(chan struct{}, 1), ends: make(chan error, 1),
	}
}

func (w *watcher) Data(p []byte) {
	if w.onData != nil {
		w.onData(p)
	}
}

func (w *watcher) Blocked() {
	w.blocked.Add(1)
	if w.onBlocked != nil {
		w.onBlocked()
	}
	note(w.blocks, struct{}{})
}

func (w *watcher) Drained() {
	w.drained.Add(1)
	if w.onDrained != nil {
		w.onDrained()
	}
	note(w.drains, struct{}{})
}

func (w *watcher) HalfClosed() {
	w.half.Add(1)
	note(w.halves, struct{}{})
}

func (w *watcher) Ended() bool {
	if w.stays {
		note(w.halves, struct{}{})
	}
	return w.stays
}

func (w *watcher) Closed(err error) {
	w.ended.Add(1)
	note(w.ends, err)
}

// note sends v unless nobody has received the last one.
func note[T any](c chan<- T, v T) {
	select {
	case c <- v:
	default:
	}
}

// pair returns two connected sockets.
func pair(t *testing.T, network string) (a, b net.Conn) {
	t.Helper()
	ln := listen(t, network)
	defer ln.Close()
	accepted := make(chan net.Conn, 1)
	go func() {
		nc, err := ln.Accept()
		if err != nil {
			t.Error(err)
		}
		accepted <- nc
	}()
	a, err := net.Dial(network, ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = a.SetDeadline(time.Now().Add(patience))
	return a, wait(t, accepted, "connection")
}

func listen(t *testing.T, network string) net.Listener {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		address = filepath.Join(t.TempDir(), "s")
	}
	ln, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

// join attaches nc to l.
func (w *watcher) join(t *testing.T, l *Loop, nc net.Conn) {
	t.Helper()
	onLoop(l, func() {
		var err error
		if w.conn, err = l.Attach(nc, w); err != nil {
			t.Error(err)
		}
	})
	if t.Failed() {
		t.FailNow()
	}
}

// watched returns a socket on the first loop and its peer.
func watched(t *testing.T, g *Group, network string) (*watcher, net.Conn) {
	t.Helper()
	w := newWatcher()
	peer, nc := pair(t, network)
	w.join(t, g.Loops()[0], nc)
	return w, peer
}

// serveEcho listens and echoes; the errors that end the connections come on
// the channel.
func serveEcho(t testing.TB, g *Group) (addr string, closed chan error, stop func()) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed = make(chan error, 100)
	ctx, cancel := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() {
		g.Serve(ctx, ln, func(l *Loop, nc net.Conn) {
			e := &echo{closed: closed}
			c, err := l.Attach(nc, e)
			if err != nil {
				t.Error(err)
				return
			}
			e.conn = c
		})
	})
	return ln.Addr().String(), closed, func() { cancel(); serving.Wait() }
}

// settleAll lets l handle what its sockets have to say by now: what came before
// is handled before a round trip of another socket.
func settleAll(t *testing.T, l *Loop) {
	t.Helper()
	e := &echo{closed: make(chan error, 1)}
	peer, nc := pair(t, "tcp")
	defer peer.Close()
	onLoop(l, func() { e.conn, _ = l.Attach(nc, e) })
	for range 3 {
		p := []byte{1}
		_, _ = peer.Write(p)
		if _, err := peer.Read(p); err != nil {
			t.Fatal(err)
		}
	}
	onLoop(l, e.conn.Close)
}
