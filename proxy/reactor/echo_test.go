package reactor

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"runtime"
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

func TestEcho(t *testing.T) {
	forBoth(t, func(t *testing.T, g *Group) {
		addr, closed, stop := serveEcho(t, g)
		defer stop()
		for _, size := range []int{1, 100, 16 << 10, 64<<10 + 1, 4 << 20} {
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

// roundTrips returns a function that sends 100 bytes to an echo and gets them
// back.
func roundTrips(tb testing.TB, g *Group) (trip func(), stop func()) {
	addr, _, stopServing := serveEcho(tb, g)
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		tb.Fatal(err)
	}
	p := make([]byte, 100)
	trip = func() {
		if _, err := nc.Write(p); err != nil {
			tb.Fatal(err)
		}
		if _, err := io.ReadFull(nc, p); err != nil {
			tb.Fatal(err)
		}
	}
	return trip, func() { nc.Close(); stopServing() }
}

func TestEchoAllocatesNothing(t *testing.T) {
	forBoth(t, func(t *testing.T, g *Group) {
		trip, stop := roundTrips(t, g)
		defer stop()
		if n := allocsPerRun(1000, trip); n != 0 {
			t.Errorf("%v allocations per round trip", n)
		}
	})
}

// allocsPerRun is testing.AllocsPerRun without its GOMAXPROCS(1): a loop that
// has just been busy sleeps on its processor.
func allocsPerRun(runs uint64, f func()) uint64 {
	f()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		f()
	}
	runtime.ReadMemStats(&after)
	return (after.Mallocs - before.Mallocs) / runs
}

func BenchmarkEcho(b *testing.B) {
	for _, portable := range []bool{false, true} {
		b.Run(map[bool]string{false: "native", true: "portable"}[portable], func(b *testing.B) {
			g, err := New(Config{Loops: 1, Portable: portable})
			if err != nil {
				b.Fatal(err)
			}
			defer g.Close()
			trip, stop := roundTrips(b, g)
			defer stop()
			trip()
			b.ReportAllocs()
			for b.Loop() {
				trip()
			}
		})
	}
}
