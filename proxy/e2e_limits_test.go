package proxy_test

import (
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

func TestMaxClients(t *testing.T) {
	p := startProxy(t, plain(t), func(c *proxy.Config) { c.Limits.MaxClients = 2 })
	first, second := client(t, p.addr), client(t, p.addr)
	refused := func() string {
		c, err := pgtest.Dial(p.addr, "third", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.Start(3<<16, "user", "postgres"); err != nil {
			return err.Error()
		}
		return ""
	}
	if got := refused(); !pgtest.Match("*E FATAL 53300*", got) {
		t.Errorf("a third client gets %q", got)
	}
	// A cancel request needs no place.
	if err := first.Cancel(p.addr); err != nil {
		t.Error(err)
	}
	second.Close()
	eventually(t, "there is room again", func() bool { return refused() == "" })
	if got := value(t, first, "select 1"); got != "1" {
		t.Errorf("the first client gets %q", got)
	}
}

func TestMaxClientsPerAddress(t *testing.T) {
	p := startProxy(t, plain(t), func(c *proxy.Config) { c.Limits.MaxClientsPerAddress = 3 })
	var silent []net.Conn
	for range 3 {
		c, err := net.Dial("tcp", p.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		silent = append(silent, c)
	}
	c, err := pgtest.Dial(p.addr, "fourth", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	expect(t, c, "E FATAL 53300 *", "EOF")
	_ = silent[0].Close()
	eventually(t, "a client may log in again", func() bool {
		c, err := pgtest.Dial(p.addr, "fifth", nil)
		if err != nil {
			return false
		}
		defer c.Close()
		return c.Start(3<<16, "user", "postgres") == nil
	})
}

func TestUnixSocket(t *testing.T) {
	dir := t.TempDir()
	p := startProxy(t, plain(t), func(c *proxy.Config) {
		c.Listen.Addresses = append(c.Listen.Addresses, dir, "[::1]:0")
		c.Listen.UnixPort = 6543
	})
	if got := value(t, client(t, filepath.Join(dir, ".s.PGSQL.6543")), "select 'unix'"); got != "unix" {
		t.Errorf("got %q", got)
	}
	if got := value(t, client(t, p.addr), "select 'tcp'"); got != "tcp" {
		t.Errorf("got %q", got)
	}
	if got := value(t, client(t, p.server.Addrs()[2].String()), "select 'tcp6'"); got != "tcp6" {
		t.Errorf("got %q", got)
	}
}

func TestDrain(t *testing.T) {
	p := startProxy(t, plain(t), func(c *proxy.Config) { c.Timeouts.Shutdown = pgtest.Patience })
	idle, working, busy := client(t, p.addr), client(t, p.addr), client(t, p.addr)
	value(t, idle, "select 1")
	if _, err := working.Query("begin; select 1"); err != nil {
		t.Fatal(err)
	}
	if err := busy.Send(pgtest.Query("select pg_sleep(0.3), 'done' as d")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "two backends are at work", func() bool { return p.server.Pools().Stats()[0].Active == 2 })
	p.stop()
	expect(t, idle, "E FATAL 57P01 *", "EOF")
	expect(t, busy, "T *", "D *|done", "C SELECT 1", "Z I", "E FATAL 57P01 *", "EOF")
	if c, err := net.DialTimeout("tcp", p.addr, time.Second); err == nil {
		c.Close()
		t.Error("a new client is accepted")
	}
	if p.server.Ready() == nil {
		t.Error("the server says it is ready")
	}
	if got := value(t, working, "select 'in time'"); got != "in time" {
		t.Errorf("got %q", got)
	}
	if err := working.Send(pgtest.Query("commit")); err != nil {
		t.Fatal(err)
	}
	expect(t, working, "C COMMIT", "Z I", "E FATAL 57P01 *", "EOF")
	p.await(t)
}

func TestDrainEndsInTime(t *testing.T) {
	backend := plain(t)
	p := startProxy(t, backend, func(c *proxy.Config) { c.Timeouts.Shutdown = 100 * time.Millisecond })
	open, busy := client(t, p.addr), client(t, p.addr)
	if _, err := open.Query("begin; select 1"); err != nil {
		t.Fatal(err)
	}
	if err := busy.Send(pgtest.Query(sleep("drain"))); err != nil {
		t.Fatal(err)
	}
	sleeping(t, observer(t, backend), "drain")
	p.stop()
	expect(t, open, "E FATAL 57P01 *", "EOF")
	p.await(t)
	if err := observer(t, backend).Await("select count(*) = 0 from pg_stat_activity where state = 'active' and query like '%/* drain */'"); err != nil {
		t.Error(err)
	}
}

// Protocol 3.2 has long cancel keys with a server that has them, 3.0 has keys of
// four bytes.
func TestCancelKeys(t *testing.T) {
	p := startProxy(t, plain(t), nil)
	long := 4
	if value(t, client(t, p.addr), "select current_setting('server_version_num')::int >= 180000") == "t" {
		long = 32
	}
	seen := map[string]bool{}
	for version, length := range map[uint32]int{pgproto3.ProtocolVersion30: 4, pgproto3.ProtocolVersion32: long} {
		for range 5 {
			c, err := pgtest.Dial(p.addr, "client", nil)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(c.Close)
			if err := c.Start(version, "user", "postgres"); err != nil {
				t.Fatal(err)
			}
			if len(c.Secret) != length || seen[string(c.Secret)] || c.PID == 0 {
				t.Errorf("protocol %x: process %d, key of %d bytes", version, c.PID, len(c.Secret))
			}
			seen[string(c.Secret)] = true
		}
	}
}
