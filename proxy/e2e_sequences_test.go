package proxy_test

import (
	"strings"
	"testing"

	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// sequenceFixture has two sequences and a table that uses one of them unseen.
const sequenceFixture = `drop schema if exists seq cascade; create schema seq;
create sequence seq.a; create sequence seq.b; create table seq.numbered (id int default nextval('seq.a'), name text);
create function seq.next() returns bigint language sql as $$ select nextval('seq.a') $$`

// A client never gets what another has got from nextval on the backend that both
// have had; while nobody asks, nextval does not pin.
func TestSequences(t *testing.T) {
	backend := plain(t)
	admin := observer(t, backend)
	const undefined = "E ERROR 55000 *"
	query := func(conn, sql string, want ...string) pgtest.Step {
		return pgtest.Send(pgtest.Query(sql)).On(conn).Expect(append([]string{"..."}, want...)...)
	}
	advances := query("a", "select nextval('seq.a')", "D *", "C SELECT 1", "Z I")
	inserts := query("a", "insert into seq.numbered default values", "C INSERT 0 1", "Z I")
	lastval := func(conn, want string) pgtest.Step {
		if want == undefined {
			return query(conn, "select lastval()", want, "Z I")
		}
		return query(conn, "select lastval()", "D "+want, "C SELECT 1", "Z I")
	}
	reader := []pgtest.Step{lastval("reader", undefined), pgtest.Drop("reader")}
	other := query("b", "select 1", "Z I")
	parse := func(conn, sql string) pgtest.Step {
		return pgtest.Send(pgtest.Parse("s", sql), pgtest.Sync).On(conn).Expect("1", "Z I")
	}
	bind := func(conn string, want ...string) pgtest.Step {
		return pgtest.Send(pgtest.Bind("", "s"), pgtest.Execute("", 0), pgtest.Sync).On(conn).Expect(append([]string{"2"}, want...)...)
	}
	for name, steps := range map[string][]pgtest.Step{
		"the first to read":                     {advances, lastval("b", undefined)},
		"the first to read, in a transaction":   {advances, query("b", "begin", "Z T"), query("b", "select 1", "Z T"), query("b", "select lastval()", undefined, "Z E")},
		"the first to read, by Execute":         {advances, parse("b", "select lastval()"), bind("b", undefined, "Z I")},
		"the first to read, prepared before":    {parse("b", "select lastval()"), inserts, bind("b", undefined, "Z I")},
		"the first to read, in a pipeline":      {inserts, pgtest.Send(pgtest.Query("select 1"), pgtest.Query("select lastval()")).On("b").Expect("...", "Z I", "T *", undefined, "Z I")},
		"the first to read, by FunctionCall":    {advances, pgtest.Send(pgtest.Call(2559)).On("b").Expect(undefined, "Z I")},
		"the first to read, by DO":              {advances, query("b", "do $$ begin perform lastval(); end $$", undefined, "Z I")},
		"the first to read, in a long text":     {advances, query("b", "select lastval() --"+strings.Repeat("-", 1<<20), undefined, "Z I")},
		"one's own":                             {advances, lastval("a", "1")},
		"one's own, of a column":                {inserts, lastval("a", "1")},
		"one's own, others have only read":      {inserts, other, lastval("a", "1")},
		"one's own, in a transaction":           {advances, query("b", "begin; select nextval('seq.b')", "Z T"), query("b", "select lastval()", "D 1", "C SELECT 1", "Z T")},
		"a transaction that reads later":        append(reader, inserts, query("b", "begin", "Z T"), query("b", "select 1", "Z T"), query("b", "select lastval()", undefined, "Z E")),
		"a transaction that writes, then reads": append(reader, inserts, query("b", "begin", "Z T"), query("b", "create temp table x ()", "Z T"), query("b", "select lastval()", undefined, "Z E")),
		"a pipeline that reads later": append(reader, inserts, pgtest.Send(pgtest.Parse("", "insert into seq.numbered values (7)"), pgtest.Bind("", ""), pgtest.Execute("", 0),
			pgtest.Parse("", "select lastval()"), pgtest.Bind("", ""), pgtest.Execute("", 0), pgtest.Sync).On("b").Expect("1", "2", "C INSERT 0 1", "1", "2", undefined, "Z I")),
		"lost to another who has written": append(reader, inserts, query("b", "insert into seq.numbered default values", "Z I"), lastval("a", undefined)),
		"a function that reads":           {query("a", "create function seq.last() returns bigint language plpgsql as 'begin return lastval(); end'", "Z I"), query("c", "select seq.next()", "Z I"), inserts, query("b", "select seq.last()", undefined, "Z I")},
	} {
		t.Run(name, func(t *testing.T) {
			if err := admin.Exec(sequenceFixture); err != nil {
				t.Fatal(err)
			}
			p := startProxy(t, backend, func(c *proxy.Config) { c.Pool.Size = 1 })
			pgtest.Check(t, pgtest.Target{Address: p.addr, User: "postgres", Database: "postgres"}, &pgtest.Script{Name: name, Steps: steps})
		})
	}
}
