package proxy_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/cache"
	"github.com/pgjay/pgjay/proxy"
)

// consoleOf logs in to the console.
func consoleOf(t *testing.T, p *running) *pgconn.PgConn {
	t.Helper()
	return dialDatabase(t, p.addr, "pgjay")
}

func dialDatabase(t *testing.T, addr, database string) *pgconn.PgConn {
	t.Helper()
	conn, err := pgconn.Connect(context.Background(), "postgres://postgres@"+addr+"/"+database+"?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// rowsOf returns the rows of a console's answer, each by the names of the columns.
func rowsOf(t *testing.T, conn *pgconn.PgConn, command string) (rows []map[string]string) {
	t.Helper()
	results, err := conn.Exec(context.Background(), command).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range results[0].Rows {
		line := make(map[string]string)
		for i, f := range results[0].FieldDescriptions {
			line[f.Name] = string(row[i])
		}
		rows = append(rows, line)
	}
	return rows
}

// SHOW CACHE has what was cached, with what it has saved, and what was not, with the
// reason.
func TestConsoleShowCache(t *testing.T) {
	backend := plain(t)
	newCacheWorld(t, backend)
	p := startProxy(t, backend, withCache)
	conn, console := dial(t, p.addr), consoleOf(t, p)
	slow := "select count(*) from generate_series(1, 200000) i, t where t.id = 1"
	cached(t, p, conn, "select v from t where id = 1")
	cached(t, p, conn, slow)
	answerOf(t, conn, slow)
	var rows []map[string]string
	eventually(t, "there is a reason", func() bool {
		answerOf(t, conn, "select now()")
		rows = rowsOf(t, console, "show cache")
		return len(rows) >= 3 && rowOf(rows, "now()")["why"] != ""
	})
	first, second, refused := rows[0], rowOf(rows, "select v from t"), rowOf(rows, "now()")
	if !strings.Contains(first["statement"], "generate_series($1, $2)") || first["hits"] == "0" || first["saved_us"] == "0" || first["entries"] != "1" || first["bytes"] == "0" {
		t.Errorf("what saves most is not at the top: %v", first)
	}
	if second["statement"] != "select v from t where id = $1" || second["hits"] != "1" || second["misses"] == "0" || second["why"] != "" || second["off"] != "f" {
		t.Errorf("the row is %v", second)
	}
	if !strings.Contains(refused["why"], "now") || refused["hits"] != "0" || refused["entries"] != "0" {
		t.Errorf("the row is %v", refused)
	}
	if got := rowOf(rowsOf(t, console, "show cache totals"), "hits"); got["value"] != "3" {
		t.Errorf("hits in all: %v", got)
	}
}

// rowOf returns the row whose first column contains text.
func rowOf(rows []map[string]string, text string) map[string]string {
	for _, row := range rows {
		if strings.Contains(row["statement"]+row["name"], text) {
			return row
		}
	}
	return nil
}

// consolePurges are commands, and whether they forget what was read: "select v from t"
// with the tag mine.
var consolePurges = []struct {
	read, command string
	forgets       bool
}{
	{"select v from t where id = 1", "purge cache", true},
	{"select v from t where id = 1", "PURGE CACHE ALL;", true},
	{"select v from t where id = 1", "purge cache table t", true},
	{"select v from t where id = 1", "purge cache table c.T", true},
	{"select v from t where id = 1", `purge cache table "c"."t"`, true},
	{"select v from seen where id = 1", "purge cache table t", true},
	{"select v from seen_again where id = 1", "purge cache table seen", true},
	{"select v from t where id = 1", "purge cache table seen_again", true},
	{"select v from part2a where id = 11", "purge cache table part", true},
	{"select sum(v) from part", "purge cache table part2a", true},
	{"select v from t where id = 1", "purge cache tag mine", true},
	{"select v from t where id = 1", "purge cache tag 'mine'", true},
	{"select v from t where id = 1", "purge cache tag other", false},
	{"select v from t where id = 1", "purge cache tag \"MINE\"", false},
	{"select v from t where id = 1", "purge cache table other", false},
	{"select v from t where id = 1", "purge cache table public.t", false},
	{"select v from t where id = 1", "purge cache table nosuch", false},
}

// TestConsolePurge changes rows behind the proxy's back: it is seen when the cache is
// told to forget, at once, and not before.
func TestConsolePurge(t *testing.T) {
	backend := plain(t)
	newCacheWorld(t, backend)
	p := startProxy(t, backend, func(c *proxy.Config) {
		withCache(c)
		c.Cache.Rules = []cache.Rule{{Cache: cache.Always, Tags: []string{"mine"}}}
	})
	conn, direct, console := dial(t, p.addr), dial(t, backend), consoleOf(t, p)
	for _, test := range consolePurges {
		for _, how := range []string{"Query", "Parse"} {
			t.Run(test.command+"/"+test.read+"/"+how, func(t *testing.T) {
				before := cached(t, p, conn, test.read)
				answerOf(t, direct, "update t set v = v + 1; update part set v = v + 1")
				if got := answerOf(t, conn, test.read); got != before {
					t.Fatalf("it was forgotten before: %s", got)
				}
				if how == "Query" {
					answerOf(t, console, test.command)
				} else {
					console.ExecParams(context.Background(), test.command, nil, nil, nil, nil).Read()
				}
				if got := answerOf(t, conn, test.read); (got != before) != test.forgets {
					t.Errorf("after %s: %s, before %s", test.command, got, before)
				}
			})
		}
		answerOf(t, console, "purge cache")
	}
}

// A table's name may be that of tables in several databases.
func TestConsolePurgeDatabases(t *testing.T) {
	backend := plain(t)
	admin := observer(t, backend)
	for _, sql := range []string{"drop database if exists console_2 with (force)", "create database console_2"} {
		if err := admin.Exec(sql); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		_ = admin.Exec("drop table if exists console_t; drop database if exists console_2 with (force)")
	})
	p := startProxy(t, backend, withCache)
	var console *pgconn.PgConn
	var told string
	notice := func(_ *pgconn.PgConn, n *pgconn.Notice) { told = n.Message }
	cfg, err := pgconn.ParseConfig("postgres://postgres@" + p.addr + "/pgjay?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	cfg.OnNotice = notice
	if console, err = pgconn.ConnectConfig(context.Background(), cfg); err != nil {
		t.Fatal(err)
	}
	defer console.Close(context.Background())
	var before []string
	clients := []*pgconn.PgConn{dialDatabase(t, p.addr, "postgres"), dialDatabase(t, p.addr, "console_2")}
	for i, database := range []string{"postgres", "console_2"} {
		answerOf(t, dialDatabase(t, backend, database), "drop table if exists console_t; create table console_t as select 1 as v")
		answerOf(t, clients[i], "select 1")
		before = append(before, cached(t, p, clients[i], "select v from console_t"))
		answerOf(t, dialDatabase(t, backend, database), "update console_t set v = 2")
	}
	answerOf(t, console, "purge cache table console_t")
	if told != `databases that have "console_t": 2` {
		t.Errorf("it says %q", told)
	}
	for i, c := range clients {
		if got := answerOf(t, c, "select v from console_t"); got == before[i] {
			t.Errorf("client %d still gets %s", i, got)
		}
	}
}
