package proxy_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/rewrite"
)

// withDeep has deep pages got from bookmarks, from a low OFFSET on.
func withDeep(c *proxy.Config) {
	c.Rewrite = rewrite.DefaultConfig()
	c.Rewrite.Offset.Enabled, c.Rewrite.Offset.Min = true, 100
}

const deepRows = 6000

// deepWorld has keys of all kinds: with ties, NULLs, of all types that can be carried.
const deepWorld = `
	drop schema if exists c cascade; create schema c; set search_path = c;
	create table t (id int primary key, n int not null, maybe int, big int8 not null, small int2 not null, u uuid not null, s text not null,
		v varchar(30) not null, ch char(6) not null, num numeric(10,2) not null, d date not null, ts timestamp not null,
		tz timestamptz not null, tm time not null, b bytea not null, f float8 not null, yes bool not null, status text not null, note text);
	insert into t select i, i / 3, case when i % 4 > 0 then (i * 7919) % 3000 end, i * 10000000000, i % 500, md5(i::text)::uuid, md5((i / 2)::text),
		md5(i::text)::varchar(30), lpad((i % 700)::text, 4, 'x'), (i * 37 % 1000) / 10.0, date '2000-01-01' + i / 10, timestamp '2000-01-01' + i * interval '1 hour 1 microsecond',
		timestamptz '2000-01-01 00:00+00' + (i / 2) * interval '37 minutes', time '00:00' + i * interval '11 seconds', decode(md5((i / 5)::text), 'hex'), i / 7.0, i % 2 = 0,
		case when i % 3 = 0 then 'lead' else 'none' end, 'note ' || i
		from generate_series(1, ` + "6000" + `) i order by md5(i::text);
	create index on t (n, id); create index on t (maybe); create index on t (maybe nulls first); create index on t (big); create index on t (small, id); create index on t (u);
	create index on t (s); create index on t (s collate "C"); create index on t (v); create index on t (ch); create index on t (num); create index on t (d); create index on t (ts);
	create index on t (tz); create index on t (tm); create index on t (b); create index on t (f); create index on t (yes); create index on t (lower(note)); create index on t (status, n, id);
	create table o (id int primary key, owner text not null); insert into o select i, 'owner ' || i from generate_series(0, 2000) i;
	create table part (id int not null, k int not null) partition by range (id);
	create table part1 partition of part for values from (0) to (3000); create table part2 partition of part for values from (3000) to (10000);
	insert into part select i, i / 2 from generate_series(1, 6000) i; create index on part (k);
	create view seen as select * from t;
	analyze t; analyze o; analyze part`

func newDeepWorld(t *testing.T, backend string) {
	t.Helper()
	admin := observer(t, backend)
	for _, sql := range []string{deepWorld, "vacuum c.t"} {
		if err := admin.Exec(sql); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _ = admin.Exec("drop schema if exists c cascade") })
}

// deepLists are statements whose pages are got from bookmarks. Each has a total order.
var deepLists = []string{
	"select * from t order by n, id",
	"select * from t order by n desc, id desc",
	"select * from t order by n desc, id",
	"select * from t order by n, s desc, id",
	"select id, n as k, note from t order by k, id",
	"select n, id from t order by 1, 2",
	"select * from t order by maybe, id",
	"select * from t order by maybe desc, id desc",
	"select * from t order by maybe nulls first, id",
	"select * from t order by maybe desc nulls last, id",
	"select maybe, id from t where status = 'lead' or n < 1000 order by maybe, id",
	"select * from t where status = 'lead' order by n, id",
	"select * from t where status = 'lead' and n > 10 -- comment\n order by n /* x */, id",
	"select * from t order by big",
	"select * from t order by small, id",
	"select * from t order by u desc",
	"select * from t order by s, id",
	"select * from t order by s collate \"C\", id",
	"select * from t order by v, id",
	"select * from t order by ch, id",
	"select * from t order by num, id",
	"select id, num from t order by num desc, id desc",
	"select * from t order by d, id",
	"select * from t order by ts",
	"select * from t order by tz, id",
	"select * from t order by tm, id",
	"select * from t order by b, id",
	"select id, note from t order by lower(note)",
	"select t.id, o.owner, t.n from t join o on o.id = t.n order by t.n, t.id",
	"select t.*, o.owner from t left join o on o.id = t.n and o.id % 2 = 0 order by t.n desc, t.id",
	"select x.id from t x where x.n is distinct from 7 order by x.n, x.id",
	"select * from part order by k, id",
}

// page returns a page of a list, in one of the ways to write it.
func page(list string, limit, offset, form int) string {
	switch form % 3 {
	case 0:
		return fmt.Sprintf("%s limit %d offset %d", list, limit, offset)
	case 1:
		return fmt.Sprintf("%s offset %d limit %d", list, offset, limit)
	}
	return fmt.Sprintf("%s OFFSET %d ROWS FETCH NEXT %d ROWS ONLY", list, offset, limit)
}

// known waits until it has been found out about a list.
func known(t *testing.T, p *running, conn *pgconn.PgConn, sql string) {
	t.Helper()
	eventually(t, "it is known what "+sql+" is", func() bool {
		before, marked, found := p.server.DeepPages()
		answerOf(t, conn, sql)
		plain, m, f := p.server.DeepPages()
		return plain+m+f > before+marked+found
	})
}

func TestDeepLists(t *testing.T) {
	backend := plain(t)
	newDeepWorld(t, backend)
	p := startProxy(t, backend, withDeep)
	rng := rand.New(rand.NewPCG(1, 2))
	for _, list := range deepLists {
		t.Run(list, func(t *testing.T) {
			conn, direct := dial(t, p.addr), dial(t, backend)
			for form := range 3 {
				known(t, p, conn, page(list, 10, 3000, form))
			}
			_, marked, _ := p.server.DeepPages()
			samples := p.server.DeepSamples()
			eventually(t, "the list is counted through", func() bool {
				answerOf(t, conn, page(list, 10, 200+rng.IntN(5700), 0))
				return p.server.DeepSamples() > samples
			})
			for i := range 60 {
				limit, offset := 1+rng.IntN(60), rng.IntN(deepRows+100)
				sql := page(list, limit, offset, i/20)
				if want, got := answerOf(t, direct, sql), answerOf(t, conn, sql); want != got {
					t.Fatalf("%s\nis\n%s\nwant\n%s", sql, got, want)
				}
			}
			if _, now, _ := p.server.DeepPages(); now < marked+10 {
				t.Errorf("%d pages of 60 came from bookmarks", now-marked)
			}
		})
	}
	t.Logf("not let out: %v", p.server.DeepDoubts())
}

// What is served teaches where the next page begins.
func TestDeepSequential(t *testing.T) {
	backend := plain(t)
	newDeepWorld(t, backend)
	p := startProxy(t, backend, func(c *proxy.Config) { withDeep(c); c.Rewrite.Offset.Sample, c.Rewrite.Offset.Join = false, false })
	conn, direct := dial(t, p.addr), dial(t, backend)
	const list = "select * from t order by n, id"
	known(t, p, conn, page(list, 50, 200, 0))
	for offset := 200; offset < 3000; offset += 50 {
		sql := page(list, 50, offset, 0)
		if want, got := answerOf(t, direct, sql), answerOf(t, conn, sql); want != got {
			t.Fatalf("%s\nis\n%s\nwant\n%s", sql, got, want)
		}
	}
	if plain, marked, _ := p.server.DeepPages(); marked < 50 {
		t.Errorf("%d pages came from bookmarks, %d did not", marked, plain)
	}
}

// deepRefusals are statements that are left as they are, and what is said of them.
var deepRefusals = []struct{ name, sql, why string }{
	{"2.4 distinct", "select distinct n from t order by n", "DISTINCT"},
	{"2.4 group", "select n from t group by n order by n", "groups"},
	{"2.4 set operation", "select n from t union all select id from o order by n", "set operation"},
	{"2.4 with", "with x as (select * from t) select n from x order by n", "WITH"},
	{"15 computed", "select n, n + 1 from t order by n", "computed"},
	{"15 volatile", "select n, random() from t order by n", "random"},
	{"16 division", "select 1 / n from t order by n", "computed"},
	{"28 float", "select f from t order by f", "carried"},
	{"no index", "select status, note from t order by note", "index"},
	{"view", "select * from seen order by n", "not a table"},
	{"sub-select", "select * from (select * from t) x order by n", "tables"},
	{"time", "select * from t where tz < now() order by n", "now"},
	{"computed key", "select n as k, n + 1 as n from t order by n", "computed"},
}

func TestDeepRefusals(t *testing.T) {
	backend := plain(t)
	newDeepWorld(t, backend)
	p := startProxy(t, backend, withDeep)
	conn := dial(t, p.addr)
	known(t, p, conn, "select * from t order by n limit 5 offset 500")
	for _, test := range deepRefusals {
		t.Run(test.name, func(t *testing.T) {
			sql := test.sql + " limit 5 offset 500"
			normal := test.sql + " limit $1 offset $2"
			if strings.Contains(normal, "+ 1") {
				normal = strings.Replace(strings.Replace(strings.Replace(normal, "$2", "$3", 1), "$1", "$2", 1), "+ 1", "+ $1", 1)
			}
			normal = strings.Replace(normal, "select 1 / n from t order by n limit $1 offset $2", "select $1 / n from t order by n limit $2 offset $3", 1)
			why := "?"
			eventually(t, "it is known what "+sql+" is", func() bool {
				answerOf(t, conn, sql)
				why = p.server.DeepReason(normal)
				return why != "?"
			})
			if !strings.Contains(why, test.why) {
				t.Errorf("the reason is %q, want %q", why, test.why)
			}
		})
	}
}

// 9, 10, 11: what LIMIT and OFFSET mean is PostgreSQL's business.
func TestDeepAmounts(t *testing.T) {
	backend := plain(t)
	newDeepWorld(t, backend)
	p := startProxy(t, backend, withDeep)
	conn, direct := dial(t, p.addr), dial(t, backend)
	const list = "select id from t order by n, id"
	known(t, p, conn, page(list, 5, 500, 0))
	for _, tail := range []string{
		"limit null offset 5990", "limit all offset 5990", "limit 2.5 offset 500", "limit 3.5 offset 500.5", "limit '7' offset '500'",
		"limit 0 offset -1", "limit -1 offset 500", "limit 5 offset -500", "limit 5 offset null", "limit (2 + 3) offset (select 500)",
		"offset 500 fetch first row only", "offset 500 rows fetch first 3 rows with ties", "limit 5 offset 99999999999999999999",
		"limit 5 offset 7000", "limit 0 offset 500", "limit 9000 offset 500",
	} {
		sql := list + " " + tail
		if want, got := answerOf(t, direct, sql), answerOf(t, conn, sql); want != got {
			t.Errorf("%s\nis\n%s\nwant\n%s", sql, got, want)
		}
	}
}

// The console tells about statements, the metrics about pages.
func TestDeepConsole(t *testing.T) {
	backend := plain(t)
	newDeepWorld(t, backend)
	p := startProxy(t, backend, withDeep)
	conn := dial(t, p.addr)
	console, err := pgconn.Connect(context.Background(), "postgres://postgres@"+p.addr+"/pgjay?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	defer console.Close(context.Background())
	known(t, p, conn, "select * from t order by n limit 5 offset 500")
	eventually(t, "the console tells of it", func() bool {
		answerOf(t, conn, "select distinct n from t order by n limit 5 offset 500")
		lines := answerOf(t, console, "show offsets")
		return strings.Contains(lines, `"select * from t order by n limit $1 offset $2" "postgres" "yes"`) && strings.Contains(lines, "it is DISTINCT")
	})
	if st := p.server.OffsetStat(); st.Pages["plain"] == 0 {
		t.Errorf("%+v", st)
	}
}

// What leaves a statement as it is holds for pages too.
func TestDeepSwitches(t *testing.T) {
	backend := plain(t)
	newDeepWorld(t, backend)
	const sql = "select * from c.t order by n limit 5 offset 500"
	p := startProxy(t, backend, withDeep)
	usual := dialIn(t, p.addr, "")
	known(t, p, usual, sql)
	looks := func(t *testing.T, conn *pgconn.PgConn, text string) bool {
		plain, marked, found := p.server.DeepPages()
		for range 3 {
			answerOf(t, conn, text)
		}
		p2, m2, f2 := p.server.DeepPages()
		return p2+m2+f2 > plain+marked+found
	}
	if looks(t, usual, "/* pgjay: rewrite=off */ "+sql) {
		t.Error("the hint does not hold")
	}
	for _, test := range []struct {
		name string
		rule rewrite.Switch
		want bool
	}{
		{"rule", rewrite.Switch{Names: []string{rewrite.OffsetRule}, Mode: rewrite.ModeOff}, false},
		{"user", rewrite.Switch{Users: []string{"postgres"}, Mode: rewrite.ModeShadow}, false},
		{"database", rewrite.Switch{Databases: []string{"postgres"}, Mode: rewrite.ModeOff}, false},
		{"another rule", rewrite.Switch{Names: []string{"or_in"}, Mode: rewrite.ModeOff}, true},
		{"another user", rewrite.Switch{Users: []string{"nobody"}, Mode: rewrite.ModeOff}, true},
		{"on", rewrite.Switch{Names: []string{rewrite.OffsetRule}, Mode: rewrite.ModeOn}, true},
	} {
		cfg := p.cfg
		cfg.Rewrite.Rules = []rewrite.Switch{test.rule}
		if err := p.server.Reload(cfg); err != nil {
			t.Fatal(err)
		}
		if got := looks(t, usual, sql); got != test.want {
			t.Errorf("%s: pages are looked after: %t", test.name, got)
		}
	}
	if err := p.server.Reload(p.cfg); err != nil {
		t.Fatal(err)
	}
	for _, params := range []string{"", "&options=-c%20pgjay.rewrite%3Doff"} {
		conn := dialIn(t, p.addr, params)
		if params == "" {
			answerOf(t, conn, "set pgjay.rewrite = off")
		}
		eventually(t, "it is known that the session wants no rewriting", func() bool {
			answerOf(t, conn, sql)
			return strings.Contains(p.server.DeepReasons(), "pgjay.rewrite is off")
		})
		if looks(t, conn, sql) {
			t.Error("pgjay.rewrite = off does not hold")
		}
		answerOf(t, conn, "set pgjay.rewrite = on")
		known(t, p, conn, sql)
	}
}
