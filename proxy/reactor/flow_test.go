package reactor

import (
	"bytes"
	"crypto/rand"
	"io"
	"net"
	"sync/atomic"
	"testing"
)

func randomBytes(n int) []byte {
	p := make([]byte, n)
	_, _ = rand.Read(p)
	return p
}

// expect reads what there should be.
func expect(t *testing.T, r io.Reader, want []byte) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(r, got); err != nil {
		t.Fatalf("%v after %d of %d bytes", err, n, len(want))
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("%d bytes: not what was sent", len(want))
	}
}

// TestPause pauses in the first event: nothing comes until Resume.
func TestPause(t *testing.T) {
	forBoth(t, func(t *testing.T, g *Group) {
		for _, network := range []string{"tcp", "unix"} {
			w, peer := watched(t, g, network)
			got := make(chan string, 100)
			l := g.Loops()[0]
			onLoop(l, func() {
				w.onData = func(p []byte) {
					got <- string(p)
					w.conn.Pause()
				}
			})
			for _, s := range []string{"one", "two", "three"} {
				_, _ = peer.Write([]byte(s))
				if p := wait(t, got, "data"); p != s {
					t.Fatalf("%q", p)
				}
				_, _ = peer.Write([]byte("+" + s))
				settleAll(t, l)
				if len(got) > 0 {
					t.Fatalf("%q while paused", <-got)
				}
				onLoop(l, func() { w.conn.Resume() })
				if p := wait(t, got, "data after Resume"); p != "+"+s {
					t.Fatalf("%q", p)
				}
				onLoop(l, func() { w.conn.Resume(); w.conn.Pause(); w.conn.Resume() })
			}
			peer.Close()
			wait(t, w.ends, "end")
		}
	})
}

// TestBlocked writes what the peer does not take: one Blocked, and one Drained
// when it has taken all, also of what was written meanwhile.
func TestBlocked(t *testing.T) {
	forBoth(t, func(t *testing.T, g *Group) {
		for _, network := range []string{"tcp", "unix"} {
			w, peer := watched(t, g, network)
			sent, l := randomBytes(6<<20), g.Loops()[0]
			onLoop(l, func() { w.conn.Write(sent[:5<<20]) })
			wait(t, w.blocks, "Blocked")
			for at := 5 << 20; at < len(sent); at += 1 << 20 {
				onLoop(l, func() {
					w.conn.Write(sent[at : at+1<<20])
					w.conn.Flush()
				})
			}
			if n := w.drained.Load(); n != 0 {
				t.Errorf("%d times drained", n)
			}
			expect(t, peer, sent)
			wait(t, w.drains, "Drained")
			onLoop(l, func() {
				if w.conn.Buffered() != 0 || w.blocked.Load() != 1 || w.drained.Load() != 1 {
					t.Errorf("%d bytes buffered, %d times blocked, %d drained", w.conn.Buffered(), w.blocked.Load(), w.drained.Load())
				}
				w.conn.Write(sent[:10])
			})
			expect(t, peer, sent[:10])
			peer.Close()
			wait(t, w.ends, "end")
		}
	})
}

// TestBackPressure echoes to a peer that does not read: the echo stops reading,
// so what it holds is bounded.
func TestBackPressure(t *testing.T) {
	forBoth(t, func(t *testing.T, g *Group) {
		w, peer := watched(t, g, "tcp")
		var most atomic.Int64
		onLoop(g.Loops()[0], func() {
			w.onData = func(p []byte) {
				w.conn.Write(p)
				most.Store(max(most.Load(), int64(w.conn.Buffered())))
			}
			w.onBlocked = func() { w.conn.Pause() }
			w.onDrained = func() { w.conn.Resume() }
		})
		sent := randomBytes(8 << 20)
		go func() {
			_, _ = peer.Write(sent)
			_ = peer.(*net.TCPConn).CloseWrite()
		}()
		wait(t, w.blocks, "Blocked")
		expect(t, peer, sent)
		if err := wait(t, w.ends, "end"); err != io.EOF {
			t.Error(err)
		}
		if n := most.Load(); n > scratchSize+BufferSize {
			t.Errorf("%d bytes buffered", n)
		}
		peer.Close()
	})
}

// TestFlush sends before the event is over.
func TestFlush(t *testing.T) {
	forBoth(t, func(t *testing.T, g *Group) {
		w, peer := watched(t, g, "tcp")
		g.Loops()[0].Post(Func(func() {
			w.conn.Write([]byte("now"))
			w.conn.Flush()
			if w.conn.Buffered() != 0 {
				t.Error("still buffered")
			}
			expect(t, peer, []byte("now"))
		}))
		onLoop(g.Loops()[0], func() { w.conn.Close() })
		peer.Close()
	})
}
