package proxy_test

import (
	"fmt"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// consoleWay is a protocol, as the way of a command to the console.
type consoleWay struct {
	name string
	with func(command string) []pgproto3.FrontendMessage
	says []string // before the answer
}

var consoleWays = []consoleWay{
	{"simple", func(command string) []pgproto3.FrontendMessage {
		return []pgproto3.FrontendMessage{pgtest.Query(command)}
	}, nil},
	{"extended", func(command string) []pgproto3.FrontendMessage {
		return []pgproto3.FrontendMessage{pgtest.Parse("", command), pgtest.Bind("", ""), pgtest.DescribePortal(""), pgtest.Execute("", 0), pgtest.Sync}
	}, []string{"1", "2", "n"}},
}

// ask sends a command, whose answer is not there yet.
func (w consoleWay) ask(t *testing.T, c *pgtest.Conn, command string) {
	t.Helper()
	if err := c.Send(w.with(command)...); err != nil {
		t.Fatal(err)
	}
	expect(t, c, w.says...)
}

// databaseFlag waits until SHOW DATABASES has this in a column.
func databaseFlag(t *testing.T, watch *pgx.Conn, column string, want int32) {
	t.Helper()
	eventually(t, fmt.Sprint(column, " ", want), func() bool {
		return row(consoleRows(t, watch, "show databases"), "name", "postgres")[column] == want
	})
}

// poolsHave waits until SHOW POOLS has this in a column.
func poolsHave(t *testing.T, watch *pgx.Conn, column string, want int32) {
	t.Helper()
	eventually(t, fmt.Sprint(column, " ", want), func() bool {
		return row(consoleRows(t, watch, "show pools"), "database", "postgres")[column] == want
	})
}

// stillRuns checks that the command of a console's client has not ended.
func stillRuns(t *testing.T, watch *pgx.Conn, asks *pgtest.Conn) {
	t.Helper()
	clients, port := consoleRows(t, watch, "show clients"), asks.Net.LocalAddr().(*net.TCPAddr).Port
	if row(clients, "port", strconv.Itoa(port))["state"] != "active" {
		t.Errorf("it does not wait: %v", clients)
	}
}

// PAUSE waits for the transaction that is open, and then no backend is left; what is
// asked meanwhile is answered after RESUME.
func TestConsolePause(t *testing.T) {
	for _, way := range consoleWays {
		for _, name := range []string{"", " postgres"} {
			t.Run(way.name+name, func(t *testing.T) {
				backend := plain(t)
				p := startProxy(t, backend, nil)
				watch, asks := consoleConn(t, p), client(t, p.addr, "database", "pgjay")
				busy, waits := client(t, p.addr), client(t, p.addr)
				value(t, busy, "begin; select 1")
				pid := consoleRows(t, watch, "show servers")[0]["remote_pid"]
				way.ask(t, asks, "pause"+name)
				databaseFlag(t, watch, "paused", 1)
				if err := waits.Send(pgtest.Query("select 2")); err != nil {
					t.Fatal(err)
				}
				poolsHave(t, watch, "cl_waiting", 1)
				late := begin(t, p.addr, "user", "postgres", "database", "postgres", "application_name", "late")
				poolsHave(t, watch, "sv_idle", 0)
				stillRuns(t, watch, asks)
				value(t, busy, "select 3")
				if _, err := busy.Query("commit"); err != nil {
					t.Fatal(err)
				}
				expect(t, asks, "C PAUSE", "Z I")
				if servers := consoleRows(t, watch, "show servers"); len(servers) != 0 {
					t.Errorf("these are left: %v", servers)
				}
				if err := observer(t, backend).Await(fmt.Sprint("select count(*) = 0 from pg_stat_activity where pid = ", pid)); err != nil {
					t.Error(err)
				}
				poolsHave(t, watch, "cl_waiting", 1)
				way.ask(t, asks, "resume"+name)
				expect(t, asks, "C RESUME", "Z I")
				databaseFlag(t, watch, "paused", 0)
				expect(t, waits, "T *", "D 2", "C SELECT 1", "Z I")
				if _, err := late.ReceiveUntil('Z'); err != nil {
					t.Error(err)
				}
				value(t, busy, "select 4")
			})
		}
	}
}

// In session mode PAUSE waits until clients leave.
func TestConsolePauseSessions(t *testing.T) {
	p := startProxy(t, plain(t), func(c *proxy.Config) { c.Pool.Mode = pool.ModeSession })
	watch, asks := consoleConn(t, p), client(t, p.addr, "database", "pgjay")
	c := client(t, p.addr)
	value(t, c, "select 1")
	consoleWays[0].ask(t, asks, "pause")
	databaseFlag(t, watch, "paused", 1)
	value(t, c, "select 1")
	stillRuns(t, watch, asks)
	c.Close()
	expect(t, asks, "C PAUSE", "Z I")
}

// So it does for a backend that is a session's own, and none is opened while it lasts.
func TestConsolePauseOwn(t *testing.T) {
	p := startProxy(t, plain(t), nil)
	watch, asks := consoleConn(t, p), client(t, p.addr, "database", "pgjay")
	own := client(t, p.addr, "local_preload_libraries", "")
	consoleWays[0].ask(t, asks, "pause")
	databaseFlag(t, watch, "paused", 1)
	next := begin(t, p.addr, "user", "postgres", "database", "postgres", "local_preload_libraries", "")
	expect(t, next, "R ok")
	value(t, own, "select 1")
	stillRuns(t, watch, asks)
	own.Close()
	expect(t, asks, "C PAUSE", "Z I")
	if n := p.server.Pools().Stats()[0].Dedicated; n != 0 {
		t.Errorf("%d backends are outside the pool", n)
	}
	if code := consoleError(t, watch, "resume"); code != "" {
		t.Errorf("resume: %s", code)
	}
	if _, err := next.ReceiveUntil('Z'); err != nil {
		t.Error(err)
	}
}

// Whoever waits too long is told so, paused or not.
func TestConsolePauseTimeout(t *testing.T) {
	p := startProxy(t, plain(t), nil)
	watch, c := consoleConn(t, p), client(t, p.addr)
	if code := consoleError(t, watch, "pause"); code != "" {
		t.Errorf("pause: %s", code)
	}
	p.reload(t, func(c *proxy.Config) { c.Pool.AcquireTimeout = 10 * time.Millisecond })
	if err := c.Send(pgtest.Query("select 1")); err != nil {
		t.Fatal(err)
	}
	expect(t, c, "E ERROR 53300 *", "Z I")
}

// Whoever cancels PAUSE has paused nothing; a RESUME ends its wait, and so does the end
// of the process.
func TestConsolePauseEnds(t *testing.T) {
	p := startProxy(t, plain(t), nil)
	watch, asks, busy := consoleConn(t, p), client(t, p.addr, "database", "pgjay"), client(t, p.addr)
	pauses := func() {
		value(t, busy, "begin; select 1")
		consoleWays[0].ask(t, asks, "pause postgres")
		databaseFlag(t, watch, "paused", 1)
	}
	pauses()
	if err := asks.Cancel(p.addr); err != nil {
		t.Fatal(err)
	}
	expect(t, asks, "E ERROR 57014 *", "Z I")
	databaseFlag(t, watch, "paused", 0)
	value(t, busy, "commit; select 1")
	pauses()
	if code := consoleError(t, watch, "resume postgres"); code != "" {
		t.Errorf("resume: %s", code)
	}
	expect(t, asks, "E ERROR 55000 pgjay: it was resumed *", "Z I")
	value(t, busy, "commit; select 1")
	pauses()
	p.stop()
	expect(t, asks, "E ERROR 57P01 *", "Z I", "E FATAL 57P01 *", "EOF")
}

// What may be paused and resumed, and what is said otherwise.
func TestConsolePauseRefused(t *testing.T) {
	p := startProxy(t, "127.0.0.1:1", nil)
	c := client(t, p.addr, "database", "pgjay")
	for _, tt := range []struct {
		command string
		want    []string
	}{
		{"resume", []string{"E ERROR 55000 pgjay: not paused*", "Z I"}},
		{"resume app", []string{`E ERROR 55000 pgjay: database "app" is not paused*`, "Z I"}},
		{"pause pgjay", []string{"E ERROR 42501 *", "Z I"}},
		{"kill pgjay", []string{"E ERROR 42501 *", "Z I"}},
		{"disable pgjay", []string{"E ERROR 42501 *", "Z I"}},
		{"wait_close pgjay", []string{"E ERROR 42501 *", "Z I"}},
		{"pause app", []string{"N NOTICE 00000 *nobody has used*", "C PAUSE", "Z I"}},
		{"pause app", []string{"C PAUSE", "Z I"}},
		{"pause", []string{"C PAUSE", "Z I"}},
		{"pause", []string{"E ERROR 55000 pgjay: already paused*", "Z I"}},
		{"pause app", []string{"E ERROR 55000 pgjay: already paused*", "Z I"}},
		{"kill app", []string{"E ERROR 55000 pgjay: already paused*", "Z I"}},
		{"show state", []string{"T *", "D active|no", "D paused|yes", "D suspended|no", "C SHOW", "Z I"}},
		{"resume other", []string{`E ERROR 55000 pgjay: database "other" is not paused*`, "Z I"}},
		{"resume", []string{"C RESUME", "Z I"}},
		{"show state", []string{"T *", "D active|yes", "D paused|no", "D suspended|no", "C SHOW", "Z I"}},
		{"resume app", []string{"C RESUME", "Z I"}},
		{"disable", []string{"E ERROR 42601 pgjay: DISABLE takes database*", "Z I"}},
		{"suspend", []string{"E ERROR 0A000 *", "Z I"}},
	} {
		if err := c.Send(pgtest.Query(tt.command)); err != nil {
			t.Fatal(err)
		}
		t.Log(tt.command)
		expect(t, c, tt.want...)
	}
}

// DISABLE refuses new clients and lets those go on that are there.
func TestConsoleDisable(t *testing.T) {
	for _, way := range consoleWays {
		t.Run(way.name, func(t *testing.T) {
			p := startProxy(t, plain(t), nil)
			watch, asks, c := consoleConn(t, p), client(t, p.addr, "database", "pgjay"), client(t, p.addr)
			way.ask(t, asks, "disable postgres")
			expect(t, asks, "C DISABLE", "Z I")
			databaseFlag(t, watch, "disabled", 1)
			value(t, c, "select 1")
			expect(t, begin(t, p.addr, "user", "postgres", "database", "postgres"),
				"R ok", `E FATAL 55000 database "postgres" is not currently accepting connections*`, "EOF")
			client(t, p.addr, "database", "template1")
			way.ask(t, asks, "enable postgres")
			expect(t, asks, "C ENABLE", "Z I")
			databaseFlag(t, watch, "disabled", 0)
			value(t, client(t, p.addr), "select 1")
		})
	}
}

// WAIT_CLOSE waits until the backends are closed that RECONNECT replaces.
func TestConsoleWaitClose(t *testing.T) {
	for _, way := range consoleWays {
		for _, name := range []string{"", " postgres"} {
			t.Run(way.name+name, func(t *testing.T) {
				backend := plain(t)
				p := startProxy(t, backend, nil)
				watch, asks, busy := consoleConn(t, p), client(t, p.addr, "database", "pgjay"), client(t, p.addr)
				value(t, busy, "begin; select 1")
				pid := fmt.Sprint(row(consoleRows(t, watch, "show servers"), "state", "active")["remote_pid"])
				way.ask(t, asks, "wait_close"+name)
				expect(t, asks, "C WAIT_CLOSE", "Z I")
				if code := consoleError(t, watch, "reconnect postgres"); code != "" {
					t.Fatalf("reconnect: %s", code)
				}
				way.ask(t, asks, "wait_close"+name)
				value(t, busy, "select 2")
				stillRuns(t, watch, asks)
				value(t, busy, "commit; select 3")
				expect(t, asks, "C WAIT_CLOSE", "Z I")
				if server := row(consoleRows(t, watch, "show servers"), "remote_pid", pid); server != nil {
					t.Errorf("it is still there: %v", server)
				}
			})
		}
	}
}
