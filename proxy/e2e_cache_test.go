package proxy_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgjay/pgjay/cache"
	"github.com/pgjay/pgjay/pool/embedded"
	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// The numbers in these tests are those of the traps in docs/caching.md.

// withCache lets a proxy cache all that may be cached.
func withCache(c *proxy.Config) {
	c.Cache = cache.DefaultConfig()
	c.Cache.Enabled = true
	c.Cache.Rules = []cache.Rule{{Cache: cache.Always}}
}

// cacheWorld is what the statements of the traps are about.
const cacheWorld = `
	drop schema if exists c cascade; create schema c; set search_path = c, public;
	create table t (id int primary key, v int, s text, d date, f float8);
	insert into t select i, 0, 's' || i, '2020-01-01', 0.1 from generate_series(1, 10) i;
	create table other (id int primary key, v int); insert into other values (1, 0);
	create table parent (id int primary key);
	create table child (id int primary key, parent int references parent on delete cascade, note int default 0);
	create table grandchild (id int primary key, child int references child on delete set null);
	insert into parent select generate_series(1, 5); insert into child select i, i from generate_series(1, 5) i;
	insert into grandchild select i, i from generate_series(1, 5) i;
	create table part (id int, v int) partition by range (id);
	create table part1 partition of part for values from (0) to (10);
	create table part2 partition of part for values from (10) to (20) partition by range (id);
	create table part2a partition of part2 for values from (10) to (20);
	insert into part values (1, 0), (11, 0);
	create table base (id int, v int); create table heir () inherits (base); insert into heir values (1, 0);
	create view seen as select * from t where id < 5; create view seen_again as select * from seen;
	create materialized view stored as select sum(v) as n from t;
	create table logged (n int); insert into logged values (0);
	create function log() returns trigger language plpgsql as $$ begin update logged set n = n + 1; return null; end $$;
	create table watched (id int, v int); insert into watched values (1, 0);
	create trigger log after update on watched for each statement execute function log();
	create table later (id int primary key, v int); insert into later values (1, 0);
	create constraint trigger log after update on later deferrable initially deferred for each row execute function log();
	create table ruled (id int, v int); insert into ruled values (1, 0);
	create rule r as on update to ruled do also update other set v = v + 1;
	create function bump() returns int language plpgsql as $$ begin update t set v = v + 1 where id = 1; return 1; end $$;
	create procedure bump_it() language plpgsql as $$ begin update t set v = v + 1 where id = 1; commit; end $$;
	create function quiet(int) returns int language sql immutable as 'select $1';
	create table secret (id int, owner name, v int); alter table secret enable row level security;
	create policy p on secret using (owner = current_user);
	create sequence counter;
	create domain small as int check (value < 100);
	create type mood as enum ('sad', 'happy')`

// cacheWrites are the traps about what a statement changes: the answer to read, which the
// cache has, is another one after the write. That is one Query, or several with ;; between
// them.
var cacheWrites = []struct{ name, read, write string }{
	{"15 update", "select v from t where id = 1", "update t set v = v + 1 where id = 1"},
	{"15 insert", "select count(*) from t", "insert into t (id) select max(id) + 1 from t"},
	{"15 delete", "select count(*) from t", "delete from t where id = (select max(id) from t)"},
	{"15 merge", "select v from t where id = 2", "merge into t using (values (2)) x (i) on t.id = x.i when matched then update set v = v + 1"},
	{"15 upsert", "select v from t where id = 3", "insert into t (id) values (3) on conflict (id) do update set v = t.v + 1"},
	{"15 with", "select v from t where id = 1", "with x as (update t set v = v + 1 where id = 1 returning v) select * from x"},
	{"15 explain analyze", "select v from t where id = 1", "explain analyze update t set v = v + 1 where id = 1"},
	{"15 copy of with", "select v from t where id = 1", "copy (with x as (update t set v = v + 1 where id = 1 returning v) select * from x) to stdout"},
	{"15 create table as", "select v from t where id = 1", "drop table if exists made; create table made as with x as (update t set v = v + 1 where id = 1 returning v) select * from x"},
	{"15 cursor", "select v from t where id = 1", "begin; declare k cursor for select bump(); fetch k; commit"},
	{"16 cascade", "select count(*) from child", "delete from parent where id = (select min(id) from parent)"},
	{"16 set null", "select count(child) from grandchild", "delete from child where id = (select min(id) from child)"},
	{"16 cascade, then set null", "select count(child) from grandchild", "delete from parent where id = (select min(parent) from child)"},
	{"17 trigger", "select n from logged", "update watched set v = v + 1"},
	{"17 deferred trigger", "select n from logged", "begin; update later set v = v + 1; commit"},
	{"18 rule", "select v from other", "update ruled set v = v + 1"},
	{"19 view", "select v from t where id = 1", "update seen_again set v = v + 1 where id = 1"},
	{"20 function", "select v from t where id = 1", "select bump()"},
	{"20 function in where", "select v from t where id = 1", "select 1 where bump() = 1"},
	{"21 do", "select v from t where id = 1", "do $$ begin update t set v = v + 1 where id = 1; end $$"},
	{"21 call", "select v from t where id = 1", "call bump_it()"},
	{"22 two phases", "select v from t where id = 1", "begin;; update t set v = v + 1 where id = 1;; prepare transaction 'x';; commit prepared 'x'"},
	{"23 truncate", "select count(*) from other", "truncate other; insert into other values (1, 0), (2, 0)"},
	{"23 truncate cascade", "select count(*) from grandchild", "truncate parent cascade"},
	{"25 leaf to root", "select sum(v) from part", "update part1 set v = v + 1"},
	{"25 leaf two levels down", "select sum(v) from part", "update part2a set v = v + 1"},
	{"25 root to leaf", "select sum(v) from part2a", "update part set v = v + 1"},
	{"25 heir", "select sum(v) from base", "update heir set v = v + 1"},
	{"25 parent to heir", "select sum(v) from heir", "update base set v = v + 1"},
	{"26 refresh", "select n from stored", "update t set v = v + 1; refresh materialized view stored"},
	{"34 several statements", "select v from t where id = 1", "begin; update t set v = v + 1 where id = 1; commit; select 1"},
	{"34 implicit transaction", "select v from other", "select 1; update other set v = v + 1; select 2"},
	{"40 views of views", "select v from seen_again where id = 1", "update t set v = v + 1 where id = 1"},
	{"40 sub-select", "select (select max(v) from t) + 1", "update t set v = v + 1"},
	{"51 new object in the path", "select count(*) from pg_temp_or_public", "create table c.pg_temp_or_public (i int); insert into c.pg_temp_or_public values (1)"},
	{"52 alter table", "select * from other", "alter table other add column if not exists more int default 7; alter table other rename more to more_" + "x"},
	{"52 view replaced", "select v from seen where id = 1", "create or replace view seen as select id, v + 100 as v, s, d, f from t where id < 5"},
	{"22 sql prepare", "select v from t where id = 1", "prepare w as update t set v = v + 1 where id = 1;; execute w;; deallocate w"},
}

// cached runs a statement until the cache has the answer, and returns that. It fails
// the test if that never comes to pass.
func cached(t *testing.T, p *running, conn *pgconn.PgConn, sql string) string {
	t.Helper()
	var answer string
	eventually(t, "the cache has the answer to "+sql, func() bool {
		before := p.server.Cache().Stat().Hits()
		answer = answerOf(t, conn, sql)
		return p.server.Cache().Stat().Hits() > before
	})
	return answer
}

// answerOf runs a text and returns its rows, and errors, as text.
func answerOf(t *testing.T, conn *pgconn.PgConn, sql string) string {
	t.Helper()
	var out strings.Builder
	reader := conn.Exec(context.Background(), sql)
	for reader.NextResult() {
		rows := reader.ResultReader()
		for _, f := range rows.FieldDescriptions() {
			fmt.Fprintf(&out, "%s ", f.Name)
		}
		for rows.NextRow() {
			fmt.Fprintf(&out, "%q", rows.Values())
		}
		if _, err := rows.Close(); err != nil {
			fmt.Fprint(&out, err)
		}
	}
	if err := reader.Close(); err != nil && out.Len() == 0 {
		fmt.Fprint(&out, err)
	}
	return out.String()
}

func dial(t *testing.T, addr string) *pgconn.PgConn {
	t.Helper()
	conn, err := pgconn.Connect(context.Background(), "postgres://postgres@"+addr+"/postgres?sslmode=disable&search_path=c,public")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func newCacheWorld(t *testing.T, backend string) {
	t.Helper()
	admin := observer(t, backend)
	for _, sql := range []string{cacheWorld, "drop table if exists public.pg_temp_or_public", "create table public.pg_temp_or_public (i int)"} {
		if err := admin.Exec(sql); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		_ = admin.Exec("drop schema if exists c cascade; drop table if exists public.pg_temp_or_public")
	})
}

// prepared transactions need a setting that the shared server does not have.
func twoPhases(t *testing.T) string {
	return pgtest.NewServer(t, embedded.Options{Settings: map[string]string{"max_prepared_transactions": "5"}}).Address()
}

func TestCacheWrites(t *testing.T) {
	backend := twoPhases(t)
	for _, how := range []string{"Query", "Parse"} {
		newCacheWorld(t, backend)
		p := startProxy(t, backend, withCache)
		for _, test := range cacheWrites {
			t.Run(how+"/"+test.name, func(t *testing.T) {
				reader, writer, direct := dial(t, p.addr), dial(t, p.addr), dial(t, backend)
				before := cached(t, p, reader, test.read)
				if how == "Query" || strings.Contains(test.write, ";") {
					for text := range strings.SplitSeq(test.write, ";; ") {
						answerOf(t, writer, text)
					}
				} else if r := writer.ExecParams(context.Background(), test.write, nil, nil, nil, nil).Read(); r.Err != nil && !strings.HasPrefix(test.write, "copy") {
					t.Fatal(r.Err)
				}
				want, got := answerOf(t, direct, test.read), answerOf(t, reader, test.read)
				if got != want {
					t.Errorf("after %s\n%s\nis %s, want %s", test.write, test.read, got, want)
				}
				if want == before {
					t.Errorf("%s does not change %s: %s", test.write, test.read, want)
				}
			})
		}
	}
}

// cacheRefusals are statements whose answers must not be kept, and what is said of them.
var cacheRefusals = []struct{ name, sql, why string }{
	{"27 sequence", "select last_value from counter", "sequence"},
	{"27 nextval", "select nextval('counter')", ""},
	{"28 large object", "select loid from pg_largeobject", "catalog"},
	{"39 ctid", "select ctid from t", "system column"},
	{"41 function that reads", "select bump()", ""},
	{"45 shadowed", "select quiet(1)", "quiet"},
	{"46 now", "select now()", "now"},
	{"46 current_date", "select current_date", "time"},
	{"46 current_user", "select current_user", "user"},
	{"46 random", "select random()", "random"},
	{"46 literal", "select * from t where d = 'today'", ""},
	{"46 current_setting", "select current_setting('datestyle')", "current_setting"},
	{"47 for update", "select * from t where id = 1 for update", "lock"},
	{"47 sleep", "select pg_sleep(0)", "pg_sleep"},
	{"48 tablesample", "select * from t tablesample system (50)", "TABLESAMPLE"},
	{"49 catalog", "select relname from pg_class limit 1", "catalog"},
	{"49 information_schema", "select table_name from information_schema.tables limit 1", ""},
	{"49 pg_stat", "select * from pg_stat_activity", ""},
	{"60 row level security", "select * from secret", "row level security"},
	{"76 several statements", "select 1; select 2", "one statement"},
	{"15 with", "with x as (update other set v = v returning v) select * from x", "only read"},
	{"42 type of a column", "select heat from oven", "celsius"},
	{"42 type in the text", "select '5'::celsius is null", "celsius"},
	{"44 operator", "select 1 |%| 2", "|%|"},
	{"45 attribute", "select o.noted from other o", "noted"},
}

// cacheRefusalWorld is what they need besides cacheWorld.
const cacheRefusalWorld = `
	set search_path = c, public;
	create type celsius;
	create function celsius_in(cstring) returns celsius language internal immutable strict as 'int4in';
	create function celsius_out(celsius) returns cstring language internal immutable strict as 'int4out';
	create type celsius (input = celsius_in, output = celsius_out, like = int4);
	create table oven (heat celsius); insert into oven values ('200');
	create function quieter(int, int) returns int language sql immutable as 'select $1';
	create operator c.|%| (leftarg = int, rightarg = int, function = quieter);
	create function noted(other) returns int language sql immutable as 'select 1'`

// What must not be kept of a Query must not be kept of a prepared statement either.
func TestCacheRefusalsOfParse(t *testing.T) {
	backend := plain(t)
	newCacheWorld(t, backend)
	if err := observer(t, backend).Exec(cacheRefusalWorld); err != nil {
		t.Fatal(err)
	}
	p := startProxy(t, backend, withCache)
	conn := dial(t, p.addr)
	cached(t, p, conn, "select 1")
	tests := slices.Clone(cacheRefusals)
	for i, sql := range []string{"select coalesce(heat, $1) is null from oven", "select d = $1::date from t where id = 1"} {
		tests = append(tests, tests[0])
		tests[len(tests)-1].name, tests[len(tests)-1].sql = fmt.Sprint("parameter ", i), sql
	}
	for _, test := range tests {
		if strings.HasPrefix(test.name, "76 several") {
			continue
		}
		t.Run(test.name, func(t *testing.T) {
			hits, refused := p.server.Cache().Stat().Hits(), p.server.Cache().Stat().Refused[cache.RefusedStatement]
			var params [][]byte
			if strings.Contains(test.sql, "$1") {
				params = [][]byte{[]byte("1")}
			}
			if strings.Contains(test.sql, "$1::date") {
				params = [][]byte{[]byte("today")}
			}
			for test.name != "27 nextval" && p.server.Cache().Stat().Refused[cache.RefusedStatement] < refused+2 && !t.Failed() {
				conn.ExecParams(context.Background(), test.sql, params, nil, nil, nil).Read()
				if got := p.server.Cache().Stat().Hits(); got != hits {
					t.Errorf("%s was answered from the cache", test.sql)
				}
			}
		})
	}
}

func TestCacheRefusals(t *testing.T) {
	backend := plain(t)
	newCacheWorld(t, backend)
	if err := observer(t, backend).Exec(cacheRefusalWorld); err != nil {
		t.Fatal(err)
	}
	p := startProxy(t, backend, withCache)
	conn := dial(t, p.addr)
	cached(t, p, conn, "select 1")
	for _, test := range cacheRefusals {
		t.Run(test.name, func(t *testing.T) {
			hits := p.server.Cache().Stat().Hits()
			why := ""
			for range 5 {
				answerOf(t, conn, test.sql)
			}
			if test.why != "" {
				eventually(t, "there is a reason for "+test.sql, func() bool {
					answerOf(t, conn, test.sql)
					for _, s := range p.server.Cache().Shapes() {
						if s.Why != "" && strings.Contains(s.Why, test.why) {
							why = s.Why
						}
					}
					return why != ""
				})
			}
			if got := p.server.Cache().Stat().Hits(); got != hits {
				t.Errorf("%s was answered from the cache", test.sql)
			}
		})
	}
}

// cacheSessions are the traps about who asks, and in which state: a session that has done
// first gets another answer than one that has not, or no answer from the cache.
var cacheSessions = []struct{ name, first, read string }{
	{"42 extra_float_digits", "set extra_float_digits = -10", "select f / 3 from t where id = 1"},
	{"42 bytea_output", "set bytea_output = 'escape'", `select '\x00ff'::bytea`},
	{"44 datestyle", "set datestyle = 'German'", "select d from t where id = 1"},
	{"44 timezone", "set timezone = 'Asia/Tokyo'", "select '2020-01-01 00:00+00'::timestamptz"},
	{"50 temporary table", "create temp table t as select 99 as v", "select v from t where v >= 0 order by v limit 1"},
	{"51 search_path", "set search_path = public, c", "select count(*) from pg_temp_or_public"},
	{"54 role", "set role nobody", "select v from t where id = 1"},
	{"55 set local", "begin; set local extra_float_digits = -10", "select f / 3 from t where id = 1"},
	{"55 rolled back", "set extra_float_digits = 0; begin; set extra_float_digits = -10; rollback", "select f / 3 from t where id = 1"},
	{"56 set_config", "select set_config('extra_float_digits', '-10', false)", "select f / 3 from t where id = 1"},
	{"56 in DO", "do $$ begin perform set_config('extra_float_digits', '-10', false); end $$", "select f / 3 from t where id = 1"},
	{"57 intervalstyle", "set intervalstyle = 'iso_8601'", "select interval '1 day 2 hours'"},
	{"57 lc_monetary", "set lc_monetary = 'C'", "select 1.5::numeric::money"},
	{"57 transform_null_equals", "set transform_null_equals = on", "select count(*) from t where v = null"},
	{"58 strings", "set standard_conforming_strings = off", `select 'a\\b'`},
	{"63 encoding", "set client_encoding = 'latin1'", "select chr(233)"},
	{"76 repeatable read", "begin isolation level repeatable read; select count(*) from other", "select v from t where id = 1"},
	{"77 after a write", "begin; update t set v = v + 1 where id = 1", "select v from t where id = 1"},
}

func TestCacheSessions(t *testing.T) {
	backend := plain(t)
	newCacheWorld(t, backend)
	admin := observer(t, backend)
	_ = admin.Exec("create role nobody")
	p := startProxy(t, backend, withCache)
	for _, test := range cacheSessions {
		t.Run(test.name, func(t *testing.T) {
			usual := dial(t, p.addr)
			plainly := cached(t, p, usual, test.read)
			special, twin := dial(t, p.addr), dial(t, backend)
			answerOf(t, twin, test.first)
			want := answerOf(t, twin, test.read)
			_ = twin.Close(context.Background()) // it may have locks
			answerOf(t, special, test.first)
			for range 3 {
				if got := answerOf(t, special, test.read); got != want {
					t.Errorf("after %s\n%s\nis %s, want %s", test.first, test.read, got, want)
				}
			}
			_ = special.Close(context.Background())
			if got := answerOf(t, usual, test.read); got != plainly {
				t.Errorf("then for others %s\nis %s, want %s", test.read, got, plainly)
			}
		})
	}
}

// 77: in a transaction, reads are served until it does anything else.
func TestCacheTransactions(t *testing.T) {
	backend := plain(t)
	newCacheWorld(t, backend)
	p := startProxy(t, backend, withCache)
	const read = "select v from t where id = 1"
	conn := dial(t, p.addr)
	cached(t, p, conn, read)
	for _, test := range []struct {
		texts string
		hit   bool
	}{
		{"begin", true},
		{"begin;; select count(*) from t where id = 3", true},
		{"begin isolation level read committed read only;; select count(*) from other", true},
		{"begin isolation level repeatable read", false},
		{"begin isolation level repeatable read;; select count(*) from other", false},
		{"begin;; update other set v = v", false},
		{"begin;; select 1 from other for update", false},
		{"begin;; set local extra_float_digits = 0", false},
		{"begin;; savepoint a", false},
		{"begin;; select count(*) from t where id = 4;; select bump()", false},
	} {
		cached(t, p, conn, read)
		for text := range strings.SplitSeq(test.texts, ";; ") {
			answerOf(t, conn, text)
		}
		before := p.server.Cache().Stat().Hits()
		answerOf(t, conn, read)
		if hit := p.server.Cache().Stat().Hits() > before; hit != test.hit {
			t.Errorf("after %s: from the cache: %t", test.texts, hit)
		}
		answerOf(t, conn, "rollback")
	}
}

// 59: what a role may read no more is not served.
func TestCacheRights(t *testing.T) {
	backend := plain(t)
	newCacheWorld(t, backend)
	_ = observer(t, backend).Exec("create role nobody")
	p := startProxy(t, backend, withCache)
	admin, conn := dial(t, p.addr), dial(t, p.addr)
	for _, step := range []struct{ grant, revoke string }{
		{"grant usage on schema c to nobody; grant select on t to nobody", "revoke select on t from nobody"},
		{"create role club; grant select on t to club; grant club to nobody", "revoke club from nobody"},
	} {
		answerOf(t, admin, step.grant)
		answerOf(t, conn, "set role nobody")
		cached(t, p, conn, "select v from t where id = 1")
		answerOf(t, admin, step.revoke)
		if got := answerOf(t, conn, "select v from t where id = 1"); !strings.Contains(got, "42501") {
			t.Errorf("after %s: %s", step.revoke, got)
		}
	}
	answerOf(t, admin, "drop owned by club; drop role club")
}

// 65 to 68: what is served has the shape that was asked for, message by message.
func TestCacheShapes(t *testing.T) {
	backend := plain(t)
	newCacheWorld(t, backend)
	p := startProxy(t, backend, withCache)
	const sql = "select id, s, f from t where id <= $1 order by id"
	bind := func(format int16) pgproto3.FrontendMessage {
		b := pgtest.Bind("", "", "3")
		b.ResultFormatCodes = []int16{format}
		return b
	}
	steps := []pgtest.Step{
		pgtest.Send(pgtest.Parse("", sql), bind(0), pgtest.Execute("", 0), pgtest.Sync).Expect("...", "Z I"),
		pgtest.Send(pgtest.Parse("", sql), bind(0), pgtest.DescribePortal(""), pgtest.Execute("", 0), pgtest.Sync).Expect("...", "Z I"),
		pgtest.Send(pgtest.Parse("", sql), bind(1), pgtest.DescribePortal(""), pgtest.Execute("", 0), pgtest.Sync).Expect("...", "Z I"),
		pgtest.Send(pgtest.Parse("", sql), bind(0), pgtest.Execute("", 2), pgtest.Sync).Expect("...", "Z I"),
		pgtest.Send(pgtest.Parse("", sql), pgtest.DescribeStatement(""), bind(0), pgtest.Execute("", 0), pgtest.Sync).Expect("...", "Z I"),
		pgtest.Send(bind(0), pgtest.DescribePortal(""), pgtest.Execute("", 0), pgtest.ClosePortal(""), pgtest.Sync).Expect("...", "Z I"),
		pgtest.Send(pgtest.DescribeStatement(""), pgtest.Sync).Expect("...", "Z I"),
		pgtest.Send(pgtest.Query("select id, s, f from t where id <= 3 order by id")).Expect("...", "Z I"),
		pgtest.Send(bind(0), pgtest.Execute("", 0), pgtest.Sync).Expect("...", "Z I"), // the Query has dropped the statement
		pgtest.Send(pgtest.Query("begin")).Expect("C BEGIN", "Z T"),
		pgtest.Send(pgtest.Query("select id, s, f from t where id <= 3 order by id")).Expect("...", "Z T"),
		pgtest.Send(pgtest.Parse("", sql), bind(0), pgtest.DescribePortal(""), pgtest.Execute("", 0), pgtest.Sync).Expect("...", "Z T"),
		pgtest.Send(pgtest.Query("commit")).Expect("C COMMIT", "Z I"),
	}
	script := &pgtest.Script{Name: "shapes", Steps: append([]pgtest.Step{pgtest.Connect("a", "search_path", "c")}, steps...)}
	want := pgtest.Check(t, pgtest.Target{Address: backend, User: "postgres", Database: "postgres"}, script)
	eventually(t, "the cache has most of it", func() bool {
		before := p.server.Cache().Stat().Hits()
		got := pgtest.Check(t, pgtest.Target{Address: p.addr, User: "postgres", Database: "postgres"}, script)
		if diff := pgtest.Diff(want, got); diff != "" {
			t.Fatalf("%s\ndirectly:\n%s\nthrough the proxy:\n%s", diff, want, got)
		}
		return p.server.Cache().Stat().Hits() >= before+6
	})
}
