package proxy_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/cache"
	"github.com/pgjay/pgjay/pool/embedded"
	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// defaultsWorld has a role whose settings change, and two tables that its name of one may
// mean.
const defaultsWorld = `
	drop schema if exists c1, c2 cascade; create schema c1; create schema c2;
	create table c1.which as select 1 as id, 0 as v, 0.1::float8 as f; create table c2.which as select 1 as id, 100 as v, 0.1::float8 as f;
	insert into c1.which values (2, 0, 0.1);
	drop role if exists fresh; create role fresh login superuser; alter role fresh set search_path = c1`

// freshRole makes it, and returns what logs in as the role.
func freshRole(t *testing.T, backend string) (admin *pgtest.Admin, as func(addr string) *pgconn.PgConn) {
	admin = observer(t, backend)
	if err := admin.Exec(defaultsWorld); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = admin.Exec("drop role fresh; drop schema c1, c2 cascade") })
	return admin, func(addr string) *pgconn.PgConn {
		conn, err := pgconn.Connect(context.Background(), "postgres://fresh@"+addr+"/postgres?sslmode=disable")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close(context.Background()) })
		return conn
	}
}

// asNew is answerOf for a client that leaves then.
func asNew(t *testing.T, conn *pgconn.PgConn, sql string) string {
	t.Helper()
	defer conn.Close(context.Background())
	return answerOf(t, conn, sql)
}

// 56: after somebody has changed what a role's sessions start with, new sessions get
// what they would get directly: from backends that have started since, and with what
// they read looked up by the new settings.
func TestCacheTrap56Defaults(t *testing.T) {
	backend := plain(t)
	admin, as := freshRole(t, backend)
	p := startProxy(t, backend, func(c *proxy.Config) { withCache(c); c.Pool.Size = 1 })
	cached(t, p, as(p.addr), "select f / 3, v from which")
	for _, test := range []struct{ setting, read, write string }{
		{"extra_float_digits = -10", "select f / 3, v from which", "update c1.which set v = v + 1"},
		{"search_path = c2", "select f / 3, v from which", "update c2.which set v = v + 1"},
	} {
		if err := admin.Exec("alter role fresh set " + test.setting); err != nil {
			t.Fatal(err)
		}
		eventually(t, "what new sessions get after "+test.setting, func() bool {
			return asNew(t, as(p.addr), test.read) == asNew(t, as(backend), test.read)
		})
		conn := as(p.addr)
		cached(t, p, conn, test.read)
		asNew(t, as(p.addr), test.write)
		if got, want := answerOf(t, conn, test.read), asNew(t, as(backend), test.read); got != want {
			t.Errorf("after %s and %s\n%s, want %s", test.setting, test.write, got, want)
		}
	}
}

// 56: transactions that are REPEATABLE READ by a new default are not served.
func TestCacheTrap56Isolation(t *testing.T) {
	backend := plain(t)
	admin, as := freshRole(t, backend)
	p := startProxy(t, backend, withCache)
	const read = "select v from which"
	conn := as(p.addr)
	cached(t, p, conn, read)
	if err := admin.Exec("alter role fresh set default_transaction_isolation = 'repeatable read'"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "transactions are not served", func() bool {
		answerOf(t, conn, "begin")
		answerOf(t, conn, read)
		answerOf(t, conn, "commit")
		return p.server.Cache().Stat().Bypassed[cache.BypassIsolation] > 0
	})
}

// 56: what a backend answers that began under other defaults, and is in a transaction
// since, is for nobody else.
func TestCacheTrap56OldBackend(t *testing.T) {
	backend := plain(t)
	admin, as := freshRole(t, backend)
	p := startProxy(t, backend, func(c *proxy.Config) { withCache(c); c.Pool.Size = 2 })
	const read, other = "select f / 3 from which where id = 1", "select f / 3 from which where id = 2"
	old := as(p.addr)
	answerOf(t, old, "begin")
	answerOf(t, old, "select count(*) from which") // which begins at a backend
	cached(t, p, as(p.addr), other)                // so that the catalog has been read, and there is no room for a third backend
	if err := admin.Exec("alter role fresh set extra_float_digits = -10"); err != nil {
		t.Fatal(err)
	}
	want := asNew(t, as(backend), read+" and true")
	eventually(t, "new sessions have the new default", func() bool { return asNew(t, as(p.addr), read+" and true") == want })
	eventually(t, "it is known what there is to know of read", func() bool { return cached(t, p, as(p.addr), other) == want })
	for range 5 {
		answerOf(t, old, read)
		if got := asNew(t, as(p.addr), read); got != want {
			t.Fatalf("a new session gets %s, want %s", got, want)
		}
		asNew(t, as(p.addr), "update which set v = v + 1")
		cached(t, p, as(p.addr), other)
	}
}

// 29, 74, 75: a server that has come back may have lost what it had acknowledged: the
// rows of an unlogged table for certain.
func TestCacheTrap75Restart(t *testing.T) {
	server := pgtest.NewServer(t, embedded.Options{})
	newCacheWorld(t, server.Address())
	p := startProxy(t, server.Address(), withCache)
	conn := dial(t, p.addr)
	const read = "select count(*) from gone"
	answerOf(t, conn, "create unlogged table gone as select 77")
	before := cached(t, p, conn, read)
	answerOf(t, dial(t, server.Address()), "checkpoint") // the table itself is not lost
	if err := server.Restart(embedded.Immediate); err != nil {
		t.Fatal(err)
	}
	want := answerOf(t, dial(t, server.Address()), read)
	if want == before {
		t.Fatal("nothing is lost")
	}
	eventually(t, "the answer is the one that is right now", func() bool { return answerOf(t, conn, read) == want })
	if got := cached(t, p, conn, read); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
