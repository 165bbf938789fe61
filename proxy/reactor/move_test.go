package reactor

import (
	"crypto/tls"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// baton is a Handler that echoes, and a Gate: whoever has the baton may touch
// the Conn. It is free between events, and then another loop may take it.
type baton struct {
	conn  *Conn
	place atomic.Int32 // a loop's index; or that and free
	ended chan error
	moves atomic.Int32
}

// free says that the loop has the Conn but no event is under way.
const free = 1 << 8

func (b *baton) Enter(l *Loop) bool {
	has := int32(l.Index())
	if b.place.Load() == has {
		return true
	}
	if !b.place.CompareAndSwap(has|free, has) {
		return false
	}
	b.release(l)
	return true
}

// release frees the Conn after this event, or when it has nothing to write.
func (b *baton) release(l *Loop) {
	l.Post(Func(func() {
		if b.conn.is(stClosed) {
			return
		}
		if b.conn.Buffered() > 0 {
			b.release(l)
			return
		}
		b.place.Store(int32(l.Index()) | free)
	}))
}

// take moves the Conn to l if it is free.
func (b *baton) take(l *Loop) {
	at := b.place.Load()
	if at&free == 0 || at == int32(l.Index())|free || !b.place.CompareAndSwap(at, int32(l.Index())) {
		return
	}
	b.conn.Move(l)
	b.moves.Add(1)
	b.release(l)
}

func (b *baton) Data(p []byte) { b.conn.Write(p) }
func (b *baton) Blocked()      {}
func (b *baton) Drained()      {}
func (b *baton) Closed(err error) {
	b.ended <- err
}

// join attaches nc to l, which has the baton until the event is over.
func (b *baton) join(t *testing.T, l *Loop, nc net.Conn) {
	b.ended = make(chan error, 10)
	b.place.Store(int32(l.Index()))
	onLoop(l, func() {
		var err error
		if b.conn, err = l.Attach(nc, b); err != nil {
			t.Error(err)
		}
		b.release(l)
	})
}

// thief takes batons to its loop until it is told to stop.
type thief struct {
	loop   *Loop
	batons []*baton
	stop   *atomic.Bool
	done   *sync.WaitGroup
	turn   int
}

func (h *thief) Run() {
	if h.stop.Load() {
		h.done.Done()
		return
	}
	h.turn++
	h.batons[h.turn%len(h.batons)].take(h.loop)
	h.loop.Post(h)
}

// TestMoveUnderTraffic has all loops steal the sockets from each other while
// bytes go both ways.
func TestMoveUnderTraffic(t *testing.T) {
	t.Run("plain", func(t *testing.T) { moveUnderTraffic(t, false) })
	t.Run("TLS", func(t *testing.T) { moveUnderTraffic(t, true) })
}

func moveUnderTraffic(t *testing.T, encrypted bool) {
	const sockets = 4
	forBoth(t, func(t *testing.T, g *Group) {
		var batons []*baton
		var peers []net.Conn
		for i := range sockets {
			b := new(baton)
			peer, nc := pair(t, []string{"tcp", "unix"}[i%2])
			if encrypted {
				peer, nc = encrypt(t, peer, nc, tls.VersionTLS13)
			}
			b.join(t, g.Loops()[i%len(g.Loops())], nc)
			batons, peers = append(batons, b), append(peers, peer)
		}
		var stop atomic.Bool
		var thieves, traffic sync.WaitGroup
		for _, l := range g.Loops() {
			thieves.Add(1)
			l.Post(&thief{loop: l, batons: batons, stop: &stop, done: &thieves})
		}
		for _, peer := range peers {
			sent := randomBytes(128 << 10)
			traffic.Go(func() {
				for at := 0; at < len(sent); at += 1 << 10 {
					_, _ = peer.Write(sent[at : at+1<<10])
				}
			})
			traffic.Go(func() { expect(t, peer, sent) })
		}
		traffic.Wait()
		for i, peer := range peers {
			peer.Close()
			wait(t, batons[i].ended, "end")
			if batons[i].moves.Load() == 0 {
				t.Error("never moved")
			}
		}
		stop.Store(true)
		thieves.Wait()
		for _, l := range g.Loops() {
			if n := l.Load(); n != 0 {
				t.Errorf("loop %d: %d sockets", l.Index(), n)
			}
		}
	})
}

// TestMoveBlocked moves a socket that has more to say than the kernel takes.
func TestMoveBlocked(t *testing.T) {
	forBoth(t, func(t *testing.T, g *Group) {
		w, peer := watched(t, g, "tcp")
		sent := randomBytes(8 << 20)
		onLoop(g.Loops()[0], func() { w.conn.Write(sent) })
		wait(t, w.blocks, "Blocked")
		to := g.Loops()[1]
		handOver(g.Loops()[0], to, func() { w.conn.Move(to) })
		onLoop(to, func() { w.conn.Write(sent[:100]) })
		expect(t, peer, append(sent, sent[:100]...))
		wait(t, w.drains, "Drained")
		if w.conn.Loop() != to || to.Load() != 1 || g.Loops()[0].Load() != 0 {
			t.Error("not moved")
		}
		peer.Close()
		wait(t, w.ends, "end")
	})
}

// TestMovePaused moves a socket with unread input that is not watched.
func TestMovePaused(t *testing.T) {
	forBoth(t, func(t *testing.T, g *Group) {
		w, peer := watched(t, g, "tcp")
		got := make(chan string, 1)
		from, to := g.Loops()[0], g.Loops()[1]
		onLoop(from, func() {
			w.conn.Pause()
			w.onData = func(p []byte) { note(got, string(p)) }
		})
		_, _ = peer.Write([]byte("unread"))
		settleAll(t, from)
		handOver(from, to, func() { w.conn.Move(to) })
		settleAll(t, to)
		if len(got) > 0 {
			t.Fatal("read while paused")
		}
		onLoop(to, w.conn.Resume)
		if p := wait(t, got, "data"); p != "unread" {
			t.Errorf("%q", p)
		}
		peer.Close()
		wait(t, w.ends, "end")
	})
}

// handOver runs f on one loop while the other stands still, as a Gate would
// have it.
func handOver(from, to *Loop, f func()) {
	still, done := make(chan struct{}), make(chan struct{})
	from.Post(Func(func() { close(still); <-done }))
	<-still
	onLoop(to, f)
	close(done)
}
