package proxy_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// bouncerTables are the columns that PgBouncer 1.25 answers with, and their types.
var bouncerTables = map[string]string{
	"VERSION": "version:text",
	"CONFIG":  "key:text value:text default:text changeable:text",
	"DATABASES": "name:text host:text port:int4 database:text force_user:text pool_size:int4 min_pool_size:int4 reserve_pool_size:int4 " +
		"server_lifetime:int4 pool_mode:text load_balance_hosts:text max_connections:int4 current_connections:int4 " +
		"max_client_connections:int4 current_client_connections:int4 paused:int4 disabled:int4",
	"POOLS": "database:text user:text cl_active:int4 cl_waiting:int4 cl_active_cancel_req:int4 cl_waiting_cancel_req:int4 sv_active:int4 " +
		"sv_active_cancel:int4 sv_being_canceled:int4 sv_idle:int4 sv_used:int4 sv_tested:int4 sv_login:int4 maxwait:int4 maxwait_us:int4 " +
		"pool_mode:text load_balance_hosts:text",
	"CLIENTS":        socket,
	"SERVERS":        socket,
	"SOCKETS":        socket + details,
	"ACTIVE_SOCKETS": socket + details,
	"USERS": "name:text pool_size:text reserve_pool_size:text pool_mode:text max_user_connections:int4 current_connections:int4 " +
		"max_user_client_connections:int4 current_client_connections:int4",
	"PEERS":      "peer_id:int4 host:text port:int4 pool_size:int4",
	"PEER_POOLS": "peer_id:int4 cl_active_cancel_req:int4 cl_waiting_cancel_req:int4 sv_active_cancel:int4 sv_login:int4",
	"FDS": "fd:int4 task:text user:text database:text addr:text port:int4 cancel:int8 link:int4 client_encoding:text std_strings:text " +
		"datestyle:text timezone:text password:text scram_client_key:bytea scram_server_key:bytea",
	"LISTS":     "list:text items:int4",
	"MEM":       "name:text size:int4 used:int4 free:int4 memtotal:int4",
	"STATE":     "key:text value:text",
	"DNS_HOSTS": "hostname:text ttl:int8 addrs:text",
	"DNS_ZONES": "zonename:text serial:int8 count:int4",
	"STATS": "database:text total_server_assignment_count:numeric total_xact_count:numeric total_query_count:numeric total_received:numeric " +
		"total_sent:numeric total_xact_time:numeric total_query_time:numeric total_wait_time:numeric total_client_parse_count:numeric " +
		"total_server_parse_count:numeric total_bind_count:numeric total_client_login_count:numeric avg_server_assignment_count:numeric " +
		"avg_xact_count:numeric avg_query_count:numeric avg_recv:numeric avg_sent:numeric avg_xact_time:numeric avg_query_time:numeric " +
		"avg_wait_time:numeric avg_client_parse_count:numeric avg_server_parse_count:numeric avg_bind_count:numeric avg_client_login_count:numeric",
	"STATS_TOTALS": stats + " client_parse_count:numeric server_parse_count:numeric bind_count:numeric client_login_count:numeric",
	"STATS_AVERAGES": stats + " avg_client_parse_count:numeric avg_server_parse_count:numeric avg_bind_count:numeric " +
		"avg_client_login_count:numeric",
	"TOTALS": "name:text value:numeric",
}

const (
	socket = "type:text user:text database:text replication:text state:text addr:text port:int4 local_addr:text local_port:int4 " +
		"connect_time:text request_time:text wait:int4 wait_us:int4 close_needed:int4 ptr:text link:text remote_pid:int4 tls:text " +
		"application_name:text prepared_statements:int4 id:int4"
	details = " recv_pos:int4 pkt_pos:int4 pkt_remain:int4 send_pos:int4 send_remain:int4 pkt_avail:int4 send_avail:int4"
	stats   = "database:text server_assignment_count:numeric xact_count:numeric query_count:numeric bytes_received:numeric bytes_sent:numeric " +
		"xact_time:numeric query_time:numeric wait_time:numeric"
)

// The columns are PgBouncer's, in both protocols, and each row fits them.
func TestConsoleColumns(t *testing.T) {
	p := startProxy(t, plain(t), withCache)
	value(t, client(t, p.addr), "select 1")
	console := client(t, p.addr, "database", "pgjay")
	for name, columns := range bouncerTables {
		simple := []pgproto3.FrontendMessage{pgtest.Query("show " + name)}
		extended := []pgproto3.FrontendMessage{
			pgtest.Parse("", "show "+name), pgtest.DescribeStatement(""), asBinary(pgtest.Bind("", "")), pgtest.Execute("", 0), pgtest.Sync,
		}
		for _, messages := range [][]pgproto3.FrontendMessage{simple, extended} {
			if err := console.Send(messages...); err != nil {
				t.Fatal(err)
			}
			checkTable(t, console, name, columns)
		}
	}
}

// checkTable reads the answer to a SHOW.
func checkTable(t *testing.T, c *pgtest.Conn, name, columns string) {
	t.Helper()
	frames, err := c.ReceiveUntil('Z')
	if err != nil {
		t.Fatal(err)
	}
	empty := strings.HasPrefix(name, "PEER") || strings.HasPrefix(name, "DNS") || name == "FDS"
	rows, described := 0, false
	for _, f := range frames {
		switch f.Type {
		case 'T':
			described = f.String() == "T "+columns
			if !described {
				t.Errorf("%s has %q, not %q", name, f, columns)
			}
		case 'D':
			if rows++; int(f.Body[1]) != len(strings.Fields(columns)) {
				t.Errorf("%s has a row of %d values", name, f.Body[1])
			}
		case 'E':
			t.Errorf("%s: %s", name, f)
		}
	}
	if !described || empty != (rows == 0) {
		t.Errorf("%s has %d rows", name, rows)
	}
}

// consoleConn is a pgx connection to the console.
func consoleConn(t *testing.T, p *running) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(context.Background(), "postgres://postgres@"+p.addr+"/pgjay?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	return c
}

// consoleRows runs a command in the extended protocol, in binary where pgx wants that.
func consoleRows(t *testing.T, c *pgx.Conn, command string) []map[string]any {
	t.Helper()
	rows, err := c.Query(context.Background(), command)
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToMap)
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	return all
}

// row returns the row that has a value in a column.
func row(rows []map[string]any, column, want string) map[string]any {
	for _, r := range rows {
		if fmt.Sprint(r[column]) == want {
			return r
		}
	}
	return nil
}

// What the console says of clients, servers and pools is so.
func TestConsoleClientsAndServers(t *testing.T) {
	p := startProxy(t, plain(t), onlyOne)
	console := consoleConn(t, p)
	busy, waiting := client(t, p.addr, "application_name", "busy"), client(t, p.addr, "application_name", "waiting")
	value(t, busy, "begin; select 1")
	if err := waiting.Send(pgtest.Parse("s", "select 1"), pgtest.Sync); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a client that waits", func() bool {
		return row(consoleRows(t, console, "show clients"), "state", "waiting") != nil
	})
	clients := consoleRows(t, console, "show clients")
	active := row(clients, "application_name", "busy")
	if active["state"] != "active" || active["user"] != "postgres" || active["database"] != "postgres" || active["addr"] != "127.0.0.1" ||
		fmt.Sprint("127.0.0.1:", active["local_port"]) != p.addr || active["port"] == int32(0) || len(active["connect_time"].(string)) != len("2026-01-02 15:04:05 UTC") {
		t.Errorf("the busy client is %v", active)
	}
	servers := consoleRows(t, console, "show servers")
	if len(servers) != 1 || servers[0]["remote_pid"] == int32(0) || servers[0]["state"] != "active" ||
		servers[0]["link"] != active["ptr"] || active["link"] != servers[0]["ptr"] || servers[0]["application_name"] != "busy" || servers[0]["local_port"] == int32(0) {
		t.Errorf("the servers are %v, of %v", servers, active)
	}
	pools := row(consoleRows(t, console, "show pools"), "database", "postgres")
	if pools["cl_active"] != int32(1) || pools["cl_waiting"] != int32(1) || pools["sv_active"] != int32(1) || pools["sv_idle"] != int32(0) || pools["pool_mode"] != "transaction" {
		t.Errorf("the pool is %v", pools)
	}
	if d := row(consoleRows(t, console, "show databases"), "name", "postgres"); d["current_connections"] != int32(1) || d["current_client_connections"] != int32(2) || d["pool_size"] != int32(1) || d["port"] == int32(0) {
		t.Errorf("the database is %v", d)
	}
	if sockets := consoleRows(t, console, "show active_sockets"); len(sockets) != 4 {
		t.Errorf("the active sockets are %v", sockets)
	}
	if _, err := busy.Query("commit"); err != nil {
		t.Fatal(err)
	}
	expect(t, waiting, "1", "Z I")
	eventually(t, "nobody who waits", func() bool {
		return row(consoleRows(t, console, "show clients"), "application_name", "waiting")["prepared_statements"] == int32(1)
	})
}

// The counters count what was done, and the sums are sums.
func TestConsoleStats(t *testing.T) {
	p := startProxy(t, plain(t), nil)
	console := consoleConn(t, p)
	c := client(t, p.addr)
	for range 3 {
		value(t, c, "select 1")
	}
	for range 2 {
		if err := c.Send(pgtest.Parse("", "select 2"), pgtest.Bind("", ""), pgtest.Execute("", 0), pgtest.Sync); err != nil {
			t.Fatal(err)
		}
		expect(t, c, "1", "2", "D 2", "C *", "Z I")
	}
	var got map[string]any
	eventually(t, "five queries", func() bool {
		got = row(consoleRows(t, console, "show stats_totals"), "database", "postgres")
		return got != nil && numeric(t, got["query_count"]) == 5
	})
	for name, want := range map[string]int64{
		"xact_count": 5, "client_parse_count": 2, "bind_count": 2, "client_login_count": 1, "bytes_sent": 1, "xact_time": 1, "query_time": 1,
	} {
		if n := numeric(t, got[name]); n < want || strings.HasSuffix(name, "_count") && n != want {
			t.Errorf("%s is %d, not %d", name, n, want)
		}
	}
	if total := row(consoleRows(t, console, "show totals"), "name", "total_query_count"); numeric(t, total["value"]) != 5 {
		t.Errorf("the total is %v", total)
	}
}

// numeric is a whole number that came as numeric.
func numeric(t *testing.T, v any) int64 {
	t.Helper()
	n, ok := v.(pgtype.Numeric)
	if !ok {
		t.Fatalf("%v is no numeric", v)
	}
	whole, err := n.Int64Value()
	if err != nil {
		t.Fatal(err)
	}
	return whole.Int64
}

// What pins a client is told, without the literals in it.
func TestConsolePins(t *testing.T) {
	p := startProxy(t, plain(t), nil)
	console := consoleConn(t, p)
	c := client(t, p.addr, "application_name", "pinned")
	if _, err := c.Query("create temporary table secrets as select 'xyzzy'::text as word"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a pin", func() bool { return len(consoleRows(t, console, "show pins")) == 1 })
	pin := consoleRows(t, console, "show pins")[0]
	if pin["reason"] != "temporary" || pin["application_name"] != "pinned" || !strings.Contains(fmt.Sprint(pin["statement"]), "create temporary table secrets") ||
		strings.Contains(fmt.Sprint(pin), "xyzzy") {
		t.Errorf("the pin is %v", pin)
	}
	if _, err := c.Query("drop table secrets"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "no pin", func() bool { return len(consoleRows(t, console, "show pins")) == 0 })
}

// consoleError runs a command and returns its SQLSTATE; "" if it succeeded.
func consoleError(t *testing.T, c *pgx.Conn, command string) string {
	t.Helper()
	_, err := c.Exec(context.Background(), command)
	var refused *pgconn.PgError
	switch {
	case err == nil:
		return ""
	case !errors.As(err, &refused):
		t.Fatalf("%s: %v", command, err)
	}
	return refused.Code
}

// What the console does, and what it refuses to do.
func TestConsoleControl(t *testing.T) {
	p := startProxy(t, plain(t), nil)
	console := consoleConn(t, p)
	for _, command := range []string{"reload", "shutdown", "suspend"} {
		if code := consoleError(t, console, command); code != "0A000" {
			t.Errorf("%s: %s", command, code)
		}
	}
	var reloads, shutdowns atomic.Int32
	failure := errors.New("line 3: no such key")
	p.server.SetControl(proxy.Control{
		Reload: func() error {
			if reloads.Add(1) > 1 {
				return failure
			}
			return nil
		},
		Shutdown: func() { shutdowns.Add(1) },
	})
	first, second, third := consoleError(t, console, "RELOAD"), consoleError(t, console, "reload"), consoleError(t, console, "shutdown")
	if first != "" || second != "F0000" || third != "" || reloads.Load() != 2 || shutdowns.Load() != 1 {
		t.Errorf("reload: %q, %q; shutdown: %q; %d reloads, %d shutdowns", first, second, third, reloads.Load(), shutdowns.Load())
	}
	if code := consoleError(t, console, "reconnect nosuch"); code != "3D000" {
		t.Errorf("reconnect nosuch: %s", code)
	}
}

// KILL_CLIENT ends one client as pg_terminate_backend does, KILL all of a database,
// whose next ones wait for RESUME; a RECONNECT replaces backends.
func TestConsoleKill(t *testing.T) {
	p := startProxy(t, plain(t), nil)
	console := consoleConn(t, p)
	one, other := client(t, p.addr, "application_name", "one"), client(t, p.addr, "application_name", "other")
	id := row(consoleRows(t, console, "show clients"), "application_name", "one")["id"]
	if code := consoleError(t, console, fmt.Sprint("kill_client ", id)); code != "" {
		t.Errorf("kill_client: %s", code)
	}
	expect(t, one, "E FATAL 57P01 *", "EOF")
	if code := consoleError(t, console, fmt.Sprint("kill_client ", id)); code != "42704" {
		t.Errorf("kill_client again: %s", code)
	}
	value(t, other, "select 1")
	pids := func() (all []any) {
		for _, server := range consoleRows(t, console, "show servers") {
			all = append(all, server["remote_pid"])
		}
		return all
	}
	before := pids()
	if code := consoleError(t, console, "reconnect postgres"); code != "" {
		t.Errorf("reconnect: %s", code)
	}
	value(t, other, "select 1")
	for _, pid := range pids() {
		if slices.Contains(before, pid) {
			t.Errorf("backend %v is still there after RECONNECT", pid)
		}
	}
	if code := consoleError(t, console, "kill postgres"); code != "" {
		t.Errorf("kill: %s", code)
	}
	expect(t, other, "E FATAL 57P01 *", "EOF")
	if clients := consoleRows(t, console, "show clients"); len(clients) != 1 {
		t.Errorf("these are left: %v", clients)
	}
	late := begin(t, p.addr, "user", "postgres", "database", "postgres", "application_name", "late")
	eventually(t, "somebody who waits", func() bool { return p.server.Pools().Stats()[0].Waiting == 1 })
	if code := consoleError(t, console, "resume postgres"); code != "" {
		t.Errorf("resume: %s", code)
	}
	if _, err := late.ReceiveUntil('Z'); err != nil {
		t.Error(err)
	}
}
