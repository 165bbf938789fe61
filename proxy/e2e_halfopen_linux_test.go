package proxy_test

import (
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// vanish ends a connection so that its peer learns nothing of it before it
// sends something, as when a machine loses its power. It reports whether the
// connection was open.
func vanish(t testing.TB, nc net.Conn) bool {
	t.Helper()
	raw, err := nc.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "both sides have acknowledged everything", func() (quiet bool) {
		err = raw.Control(func(fd uintptr) { quiet = acknowledged(t, int(fd)) })
		return quiet || err != nil
	})
	if err != nil {
		return false
	}
	var refused error
	err = raw.Control(func(fd uintptr) {
		refused = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_REPAIR, 1)
	})
	if errors.Is(refused, unix.EPERM) {
		t.Skip("only root can leave a socket half open")
	}
	if refused != nil {
		t.Fatal(refused)
	}
	return err == nil && nc.Close() == nil
}

// acknowledged acknowledges what a socket has received, and reports whether the
// peer has done the same. Otherwise that would come later, and find nobody.
func acknowledged(t testing.TB, fd int) bool {
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1); err != nil {
		t.Fatal(err)
	}
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		t.Fatal(err)
	}
	return info.Unacked == 0
}

// What a half-open client has left is rolled back when its reply finds nobody,
// and its backend is used again.
func TestHalfOpenClient(t *testing.T) {
	backend := plain(t)
	admin := observer(t, backend)
	p := startProxy(t, backend, onlyOne)
	pid := onlyBackend(t, p)
	for name, query := range map[string]string{
		"a short reply": "select pg_advisory_xact_lock(816) is null",
		"many rows":     "select pg_advisory_xact_lock(816), repeat('x', 1000) from generate_series(1, 100000)",
	} {
		if err := admin.Exec("select pg_advisory_lock(816)"); err != nil {
			t.Fatal(err)
		}
		c := client(t, p.addr)
		if _, err := c.Query("begin; create temp table mine (id int)"); err != nil {
			t.Fatal(err)
		}
		if err := c.Send(pgtest.Query(query)); err != nil {
			t.Fatal(err)
		}
		if err := admin.Await("select count(*) = 1 from pg_locks where locktype = 'advisory' and objid = 816 and not granted"); err != nil {
			t.Fatal(err)
		}
		vanish(t, c.Net)
		if err := admin.Exec("select pg_advisory_unlock(816)"); err != nil {
			t.Fatal(err)
		}
		inherits(t, p, name, pid)
	}
}

// A half-open client that nothing is sent to is found by a timeout.
func TestHalfOpenClientInTransaction(t *testing.T) {
	p := startProxy(t, plain(t), func(c *proxy.Config) { onlyOne(c); c.Timeouts.IdleInTransaction = 50 * time.Millisecond })
	c := client(t, p.addr)
	if _, err := c.Query("begin; create temp table mine (id int)"); err != nil {
		t.Fatal(err)
	}
	vanish(t, c.Net)
	if got := value(t, client(t, p.addr), "select to_regclass('pg_temp.mine') is null"); got != "t" {
		t.Error("the next client sees a temporary table")
	}
	eventually(t, "one client is left", func() bool { return p.server.Pools().Stats()[0].Active == 0 })
}

// A half-open client that nothing is sent to is found by keep-alive.
func TestKeepAliveOfClients(t *testing.T) {
	for name, newServer := range map[string]serverMaker{"native": proxy.NewServer, "portable": proxy.NewPortableServer} {
		t.Run(name, func(t *testing.T) {
			p := startServer(t, plain(t), newServer, func(c *proxy.Config) {
				onlyOne(c)
				c.Listen.KeepAlive, c.Listen.KeepAliveInterval, c.Listen.KeepAliveCount = time.Second, time.Second, 1
				c.Listen.UserTimeout = time.Second
			})
			c := client(t, p.addr)
			if _, err := c.Query("begin; create temp table mine (id int)"); err != nil {
				t.Fatal(err)
			}
			vanish(t, c.Net)
			if got := value(t, client(t, p.addr), "select to_regclass('pg_temp.mine') is null"); got != "t" {
				t.Error("the next client sees a temporary table")
			}
		})
	}
}

// brittleWire is a network between the proxy and PostgreSQL that can break.
type brittleWire struct {
	net.Listener
	mu    sync.Mutex
	ends  []net.Conn // guarded by mu; those that the proxy is connected to
	doing sync.WaitGroup
}

func newBrittleWire(t testing.TB, to string) *brittleWire {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &brittleWire{Listener: ln}
	w.doing.Go(func() {
		for {
			end, err := ln.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				_ = end.Close()
				continue
			}
			w.mu.Lock()
			w.ends = append(w.ends, end)
			w.mu.Unlock()
			w.doing.Go(func() { _, _ = io.Copy(far, end); _ = far.Close() })
			w.doing.Go(func() { _, _ = io.Copy(end, far); _ = end.Close() })
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		w.doing.Wait()
	})
	return w
}

// cut makes all connections half open for the proxy.
func (w *brittleWire) cut(t testing.TB) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, end := range w.ends {
		if vanish(t, end) {
			n++
		}
	}
	w.ends = nil
	return n
}

// No client between transactions notices that its server has vanished without
// a word: what it reads is asked for elsewhere.
func TestHalfOpenBackend(t *testing.T) {
	w := newBrittleWire(t, plain(t))
	for name, change := range map[string]func(*proxy.Config){
		"found by a ping":    func(c *proxy.Config) { onlyOne(c); c.Pool.PrePing, c.Pool.PrePingAfter = true, 0 },
		"found by a request": func(c *proxy.Config) { onlyOne(c); c.Pool.PrePing = false },
	} {
		t.Run(name, func(t *testing.T) {
			p := startProxy(t, w.Addr().String(), change)
			c := client(t, p.addr)
			for range 3 {
				if got := value(t, c, "select 'before'"); got != "before" {
					t.Errorf("got %q", got)
				}
				if w.cut(t) == 0 {
					t.Fatal("there is no connection to cut")
				}
				if got := value(t, c, "select 'unaware'"); got != "unaware" {
					t.Errorf("got %q", got)
				}
			}
		})
	}
}
