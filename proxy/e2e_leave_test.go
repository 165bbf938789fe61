package proxy_test

import (
	"testing"
	"time"

	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// onlyOne makes a pool of a single backend.
func onlyOne(c *proxy.Config) { c.Pool.Size = 1 }

// sleeping waits until a marked pg_sleep runs, and stays so if it must not.
func sleeping(t testing.TB, admin *pgtest.Admin, mark string) {
	t.Helper()
	sql := "select count(*) = 1 from pg_stat_activity where wait_event = 'PgSleep' and query like '%/* " + mark + " */%'"
	if err := admin.Await(sql); err != nil {
		t.Fatal(err)
	}
}

func sleep(mark string) string { return "select pg_sleep(600) /* " + mark + " */" }

// onlyBackend returns the PID of a pool's only backend. Asking pins, so it is a
// client of its own that asks.
func onlyBackend(t testing.TB, p *running) string {
	t.Helper()
	c := client(t, p.addr)
	defer c.Close()
	return value(t, c, "select pg_backend_pid()")
}

// inherits requires that the client after one that vanished has the same
// backend, and finds nothing there of the table mine.
func inherits(t testing.TB, p *running, name, pid string) {
	t.Helper()
	next := client(t, p.addr)
	defer next.Close()
	if got := value(t, next, "select pg_backend_pid()"); got != pid {
		t.Errorf("%s: the next client has backend %s, not %s as before: a login was wasted", name, got, pid)
	}
	if got := value(t, next, "select to_regclass('pg_temp.mine') is null"); got != "t" {
		t.Errorf("%s: the next client sees a temporary table", name)
	}
}

func TestClientVanishesInMidQuery(t *testing.T) {
	backend := plain(t)
	admin := observer(t, backend)
	p := startProxy(t, backend, onlyOne)
	pid := onlyBackend(t, p)
	for name, query := range map[string]string{
		"sleeping":         sleep("vanish"),
		"sending rows":     "select generate_series(1, 100000000), repeat('x', 1000) /* vanish */",
		"in a transaction": "begin; create temp table mine (id int); " + sleep("vanish"),
	} {
		c := client(t, p.addr)
		if err := c.Send(pgtest.Query(query)); err != nil {
			t.Fatal(err)
		}
		if err := admin.Await("select count(*) = 1 from pg_stat_activity where state = 'active' and pid <> pg_backend_pid() and query like '%/* vanish */'"); err != nil {
			t.Fatal(err)
		}
		c.Close()
		inherits(t, p, name, pid)
	}
}

// An error that skips up to a Sync that never comes costs no backend either.
func TestClientVanishesAfterAnError(t *testing.T) {
	p := startProxy(t, plain(t), onlyOne)
	pid := onlyBackend(t, p)
	for name, polite := range map[string]bool{"closes": false, "says Terminate": true} {
		c := client(t, p.addr)
		if err := c.Send(pgtest.Parse("", "selec"), pgtest.Flush); err != nil {
			t.Fatal(err)
		}
		expect(t, c, "E ERROR 42601*")
		if polite {
			if err := c.Send(pgtest.Terminate); err != nil {
				t.Fatal(err)
			}
		}
		c.Close()
		inherits(t, p, name, pid)
	}
}

func TestClientVanishesInMidMessage(t *testing.T) {
	p := startProxy(t, plain(t), onlyOne)
	for _, half := range []pgtest.Raw{
		pgtest.Raw("Q\x00\x10\x00\x00select 1 /* a long one that never ends"),
		pgtest.Raw("P\x00\x10\x00\x00name\x00select"),
		pgtest.Raw("Q\x00\x00"),
	} {
		c := client(t, p.addr)
		if err := c.Send(half); err != nil {
			t.Fatal(err)
		}
		c.Close()
		if got := value(t, client(t, p.addr), "select 1"); got != "1" {
			t.Errorf("the next client gets %q", got)
		}
	}
}

func TestCancelHitsOnlyItsOwnQuery(t *testing.T) {
	backend := plain(t)
	admin := observer(t, backend)
	p := startProxy(t, backend, onlyOne)
	early, late := client(t, p.addr), client(t, p.addr)
	value(t, early, "select 1")
	if err := late.Send(pgtest.Query(sleep("late"))); err != nil {
		t.Fatal(err)
	}
	sleeping(t, admin, "late")
	for range 20 { // early has used that backend, but does not now
		if err := early.Cancel(p.addr); err != nil {
			t.Fatal(err)
		}
	}
	sleeping(t, admin, "late")
	if err := late.Cancel(p.addr); err != nil {
		t.Fatal(err)
	}
	expect(t, late, "T *", "E ERROR 57014*", "Z I")
	if got := value(t, early, "select 'alive'"); got != "alive" {
		t.Errorf("early gets %q", got)
	}
}

// A cancel request that arrives when its query is over must not hit the next
// client's query on the same backend.
func TestLateCancelsHitNobody(t *testing.T) {
	p := startProxy(t, plain(t), onlyOne)
	victim, canceller := client(t, p.addr), client(t, p.addr)
	stop := make(chan struct{})
	done := make(chan error, 1)
	go func() {
		for {
			select {
			case <-stop:
				done <- nil
				return
			default:
			}
			if _, err := canceller.Query("select 1"); err != nil {
				done <- err
				return
			}
			go func() { _ = canceller.Cancel(p.addr) }()
		}
	}()
	for deadline := time.Now().Add(2 * time.Second); time.Now().Before(deadline) && !t.Failed(); {
		frames, err := victim.Query("select count(*) from generate_series(1, 2000)")
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range frames {
			if f.Type == 'E' {
				t.Errorf("the victim got %s", f)
			}
		}
	}
	close(stop)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestCancelWhileWaitingForABackend(t *testing.T) {
	backend := plain(t)
	admin := observer(t, backend)
	p := startProxy(t, backend, onlyOne)
	holder, waiter := client(t, p.addr), client(t, p.addr)
	if err := holder.Send(pgtest.Query(sleep("holder"))); err != nil {
		t.Fatal(err)
	}
	sleeping(t, admin, "holder")
	if err := waiter.Send(pgtest.Query("select 1")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a client waits", func() bool { return p.server.Pools().Stats()[0].Waiting == 1 })
	if err := waiter.Cancel(p.addr); err != nil {
		t.Fatal(err)
	}
	expect(t, waiter, "E ERROR 57014*", "Z I")
	if err := holder.Cancel(p.addr); err != nil {
		t.Fatal(err)
	}
	expect(t, holder, "T *", "E ERROR 57014*", "Z I")
	if got := value(t, waiter, "select 'alive'"); got != "alive" {
		t.Errorf("the waiter gets %q", got)
	}
}

// A client that vanishes while it waits for a backend does not get one.
func TestWaitingClientVanishes(t *testing.T) {
	backend := plain(t)
	admin := observer(t, backend)
	p := startProxy(t, backend, onlyOne)
	holder, waiter := client(t, p.addr), client(t, p.addr)
	if err := holder.Send(pgtest.Query(sleep("keeper"))); err != nil {
		t.Fatal(err)
	}
	sleeping(t, admin, "keeper")
	if err := waiter.Send(pgtest.Query("create table wire_never (id int)")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a client waits", func() bool { return p.server.Pools().Stats()[0].Waiting == 1 })
	waiter.Close()
	eventually(t, "nobody waits", func() bool { return p.server.Pools().Stats()[0].Waiting == 0 })
	if err := holder.Cancel(p.addr); err != nil {
		t.Fatal(err)
	}
	expect(t, holder, "T *", "E ERROR 57014*", "Z I")
	if got := value(t, holder, "select to_regclass('wire_never') is null"); got != "t" {
		t.Error("the statement of the client that has gone was executed")
	}
}
