package proxy_test

import (
	"strings"
	"testing"

	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// A client whose backend others have had finds what it finds in a new one, where
// they have loaded a library or made temporary objects.
func TestNewBackends(t *testing.T) {
	backend := plain(t)
	send := func(sql ...string) (steps []pgtest.Step) {
		for _, text := range sql {
			steps = append(steps, pgtest.Send(pgtest.Query(text)).Expect("...", "Z *"))
		}
		return steps
	}
	others := []pgtest.Step{
		pgtest.Send(pgtest.Query("do $$ begin create temp table other as select 1 as id; end $$")).On("b").Expect("C DO", "Z I"),
		pgtest.Send(pgtest.Terminate).On("b").Expect("EOF"),
	}
	const memory = "set temp_buffers = 200"
	const set = "set plpgsql.no_such_setting = true"
	extended := func(name string) pgtest.Step {
		return pgtest.Send(pgtest.Parse(name, set), pgtest.Bind("", name), pgtest.Execute("", 0), pgtest.Sync).Expect("...", "Z I")
	}
	scripts := map[string][]pgtest.Step{
		"library":                     send(set, "load 'plpgsql'", set, "show plpgsql.no_such_setting"),
		"library, by Execute":         append([]pgtest.Step{extended("")}, send("show plpgsql.no_such_setting", "load 'plpgsql'")...),
		"library, by a name":          {pgtest.Send(pgtest.Parse("s", set), pgtest.Sync).Expect("1", "Z I"), pgtest.Send(pgtest.Bind("", "s"), pgtest.Execute("", 0), pgtest.Sync).Expect("...", "Z I")},
		"library, settings before it": send("set work_mem = '6MB'", set, "show work_mem", "reset all", "show plpgsql.no_such_setting"),
		"library of one's own":        send("do $$ begin end $$", set, "show plpgsql.no_such_setting"),
		"library of one's own, by a function": send("create function pg_temp.f() returns int language plpgsql as 'begin return 1; end'", "discard all",
			set, "show plpgsql.no_such_setting"),
		"library, a bad name before it": send("set a.\"b c\" = 1", set, "load 'plpgsql'"),
		"no setting at all":             send("set plpgsql = 1", "set a.\"b c\" = 1"),
		"memory":                        send(memory, "show temp_buffers", "create temp table mine as select 1 as id", "set temp_buffers = 300", "show temp_buffers"),
		"memory, in a transaction":      send("begin", "set local temp_buffers = 200", "show temp_buffers", "create temp table mine as select 1 as id", "commit", "show temp_buffers"),
		"memory, then others": append(send(memory, "create temp table mine as select 1 as id", "drop table mine", "select 1"),
			pgtest.Send(pgtest.Query("show temp_buffers")).On("c").Expect("...", "Z *")),
		"memory, by Execute":  {pgtest.Send(pgtest.Parse("", memory), pgtest.Bind("", ""), pgtest.Execute("", 0), pgtest.Sync).Expect("...", "Z I")},
		"memory, used":        send("create temp table mine as select 1 as id", "drop table mine", "select 1", memory, "show temp_buffers"),
		"memory, at start-up": append([]pgtest.Step{pgtest.Connect("a", "temp_buffers", "200")}, send("show temp_buffers", "set temp_buffers = 300", "reset temp_buffers")...),
		"memory, for all that the client has": send(memory, "select 1", "create temp table mine as select 1 as id", "drop table mine", "select 2", "show temp_buffers",
			memory+"; select 3"),
		"memory, out of range":  send("set temp_buffers = 1", "set temp_buffers = a"),
		"schema":                send("set search_path = pg_temp", "begin", "select current_schema() ~ 'pg_temp'", "prepare transaction 'left'"),
		"schema, not first":     send("set search_path = public, pg_temp", "begin", "select current_schema() ~ 'pg_temp'", "rollback"),
		"schema, at start-up":   append([]pgtest.Step{pgtest.Connect("a", "search_path", `"pg_temp", public`)}, send("begin; select current_schema() ~ 'pg_temp'", "prepare transaction 'left'")...),
		"schema, objects in it": send("set search_path = pg_temp", "create table t (id int)", "insert into t values (1)", "select * from t", "discard all", "select * from t"),
	}
	for name, steps := range scripts {
		scripts[name] = append(others[:2:2], steps...)
	}
	differ(t, backend, "postgres", 1, nil, scripts)
}

// Where a new backend has loaded the library, too, it is of no use: the client gets
// the error, and the backend is not kept for it.
func TestNewBackendInVain(t *testing.T) {
	backend := plain(t)
	admin := observer(t, backend)
	for _, sql := range []string{"drop database if exists preloads with (force)", "create database preloads",
		"alter database preloads set session_preload_libraries = 'auto_explain'"} {
		if err := admin.Exec(sql); err != nil {
			t.Fatal(err)
		}
	}
	p := startProxy(t, backend, func(c *proxy.Config) { c.Pool.Size = 1 })
	const set = "set auto_explain.no_such_setting = 1"
	pgtest.Check(t, pgtest.Target{Address: p.addr, User: "postgres", Database: "preloads"}, &pgtest.Script{Name: "in vain", Steps: []pgtest.Step{
		pgtest.Send(pgtest.Query(set)).Expect("E ERROR 42602 *", "Z I"),
		pgtest.Send(pgtest.Query("select 1")).Expect("T *", "D 1", "C SELECT 1", "Z I"),
	}})
	stats := p.server.Pools().Stats()
	if i := indexOfPool(stats, "preloads"); stats[i].Dedicated != 0 || stats[i].Active != 0 {
		t.Errorf("the client has kept a backend: %+v", stats[i])
	}
}

// A client that looks at the number of logins finds that its own is among them. That
// costs one login, which is over at once.
func TestOwnLogin(t *testing.T) {
	backend := plain(t)
	const sessions = "select sessions from pg_stat_database where datname = 'postgres'"
	p := startProxy(t, backend, func(c *proxy.Config) { c.Pool.Size = 1 })
	read := func(client string, steps ...pgtest.Step) string {
		t.Helper()
		got := pgtest.Check(t, pgtest.Target{Address: p.addr, User: "postgres", Database: "postgres"}, &pgtest.Script{Name: client, Steps: steps})
		_, row, _ := strings.Cut(got.String(), "D ")
		row, _, _ = strings.Cut(row, "\n")
		return row
	}
	query := pgtest.Send(pgtest.Query(sessions)).Expect("T *", "D *", "C SELECT 1", "Z I")
	parse := pgtest.Send(pgtest.Parse("", sessions), pgtest.Bind("", ""), pgtest.Execute("", 0), pgtest.Sync).Expect("1", "2", "D *", "C SELECT 1", "Z I")
	first := read("Query", query, query)
	if again := read("Query", query); again == first {
		t.Errorf("Query: a new client finds as many logins as the one before: %s", first)
	} else if third := read("Parse", parse, parse); third == again {
		t.Errorf("Parse: a new client finds as many logins as the one before: %s", again)
	}
	stats := p.server.Pools().Stats()
	if i := indexOfPool(stats, "postgres"); stats[i].Dedicated != 0 || stats[i].Connects != 4 {
		t.Errorf("%d backends are still there beside the pool, there were %d logins, want 0 and 4", stats[i].Dedicated, stats[i].Connects)
	}
}

func indexOfPool(stats []pool.Stat, database string) int {
	for i, s := range stats {
		if s.Key.Database == database {
			return i
		}
	}
	return -1
}

// A function that is written in C and belongs to no extension may keep what it likes in
// its process: the session stays there.
func TestNativeFunctions(t *testing.T) {
	backend := plain(t)
	admin := observer(t, backend)
	const limit = "create or replace function native_limit(real) returns real language c strict as '$libdir/pg_trgm', 'set_limit'"
	if err := admin.Exec(limit); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = admin.Exec("drop function native_limit(real)") })
	p := startProxy(t, backend, func(c *proxy.Config) { c.Pool.Size = 2 })
	pgtest.Check(t, pgtest.Target{Address: p.addr, User: "postgres", Database: "postgres"}, &pgtest.Script{Name: "native", Steps: []pgtest.Step{
		pgtest.Send(pgtest.Query("select native_limit(0.5)")).Expect("T *", "D *", "C SELECT 1", "Z I"),
		pgtest.Send(pgtest.Query("select 1")).Expect("T *", "D 1", "C SELECT 1", "Z I"),
		pgtest.Send(pgtest.Query("select 2")).On("b").Expect("T *", "D 2", "C SELECT 1", "Z I"),
		pgtest.Send(pgtest.Query("select 3")).Expect("T *", "D 3", "C SELECT 1", "Z I"),
	}})
	if !strings.Contains(p.log.String(), "a library was loaded") {
		t.Error("the session was not pinned to its backend")
	}
}
