package proxy_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// parting is a way to leave. status is the client's transaction status before:
// I, T, E or, where its session has ended, 0.
type parting struct {
	name  string
	stays bool // the client is still there
	leave func(t *testing.T, l *lane, a *pgtest.Conn, status byte)
}

// partings begin with the one that is none. It leaves the backend to B only if
// the proxy can do without it.
var partings = []parting{
	{"stays", true, func(*testing.T, *lane, *pgtest.Conn, byte) {}},
	{"Terminate", false, says(pgtest.Terminate)},
	{"drops the socket", false, says()},
	{"resets the socket", false, resetsSocket},
	{"drops it in mid-query", false, func(t *testing.T, l *lane, a *pgtest.Conn, status byte) {
		blocks(t, l, a, status, pgtest.Query(waits))
		a.Close()
	}},
	{"drops it in mid-query of the extended protocol", false, func(t *testing.T, l *lane, a *pgtest.Conn, status byte) {
		blocks(t, l, a, status, pgtest.Parse("", waits), pgtest.Bind("", ""), pgtest.Execute("", 0), pgtest.Flush)
		a.Close()
	}},
	{"cancels a query", false, func(t *testing.T, l *lane, a *pgtest.Conn, status byte) {
		if blocks(t, l, a, status, pgtest.Query(waits)) {
			if err := a.Cancel(l.proxy.addr); err != nil {
				t.Fatal(err)
			}
			hears(t, a, "Z")
		}
		goes(a)
	}},
	{"drops it in a transaction", false, says(pgtest.Query("begin"))},
	{"Terminate in a transaction", false, says(pgtest.Query("begin"), pgtest.Terminate)},
	{"drops it in a failed transaction", false, says(pgtest.Query("begin"), pgtest.Query("select 1/0"))},
	{"Terminate in a failed transaction", false, says(pgtest.Query("begin"), pgtest.Query("select 1/0"), pgtest.Terminate)},
	{"Terminate after an error", false, says(pgtest.Query("select 1/0"), pgtest.Terminate)},
	{"drops it after an error without Sync", false, func(t *testing.T, _ *lane, a *pgtest.Conn, _ byte) {
		_ = a.Send(pgtest.Parse("", "selec"), pgtest.Flush)
		hears(t, a, "E")
		a.Close()
	}},
	{"drops it in a pipeline without Sync", false, func(t *testing.T, _ *lane, a *pgtest.Conn, _ byte) {
		_ = a.Send(pgtest.Parse("", "select 1"), pgtest.Bind("", ""), pgtest.Execute("", 0), pgtest.Flush)
		hears(t, a, "CE")
		a.Close()
	}},
	{"does not read what it asked for", false, func(_ *testing.T, _ *lane, a *pgtest.Conn, _ byte) {
		_ = a.Send(pgtest.Query("select generate_series(1, 10000)"), pgtest.Terminate)
		a.Close()
	}},
	{"drops it in a message", false, says(pgtest.Raw("Q\x00\x10\x00\x00select 1 /*"))},
	{"drops it in a COPY", false, func(t *testing.T, _ *lane, a *pgtest.Conn, _ byte) {
		_ = a.Send(pgtest.Query("copy leak.sink from stdin"))
		hears(t, a, "GZ")
		_ = a.Send(pgtest.CopyData("1\t"))
		a.Close()
	}},
	{"breaks the protocol", false, func(t *testing.T, _ *lane, a *pgtest.Conn, _ byte) {
		_ = a.Send(pgtest.Message('!', ""))
		hears(t, a, "")
	}},
	{"is idle in a transaction for too long", false, outstays("begin", func(c *proxy.TimeoutsConfig) *time.Duration { return &c.IdleInTransaction })},
	{"has a transaction for too long", false, outstays("begin", func(c *proxy.TimeoutsConfig) *time.Duration { return &c.Transaction })},
	{"is idle for too long", false, outstays("select 1", func(c *proxy.TimeoutsConfig) *time.Duration { return &c.ClientIdle })},
	{"has a query for too long", false, outstays("select pg_sleep(600)", func(c *proxy.TimeoutsConfig) *time.Duration { return &c.Query })},
	{"is terminated by pg_terminate_backend", false, func(t *testing.T, l *lane, a *pgtest.Conn, _ byte) {
		l.terminate(t)
		goes(a)
	}},
	{"says DISCARD ALL", false, says(pgtest.Query("rollback"), pgtest.Query("discard all"))},
}

// waits is a query that does not end: the lane's admin has that lock.
const waits = "select pg_advisory_xact_lock(77)"

// says makes a parting of messages, each sent when the one before is answered,
// and of a socket that is closed.
func says(messages ...pgproto3.FrontendMessage) func(*testing.T, *lane, *pgtest.Conn, byte) {
	return func(t *testing.T, _ *lane, a *pgtest.Conn, _ byte) {
		for _, m := range messages {
			if _, isQuery := m.(*pgproto3.Query); a.Send(m) == nil && isQuery {
				hears(t, a, "Z")
			}
		}
		a.Close()
	}
}

// goes ends a session as it should be done.
func goes(a *pgtest.Conn) {
	_ = a.Send(pgtest.Terminate)
	a.Close()
}

// hears receives until a message of one of the types comes, or the end.
func hears(t *testing.T, a *pgtest.Conn, types string) {
	t.Helper()
	for {
		f, err := a.Receive()
		if err != nil {
			t.Fatal(err)
		}
		if f.Type == pgtest.EOF || strings.IndexByte(types, f.Type) >= 0 {
			return
		}
	}
}

func resetsSocket(t *testing.T, _ *lane, a *pgtest.Conn, _ byte) {
	if err := a.Net.(*net.TCPConn).SetLinger(0); err != nil {
		t.Fatal(err)
	}
	a.Close()
}

// blocks sends a query that waits, and returns when it does. It returns false if
// there is a reason that it does not.
func blocks(t *testing.T, l *lane, a *pgtest.Conn, status byte, messages ...pgproto3.FrontendMessage) bool {
	t.Helper()
	if status == 0 || a.Send(messages...) != nil || status == 'E' {
		return false
	}
	if err := l.admin.Await(`select count(*) = 1 from pg_locks where locktype = 'advisory' and objid = 77 and not granted
		and database = (select oid from pg_database where datname = current_database())`); err != nil {
		t.Fatal(err)
	}
	return true
}

// outstays makes a parting of a query and a timeout that is short for it only.
func outstays(sql string, which func(*proxy.TimeoutsConfig) *time.Duration) func(*testing.T, *lane, *pgtest.Conn, byte) {
	return func(t *testing.T, l *lane, a *pgtest.Conn, _ byte) {
		defer goes(a)
		if a.Send(pgtest.Query("rollback")) != nil {
			return
		}
		hears(t, a, "Z")
		limit := func(d time.Duration) { l.proxy.reload(t, func(c *proxy.Config) { *which(&c.Timeouts) = d }) }
		limit(10 * time.Millisecond)
		defer limit(0)
		_ = a.Send(pgtest.Query(sql))
		if sql == "select pg_sleep(600)" {
			hears(t, a, "Z") // the session goes on
		} else {
			hears(t, a, "")
		}
	}
}

// terminate ends the lane's backends.
func (l *lane) terminate(t *testing.T) {
	t.Helper()
	err := l.admin.Exec(`select pg_terminate_backend(pid, 20000) from pg_stat_activity
		where datname = current_database() and usename = '` + l.user + `' and pid <> pg_backend_pid()`)
	if err != nil {
		t.Fatal(err)
	}
}
