package reactor

import (
	"context"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"
)

// plainListener is a listener without a descriptor.
type plainListener struct{ net.Listener }

// TestServe accepts on every kind of listener until the context ends.
func TestServe(t *testing.T) {
	for _, network := range []string{"tcp", "unix", "no descriptor"} {
		t.Run(network, func(t *testing.T) {
			forBoth(t, func(t *testing.T, g *Group) {
				var ln net.Listener
				if ln = listen(t, "tcp"); network == "unix" {
					ln.Close()
					ln = listen(t, "unix")
				} else if network != "tcp" {
					ln = plainListener{ln}
				}
				serveAndStop(t, g, ln)
			})
		})
	}
}

func serveAndStop(t *testing.T, g *Group, ln net.Listener) {
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan struct{})
	go func() {
		defer close(served)
		g.Serve(ctx, ln, func(l *Loop, nc net.Conn) {
			e := &echo{closed: make(chan error, 1)}
			if nc.RemoteAddr() == nil {
				t.Error("no address")
			}
			e.conn, _ = l.Attach(nc, e)
			if ln.Addr().Network() == "tcp" && e.conn.LocalAddr().String() != ln.Addr().String() {
				t.Error(e.conn.LocalAddr(), e.conn.RemoteAddr())
			}
		})
	}()
	address := ln.Addr()
	var dialing sync.WaitGroup
	for range 10 {
		dialing.Go(func() {
			nc, err := net.Dial(address.Network(), address.String())
			if err != nil {
				t.Error(err)
				return
			}
			defer nc.Close()
			_ = nc.SetDeadline(time.Now().Add(patience))
			_, _ = nc.Write([]byte("hello"))
			expect(t, nc, []byte("hello"))
		})
	}
	dialing.Wait()
	cancel()
	wait(t, served, "end of Serve")
	if nc, err := net.Dial(address.Network(), address.String()); err == nil {
		t.Error("still listening")
		nc.Close()
	}
	if address.Network() == "unix" {
		if _, err := os.Stat(address.String()); !os.IsNotExist(err) {
			t.Error("the socket's file is still there")
		}
	}
}

// TestServeClosed serves a listener that was closed before.
func TestServeClosed(t *testing.T) {
	forBoth(t, func(t *testing.T, g *Group) {
		ln := listen(t, "tcp")
		ln.Close()
		g.Serve(context.Background(), ln, func(*Loop, net.Conn) { t.Error("accepted") })
	})
}

// TestDetach gives a socket back with what was read, what was not, and what was
// written.
func TestDetach(t *testing.T) {
	forBoth(t, func(t *testing.T, g *Group) {
		for _, network := range []string{"tcp", "unix"} {
			w, peer := watched(t, g, network)
			l := g.Loops()[0]
			got := make(chan struct{}, 1)
			onLoop(l, func() {
				w.onData = func([]byte) { w.conn.Pause(); note(got, struct{}{}) }
			})
			_, _ = peer.Write([]byte("read"))
			wait(t, got, "data")
			_, _ = peer.Write([]byte(" and unread"))
			settleAll(t, l)
			var stream *Stream
			onLoop(l, func() {
				w.conn.Write([]byte("written"))
				stream = w.conn.Detach([]byte("read"))
			})
			_ = stream.SetDeadline(time.Now().Add(patience))
			_, _ = stream.Write([]byte(" and more"))
			expect(t, peer, []byte("written and more"))
			peer.Close()
			expect(t, stream, []byte("read and unread"))
			if _, err := stream.Read(make([]byte, 1)); err != io.EOF {
				t.Error(err)
			}
			stream.Close()
			if l.Load() != 0 || w.ended.Load() != 0 {
				t.Errorf("%d sockets, %d times closed", l.Load(), w.ended.Load())
			}
		}
	})
}

// TestAttachAgain puts a detached socket back.
func TestAttachAgain(t *testing.T) {
	forBoth(t, func(t *testing.T, g *Group) {
		w, peer := watched(t, g, "tcp")
		for _, l := range g.Loops() {
			var stream *Stream
			onLoop(w.conn.Loop(), func() { stream = w.conn.Detach(nil) })
			w = echoing(t, l, stream)
			_, _ = peer.Write([]byte("hello"))
			expect(t, peer, []byte("hello"))
		}
		peer.Close()
		wait(t, w.ends, "end")
	})
}
