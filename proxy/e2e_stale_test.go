package proxy_test

import (
	"slices"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// A client may go by what it was told of a statement's rows when it prepared it.
// If they have changed since, it gets PostgreSQL's error, on a backend too that
// has not known the statement before; it does not if something else has changed.
func TestRowsThatHaveChanged(t *testing.T) {
	backend := plain(t)
	admin := observer(t, backend)
	bind := pgtest.Send(pgtest.Bind("", "s"), pgtest.Execute("", 0), pgtest.Sync).On("a")
	for name, tt := range map[string]struct {
		ddl  string
		want []string
	}{
		"the same":     {"alter table changing alter column a set not null", []string{"2", "D 1", "C SELECT 1", "Z I"}},
		"another type": {"alter table changing alter column a type text", []string{"E ERROR 0A000 cached plan must not change result type", "Z I"}},
		"a column":     {"alter table changing add b int", []string{"E ERROR 0A000 cached plan must not change result type", "Z I"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := startProxy(t, backend, func(c *proxy.Config) { c.Pool.Size = 3; c.Listen.Loops = 1 })
			if err := admin.Exec("drop table if exists changing; create table changing as select 1 as a"); err != nil {
				t.Fatal(err)
			}
			pgtest.Check(t, pgtest.Target{Address: p.addr, User: "postgres", Database: "postgres"}, &pgtest.Script{Name: name, Steps: []pgtest.Step{
				pgtest.Connect("a"), pgtest.Connect("b"), pgtest.Connect("c"),
				pgtest.Send(pgtest.Parse("s", "select * from changing"), pgtest.DescribeStatement("s"), pgtest.Sync).On("a").Expect("1", "t", "T a:int4", "Z I"),
				pgtest.Send(pgtest.Query("set search_path = public, pg_catalog")).On("a").Expect("C SET", "Z I"),
				pgtest.Send(pgtest.Query("begin; select 'takes the backend'")).On("b").Expect("C BEGIN", "T *", "D *", "C SELECT 1", "Z T"),
				pgtest.Send(pgtest.Query(tt.ddl)).On("c").Expect("C ALTER TABLE", "Z I"),
				bind.Expect(tt.want...),
				pgtest.Send(pgtest.CloseStatement("s"), pgtest.Parse("s", "select a::text from changing"), pgtest.Sync).On("a").Expect("3", "1", "Z I"),
				bind.Expect("2", "D 1", "C SELECT 1", "Z I"),
			}})
		})
	}
}

// A Parse of what the backend has already PgJay answers itself. If that has become stale,
// by a change past PgJay, the client gets the rows as they are all the same, also where it
// has had the ParseComplete before the rest was sent.
func TestRowsThatHaveChangedBeforeTheParse(t *testing.T) {
	backend := plain(t)
	admin := observer(t, backend)
	p := startProxy(t, backend, func(c *proxy.Config) { c.Pool.Size = 1 })
	for name, tt := range map[string]struct {
		before []pgproto3.FrontendMessage // and their replies
		comes  []string
		told   []pgproto3.FrontendMessage // the ParseComplete
	}{
		"not told":  {},
		"told":      {told: []pgproto3.FrontendMessage{&pgproto3.Flush{}}},
		"pipelined": {before: []pgproto3.FrontendMessage{pgtest.Query("select pg_sleep(0.05)")}, comes: []string{"T *", "D *", "C SELECT 1", "Z I"}},
	} {
		t.Run(name, func(t *testing.T) {
			if err := admin.Exec("drop table if exists changing; create table changing as select 1 as a"); err != nil {
				t.Fatal(err)
			}
			c := client(t, p.addr)
			ask := func(messages ...pgproto3.FrontendMessage) {
				t.Helper()
				if err := c.Send(messages...); err != nil {
					t.Fatal(err)
				}
			}
			parse := func(name string) pgproto3.FrontendMessage { return pgtest.Parse(name, "select * from changing") }
			ask(parse("s"), pgtest.Bind("", "s"), pgtest.Execute("", 0), pgtest.Sync)
			expect(t, c, "1", "2", "D 1", "C SELECT 1", "Z I")
			if err := admin.Exec("alter table changing add b int"); err != nil {
				t.Fatal(err)
			}
			rest := []pgproto3.FrontendMessage{parse("s3"), pgtest.Bind("", "s2"), pgtest.Execute("", 0), pgtest.Sync}
			comes := []string{"1", "2", "D 1|NULL", "C SELECT 1", "Z I"}
			if tt.told != nil {
				ask(append([]pgproto3.FrontendMessage{parse("s2")}, tt.told...)...)
				expect(t, c, "1")
				ask(rest...)
			} else {
				ask(slices.Concat(tt.before, []pgproto3.FrontendMessage{parse("s2")}, rest)...)
				comes = slices.Concat(tt.comes, []string{"1"}, comes)
			}
			expect(t, c, comes...)
			ask(pgtest.Bind("", "s3"), pgtest.Execute("", 0), pgtest.Bind("", "s2"), pgtest.Execute("", 0), pgtest.Sync)
			expect(t, c, "2", "D 1|NULL", "C SELECT 1", "2", "D 1|NULL", "C SELECT 1", "Z I")
		})
	}
}
