package proxy_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// askPID returns what pg_backend_pid says to a client, without a pin: the name
// of the function is not in the text.
func askPID(t testing.TB, c *pgtest.Conn) string {
	t.Helper()
	return value(t, c, "select pid from pg_stat_activity where query like '%/* own */%' and state = 'active' /* own */")
}

func pidOf(c *pgtest.Conn) string { return strconv.Itoa(int(c.PID)) }

// Clients have the process ID that they were told, in whatever order they work,
// as long as there are enough backends.
func TestClientsHaveHomes(t *testing.T) {
	p := startProxy(t, plain(t), func(c *proxy.Config) {
		c.Pool.Size, c.Pool.Overflow = 4, 0
		c.Pool.PrePingAfter = time.Millisecond // each is checked first
	})
	var clients []*pgtest.Conn
	seen := map[uint32]bool{}
	for range 4 {
		c := client(t, p.addr)
		clients = append(clients, c)
		if seen[c.PID] {
			t.Errorf("process ID %d is told twice", c.PID)
		}
		seen[c.PID] = true
	}
	for _, i := range []int{0, 1, 2, 3, 3, 1, 0, 2, 2, 0, 3, 1} {
		if got := askPID(t, clients[i]); got != pidOf(clients[i]) {
			t.Errorf("client %d has %s, but was told %d", i, got, clients[i].PID)
		}
	}
	for i, c := range clients {
		if got := value(t, c, "select pg_backend_pid()"); got != pidOf(c) {
			t.Errorf("client %d is pinned to %s, but was told %d", i, got, c.PID)
		}
	}
	fifth := client(t, p.addr) // shares one
	if !seen[fifth.PID] {
		t.Errorf("a fifth client was told %d", fifth.PID)
	}
}

// A home that is free is for the next client: connecting and leaving, one client
// after the other, takes one backend.
func TestHomesAreReused(t *testing.T) {
	p := startProxy(t, plain(t), nil)
	first := client(t, p.addr)
	pid := first.PID
	first.Close()
	for range 20 {
		expectMetric(t, p, state("idle"), 0)
		c := client(t, p.addr)
		if c.PID != pid {
			t.Fatalf("process ID %d, not %d", c.PID, pid)
		}
		c.Close()
	}
}

// What a client does to the home of another it does to that client.
func TestHomeIsTerminated(t *testing.T) {
	backend := plain(t)
	admin := observer(t, backend)
	p := startProxy(t, backend, nil)
	other := client(t, p.addr)
	terminate := func(c *pgtest.Conn) {
		t.Helper()
		if got := value(t, other, fmt.Sprintf("select pg_terminate_backend(%d, 10000)", c.PID)); got != "t" {
			t.Fatalf("pg_terminate_backend says %s", got)
		}
	}
	t.Run("idle", func(t *testing.T) {
		c := client(t, p.addr)
		terminate(c)
		expect(t, c, "E FATAL 57P01 terminating connection due to administrator command", "EOF")
	})
	t.Run("and says something at once", func(t *testing.T) {
		for range 10 {
			c := client(t, p.addr)
			terminate(c)
			_ = c.Send(pgtest.Query("select 1"))
			expect(t, c, "E FATAL 57P01 terminating connection due to administrator command", "EOF")
		}
	})
	t.Run("busy for a moment", func(t *testing.T) {
		c := client(t, p.addr)
		if err := c.Send(pgtest.Query("/* home */ select pg_sleep(600)")); err != nil {
			t.Fatal(err)
		}
		if err := admin.Await("select count(*) = 1 from pg_stat_activity where query like '/* home */%' and wait_event = 'PgSleep'"); err != nil {
			t.Fatal(err)
		}
		terminate(c)
		expect(t, c, "T *", "E FATAL 57P01 terminating connection due to administrator command", "EOF")
	})
	t.Run("in a transaction", func(t *testing.T) {
		c := client(t, p.addr)
		if _, err := c.Query("begin; select 1"); err != nil {
			t.Fatal(err)
		}
		terminate(c)
		expect(t, c, "E FATAL 57P01 *", "EOF")
	})
	t.Run("cancelled", func(t *testing.T) {
		c := client(t, p.addr)
		if err := c.Send(pgtest.Query("/* cancel */ select pg_sleep(600)")); err != nil {
			t.Fatal(err)
		}
		if err := admin.Await("select count(*) = 1 from pg_stat_activity where query like '/* cancel */%' and wait_event = 'PgSleep'"); err != nil {
			t.Fatal(err)
		}
		value(t, other, fmt.Sprintf("select pg_cancel_backend(%d)", c.PID))
		expect(t, c, "T *", "E ERROR 57014 *", "Z I")
	})
	t.Run("blocked", func(t *testing.T) {
		if _, err := other.Query("begin; select pg_advisory_xact_lock(4711)"); err != nil {
			t.Fatal(err)
		}
		c := client(t, p.addr)
		if err := c.Send(pgtest.Query("/* blocked */ select pg_advisory_xact_lock(4711)")); err != nil {
			t.Fatal(err)
		}
		if err := admin.Await("select count(*) = 1 from pg_stat_activity where query like '/* blocked */%' and wait_event = 'advisory'"); err != nil {
			t.Fatal(err)
		}
		if got := value(t, other, fmt.Sprintf("select pg_blocking_pids(%d)", c.PID)); got != "{"+pidOf(other)+"}" {
			t.Errorf("pg_blocking_pids is %s, not {%d}", got, other.PID)
		}
	})
}

// Who sets idle_session_timeout is disconnected by it.
func TestHomeTimesOut(t *testing.T) {
	p := startProxy(t, plain(t), nil)
	for _, sql := range []string{"set idle_session_timeout = '50ms'", "begin; set idle_session_timeout = '50ms'; commit"} {
		c := client(t, p.addr)
		if _, err := c.Query(sql); err != nil {
			t.Fatal(err)
		}
		expect(t, c, "E FATAL 57P05 terminating connection due to idle-session timeout", "EOF")
	}
}

// Who drops the database drops its clients, and nobody is greeted there any more.
func TestDroppedDatabase(t *testing.T) {
	backend := plain(t)
	admin := observer(t, backend)
	p := startProxy(t, backend, nil)
	if err := admin.Exec("create database home_dropped"); err != nil {
		t.Fatal(err)
	}
	c, err := pgtest.Dial(p.addr, "dropped", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if err := c.Start(pgproto3.ProtocolVersion30, "user", "postgres", "database", "home_dropped"); err != nil {
		t.Fatal(err)
	}
	if err := admin.Exec("drop database home_dropped with (force)"); err != nil {
		t.Fatal(err)
	}
	expect(t, c, "E FATAL 57P01 terminating connection due to administrator command", "EOF")
	again, err := pgtest.Dial(p.addr, "dropped", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(again.Close)
	if err := again.Send(pgtest.Startup(pgproto3.ProtocolVersion30, "user", "postgres", "database", "home_dropped")); err != nil {
		t.Fatal(err)
	}
	expect(t, again, "R ok", "E FATAL 3D000 *", "EOF")
}

// Without homes a login takes no backend.
func TestWithoutHomes(t *testing.T) {
	p := startProxy(t, plain(t), func(c *proxy.Config) { c.Pool.Homes = false })
	a, b := client(t, p.addr), client(t, p.addr)
	if a.PID == b.PID && string(a.Secret) == string(b.Secret) {
		t.Error("two clients have the same cancel key")
	}
	expectMetric(t, p, `pool_server_connections{@,state="idle"}`, 1)
}
