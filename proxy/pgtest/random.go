package pgtest

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/jackc/pgx/v5/pgproto3"
)

// RandomScript makes a conversation of some fifty messages, sensible and not,
// that PostgreSQL always answers in the same way. There is no expectation but
// its end: run it directly and through the proxy, and compare.
func RandomScript(seed uint64) Script {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 0)), seed: seed}
	for range 10 + g.IntN(60) {
		g.next()
	}
	// Whatever the state is now, these lead back to normal.
	g.add(CopyFail("the end"), Sync, Query("rollback"), Query("select 'the end'"))
	s := Script{Name: fmt.Sprintf("random/%d", seed), Blocks: true, Steps: []Step{
		Send(g.messages...).Expect("...", "D the end", "C SELECT 1", "Z I"),
	}}
	if g.IntN(3) == 0 {
		s.Start = []string{"application_name", "random", "work_mem", "7MB"}
	}
	return s
}

// generator makes a conversation.
type generator struct {
	*rand.Rand
	seed     uint64
	messages []pgproto3.FrontendMessage
}

func (g *generator) add(m ...pgproto3.FrontendMessage) { g.messages = append(g.messages, m...) }

func pick[T any](g *generator, from []T) T { return from[g.IntN(len(from))] }

func (g *generator) next() {
	switch g.IntN(16) {
	case 0, 1, 2:
		g.add(Query(g.text(queryTexts)))
	case 3, 4:
		g.add(once(g.text(parseTexts))...)
	case 5, 6:
		// Not under the name that EXECUTE uses: docs/design.md, "Labels".
		g.add(Parse(pick(g, []string{"", "", "s2"}), g.text(parseTexts)))
	case 7, 8:
		g.add(g.bind())
	case 9:
		g.add(pick(g, []pgproto3.FrontendMessage{DescribeStatement(g.statement()), DescribePortal(g.portal())}))
	case 10, 11:
		g.execute()
	case 12:
		g.add(pick(g, []pgproto3.FrontendMessage{CloseStatement(g.statement()), ClosePortal(g.portal()), Flush, Call(177, Int4(1), Int4(2))}))
	case 13, 14:
		g.add(Sync)
	case 15:
		g.copyIn()
	}
}

func (g *generator) text(from []string) string {
	text := pick(g, from)
	return strings.ReplaceAll(text, "%channel", fmt.Sprintf("channel_%d", g.seed))
}

func (g *generator) statement() string { return pick(g, []string{"", "", "", "s1", "s2"}) }
func (g *generator) portal() string    { return pick(g, []string{"", "", "", "p1"}) }

func (g *generator) bind() *pgproto3.Bind {
	params := [][]string{nil, nil, {"5"}, {"0"}, {"x"}, {Null}}
	return Bind(g.portal(), g.statement(), pick(g, params)...)
}

// execute runs a portal, in pieces perhaps. It is always a new one: PostgreSQL
// 15 crashes when a portal is executed in a transaction that has failed since.
func (g *generator) execute() {
	b := g.bind()
	g.add(b)
	for range 1 + g.IntN(3) {
		g.add(Execute(b.DestinationPortal, uint32(g.IntN(3))))
	}
}

// copyIn begins a copy and always ends it: other messages in its midst would
// be the end of the connection.
func (g *generator) copyIn() {
	data := []pgproto3.FrontendMessage{CopyData("1\ta\n"), CopyData("2\tb\n3"), CopyData("\tc\n"), CopyData("bad\tline\n"), Flush}
	if g.IntN(2) == 0 {
		g.add(Query(copyIn))
	} else {
		g.add(Parse("", copyIn), Bind("", ""), Execute("", 0))
		if g.IntN(2) == 0 {
			g.add(Sync)
		}
	}
	for range g.IntN(4) {
		g.add(pick(g, data))
	}
	g.add(pick(g, []pgproto3.FrontendMessage{CopyDone, CopyDone, CopyFail("random")}), Sync, Parse("", "select 'no copy'"))
}

// queryTexts are for simple queries.
var queryTexts = []string{
	"select 1", "select 1; select 2", "", ";", "-- comment", "select 1/0", "selec", "select 1; select 1/0; select 2",
	"begin", "begin", "commit", "rollback", "savepoint s", "rollback to s", "release s", "begin; select 1", "select 1; commit", "commit; begin",
	"set work_mem = '5MB'", "show work_mem", "reset work_mem", "set local work_mem = '6MB'; show work_mem", "set application_name = 'random'", "show application_name",
	"select set_config('work_mem', '9MB', false)", "discard all", "deallocate all", "reset all",
	"insert into wire.sink values (1, 'random')", "create temp table if not exists t (id int)", "insert into t values (1)", "select count(*) from t", "drop table if exists t",
	"prepare s1 as select $1::int", "execute s1(5)", "execute s3", "deallocate s1", "select name from pg_prepared_statements order by 1",
	"prepare s1 as select 'text'::text", "execute s1", "explain (costs off) execute s1(5)", "do $$ begin execute 'prepare s3 as select 3'; end $$", "prepare s3 as select 4; execute s3",
	"deallocate s3", "select name, statement, from_sql from pg_prepared_statements where from_sql order by 1",
	"declare c cursor for select generate_series(1,5)", "declare c cursor with hold for select generate_series(1,5)", "fetch 2 from c", "close c",
	"do $$ begin raise notice 'random'; end $$", "select generate_series(1,300), repeat('x', 50)", "copy (select generate_series(1,3)) to stdout",
	"listen random", "unlisten *", "select pg_listening_channels() order by 1", "notify %channel, 'payload'",
	"listen %channel", "listen %channel", "unlisten %channel", "unlisten random", "select pg_notify('%channel', 'by function')", "listen %channel; notify %channel; select 1",
	"begin; listen %channel; notify %channel, 'within'; commit", "begin; unlisten %channel; savepoint s; listen random", "do $$ begin listen random; notify %channel, 'DO'; end $$",
	"select pg_advisory_lock_shared(77)", "select pg_advisory_unlock_shared(77)", "set role wire_reader", "reset role", "select current_user",
	"set client_encoding = 'latin1'", "set client_encoding = 'utf8'", "set datestyle = german", "select date '2024-02-29'", "set search_path = wire", "select count(*) from item",
}

// parseTexts are for Parse, with at most one parameter.
var parseTexts = []string{
	"select 1", "select $1::int", "select $1::text", "select wire.divide(10, $1)", "select generate_series(1,5)", "", "selec", "select 1; select 2",
	"begin", "commit", "rollback", "insert into wire.sink values (1, $1)", "insert into wire.sink values (2, 'x') returning id",
	"show work_mem", "set work_mem = '8MB'", "set application_name = 'random'", "copy (select generate_series(1,3)) to stdout",
	"create temp table if not exists t (id int)", "select count(*) from t", "discard all", "declare c cursor for select 1", "fetch 1 from c", "reset all",
	"listen %channel", "unlisten *", "notify %channel, 'parsed'", "savepoint s", "rollback to s", "select count(*) from pg_listening_channels()",
}
