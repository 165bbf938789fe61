package reactor

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// echo is a Handler that sends back what it gets and stops reading while the
// peer does not take it.
type echo struct {
	conn   *Conn
	closed chan error
}

func (e *echo) Data(p []byte)    { e.conn.Write(p) }
func (e *echo) Blocked()         { e.conn.Pause() }
func (e *echo) Drained()         { e.conn.Resume() }
func (e *echo) Closed(err error) { e.closed <- err }

// forBoth runs a test with both kinds of loops.
func forBoth(t *testing.T, f func(t *testing.T, g *Group)) {
	for _, portable := range []bool{false, true} {
		name := map[bool]string{false: "native", true: "portable"}[portable]
		t.Run(name, func(t *testing.T) {
			g, err := New(Config{Loops: 2, Portable: portable})
			if err != nil {
				t.Fatal(err)
			}
			defer g.Close()
			f(t, g)
		})
	}
}

// serveEcho listens and echoes; the errors that end the connections come on
// the channel.
func serveEcho(t *testing.T, g *Group) (addr string, closed chan error, stop func()) {
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

func TestEcho(t *testing.T) {
	forBoth(t, func(t *testing.T, g *Group) {
		addr, closed, stop := serveEcho(t, g)
		defer stop()
		for _, size := range []int{1, 100, 16 << 10, 64<<10 + 1, 8 << 20} {
			nc, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			sent := make([]byte, size)
			_, _ = rand.Read(sent)
			go func() {
				_, _ = nc.Write(sent)
				_ = nc.(*net.TCPConn).CloseWrite()
			}()
			got := make([]byte, size)
			_ = nc.SetDeadline(time.Now().Add(20 * time.Second))
			if _, err := io.ReadFull(nc, got); err != nil {
				t.Fatalf("%d bytes: %v", size, err)
			}
			if !bytes.Equal(got, sent) {
				t.Fatalf("%d bytes: not what was sent", size)
			}
			if err := <-closed; !errors.Is(err, io.EOF) {
				t.Fatalf("closed with %v", err)
			}
			nc.Close()
		}
	})
}
