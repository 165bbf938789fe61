package reactor

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
)

// reset closes nc with an RST.
func reset(nc net.Conn) {
	_ = nc.(*net.TCPConn).SetLinger(0)
	nc.Close()
}

// TestEnds ends connections in every way: the handler hears of it once if it
// was the peer's doing, and never if it was its own.
func TestEnds(t *testing.T) {
	tests := []struct {
		name string
		end  func(w *watcher, peer net.Conn)
		want int32
		eof  bool
	}{
		{"EOF", func(_ *watcher, peer net.Conn) { peer.Close() }, 1, true},
		{"RST", func(_ *watcher, peer net.Conn) { reset(peer) }, 1, false},
		{"RST while paused", func(w *watcher, peer net.Conn) {
			onLoop(w.conn.Loop(), w.conn.Pause)
			reset(peer)
		}, 1, false},
		{"Close", func(w *watcher, _ net.Conn) { onLoop(w.conn.Loop(), w.conn.Close) }, 0, false},
		{"Close twice", func(w *watcher, _ net.Conn) {
			onLoop(w.conn.Loop(), func() { w.conn.Close(); w.conn.Close(); w.conn.CloseAfterFlush() })
		}, 0, false},
		{"CloseAfterFlush", func(w *watcher, peer net.Conn) {
			onLoop(w.conn.Loop(), func() { w.conn.Write([]byte("bye")); w.conn.CloseAfterFlush() })
		}, 0, false},
		{"CloseAfterFlush and Close", func(w *watcher, _ net.Conn) {
			onLoop(w.conn.Loop(), func() { w.conn.Write([]byte("bye")); w.conn.CloseAfterFlush(); w.conn.Close() })
		}, 0, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var w *watcher
			forBoth(t, func(t *testing.T, g *Group) {
				var peer net.Conn
				w, peer = watched(t, g, "tcp")
				test.end(w, peer)
				if test.want > 0 {
					if err := wait(t, w.ends, "end"); errors.Is(err, io.EOF) != test.eof {
						t.Error(err)
					}
				}
				onLoop(g.Loops()[0], func() { w.conn.Write([]byte("after the end")) })
				peer.Close()
				settleAll(t, g.Loops()[0])
				if n := w.ended.Load(); n != test.want {
					t.Errorf("%d times closed", n)
				}
			})
		})
	}
}

// TestShutdown closes a group with sockets in every state.
func TestShutdown(t *testing.T) {
	var ws []*watcher
	forBoth(t, func(t *testing.T, g *Group) {
		for i := range 20 {
			w, peer := watched(t, g, []string{"tcp", "unix"}[i%2])
			t.Cleanup(func() { peer.Close() })
			onLoop(g.Loops()[0], func() {
				if i&2 != 0 {
					w.conn.Pause()
				}
				if i&4 != 0 {
					w.conn.Write(make([]byte, 8<<20))
				}
				if i&8 != 0 {
					w.conn.CloseAfterFlush()
				}
			})
			ws = append(ws, w)
			peer.Close()
		}
	})
	for i, w := range ws {
		if n := w.ended.Load(); n > 1 {
			t.Errorf("%d: %d times closed", i, n)
		}
	}
}

// TestShutdownIsSilent leaves it to the handlers to know that the group closes.
func TestShutdownIsSilent(t *testing.T) {
	for _, portable := range []bool{false, true} {
		g, err := New(Config{Loops: 2, Portable: portable})
		if err != nil {
			t.Fatal(err)
		}
		w, peer := watched(t, g, "tcp")
		onLoop(g.Loops()[0], func() { w.conn.Write([]byte("last")) })
		g.Close()
		if w.ended.Load() != 0 || w.half.Load() != 0 {
			t.Error("an event")
		}
		expect(t, peer, []byte("last"))
		if _, err := peer.Read(make([]byte, 1)); err != io.EOF {
			t.Error(err)
		}
		peer.Close()
	}
}

// TestResetWhileBlocked breaks a connection that is neither read nor writable.
func TestResetWhileBlocked(t *testing.T) {
	forBoth(t, func(t *testing.T, g *Group) {
		w, peer := watched(t, g, "tcp")
		onLoop(g.Loops()[0], func() {
			w.onDrained = func() { w.conn.Resume() }
			w.conn.Pause()
			w.conn.Write(make([]byte, 16<<20))
		})
		wait(t, w.blocks, "Blocked")
		_, _ = peer.Write([]byte("unread"))
		reset(peer)
		wait(t, w.ends, "end")
		settleAll(t, g.Loops()[0])
		if w.blocked.Load() != 1 || w.drained.Load() > 1 || w.ended.Load() != 1 {
			t.Errorf("%d times blocked, %d drained, %d closed", w.blocked.Load(), w.drained.Load(), w.ended.Load())
		}
	})
}

// TestHalfClosed has the peer send its end of file while nobody reads.
func TestHalfClosed(t *testing.T) {
	closeWrite := func(nc net.Conn) { _ = nc.(interface{ CloseWrite() error }).CloseWrite() }
	tests := []struct {
		name, network string
		end           func(net.Conn)
	}{
		{"CloseWrite", "tcp", closeWrite},
		{"CloseWrite", "unix", closeWrite},
		{"Close", "tcp", func(nc net.Conn) { nc.Close() }},
		{"Close", "unix", func(nc net.Conn) { nc.Close() }},
	}
	for _, test := range tests {
		t.Run(test.name+" "+test.network, func(t *testing.T) {
			forBoth(t, func(t *testing.T, g *Group) {
				w, peer := watched(t, g, test.network)
				defer peer.Close()
				l := g.Loops()[0]
				onLoop(l, w.conn.Pause)
				test.end(peer)
				wait(t, w.halves, "HalfClosed")
				settleAll(t, l)
				for range 2 {
					onLoop(l, func() { w.conn.Resume(); w.conn.Pause() })
					settleAll(t, l)
				}
				if w.half.Load() != 1 || w.ended.Load() != 0 {
					t.Fatalf("%d times half-closed, %d closed", w.half.Load(), w.ended.Load())
				}
				if test.name == "CloseWrite" {
					onLoop(l, func() { w.conn.Write([]byte("still here")) })
					expect(t, peer, []byte("still here"))
				}
				onLoop(l, w.conn.Resume)
				if err := wait(t, w.ends, "end"); err != io.EOF {
					t.Error(err)
				}
				settleAll(t, l)
				if w.half.Load() != 1 || w.ended.Load() != 1 {
					t.Errorf("%d times half-closed, %d closed", w.half.Load(), w.ended.Load())
				}
			})
		})
	}
}

// TestCloseAfterFlush closes a connection whose peer sends what nobody will
// read, which would make the kernel throw away what it has not delivered.
func TestCloseAfterFlush(t *testing.T) {
	tests := []struct {
		name  string
		size  int
		later bool // the kernel has taken all before
	}{
		{"blocked", 8 << 20, false},
		{"taken by the kernel", 40 << 10, true},
		{"nothing", 0, false},
		{"little", 10, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			forBoth(t, func(t *testing.T, g *Group) {
				w, peer := watched(t, g, "tcp")
				if test.later {
					_ = peer.(*net.TCPConn).SetReadBuffer(8 << 10)
				}
				sent, l := randomBytes(test.size), g.Loops()[0]
				onLoop(l, func() {
					w.conn.Pause()
					w.conn.Write(sent)
				})
				if test.size > 0 {
					_, _ = peer.Write(randomBytes(10 << 10))
				}
				if test.later {
					settleAll(t, l)
				}
				onLoop(l, func() {
					if test.later && w.conn.Buffered() > 0 {
						t.Error("the kernel has not taken it")
					}
					w.conn.CloseAfterFlush()
				})
				expect(t, peer, sent)
				if n, err := peer.Read(make([]byte, 1)); n != 0 || err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
					t.Error(n, err)
				}
				peer.Close()
				lingering(t, l)
				if w.ended.Load() != 0 {
					t.Error("closed")
				}
			})
		})
	}
}

// TestLingerEnds has a peer that never closes.
func TestLingerEnds(t *testing.T) {
	forBoth(t, func(t *testing.T, g *Group) {
		w, peer := watched(t, g, "tcp")
		defer peer.Close()
		l := g.Loops()[0]
		onLoop(l, func() { w.conn.Write([]byte("bye")); w.conn.CloseAfterFlush() })
		expect(t, peer, []byte("bye"))
		if _, err := peer.Read(make([]byte, 1)); err != io.EOF {
			t.Error(err)
		}
		onLoop(l, func() {
			if l.Load() != 1 || len(l.timers) != 1 {
				t.Errorf("%d sockets, %d timers", l.Load(), len(l.timers))
			}
			l.Stop(&w.conn.linger)
			w.conn.linger.Task.Run()
			if l.Load() != 0 {
				t.Error("not closed")
			}
		})
	})
}

// TestResetUnread breaks a connection that is not watched because it is paused
// and has unread input. Only epoll sees that.
func TestResetUnread(t *testing.T) {
	forBoth(t, func(t *testing.T, g *Group) {
		w, peer := watched(t, g, "tcp")
		l := g.Loops()[0]
		onLoop(l, w.conn.Pause)
		_, _ = peer.Write([]byte("unread"))
		settleAll(t, l)
		reset(peer)
		if g.portable {
			onLoop(l, w.conn.Resume)
		}
		if err := wait(t, w.ends, "end"); errors.Is(err, io.EOF) {
			t.Error(err)
		}
		settleAll(t, l)
		if w.ended.Load() != 1 {
			t.Error("closed twice")
		}
	})
}
