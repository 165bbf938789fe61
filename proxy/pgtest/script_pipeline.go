package pgtest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgproto3"
)

// pipelineScripts are many exchanges sent before any answer is read.
func pipelineScripts() []Script {
	scripts := slices.Clone(shortPipelines)
	for _, depth := range []int{1, 10, 1000} {
		scripts = append(scripts, pipelineOf(depth), queriesOf(depth))
	}
	return append(scripts, bothWaysFull(), manyStatements())
}

// manyStatements replaces the unnamed statement again and again within one
// exchange.
func manyStatements() Script {
	var send []pgproto3.FrontendMessage
	var want []string
	for i := range 200 {
		send = append(send, Parse("", "select "+itoa(i)+" as n"))
		want = append(want, "1")
	}
	send = append(send, CloseStatement(""), Parse("", "select 'last' as n"), Bind("", ""), Execute("", 0), Sync, Bind("", ""), Execute("", 0), Sync)
	want = append(want, "3", "1", "2", "D last", "C SELECT 1", "Z I", "2", "D last", "C SELECT 1", "Z I")
	return Script{Name: "pipeline/unnamed statement replaced 200 times", Steps: []Step{Send(send...).Expect(want...)}}
}

// pipelineOf is a pipeline of depth exchanges, each of its own result.
func pipelineOf(depth int) Script {
	var send []pgproto3.FrontendMessage
	var want []string
	for i := range depth {
		send = append(send, once("select $1::int as n", itoa(i))...)
		want = append(want, "1", "2", "T n:int4", "D "+itoa(i), "C SELECT 1", "Z I")
	}
	return Script{Name: fmt.Sprintf("pipeline/%d exchanges", depth), Steps: []Step{Send(send...).Expect(want...)}}
}

// queriesOf is a pipeline of simple queries, which PostgreSQL allows too.
func queriesOf(depth int) Script {
	var send []pgproto3.FrontendMessage
	var want []string
	for i := range depth {
		send = append(send, Query("select "+itoa(i)+" as n"))
		want = append(want, "T n:int4", "D "+itoa(i), "C SELECT 1", "Z I")
	}
	return Script{Name: fmt.Sprintf("pipeline/%d simple queries", depth), Steps: []Step{Send(send...).Expect(want...)}}
}

// bothWaysFull sends more than the sockets hold while as much comes back: who
// writes without reading waits for ever.
func bothWaysFull() Script {
	param := strings.Repeat("p", 20_000)
	var send []pgproto3.FrontendMessage
	var want []string
	for range 500 {
		send = append(send, once("select $1::text as t", param)...)
		want = append(want, "1", "2", "T t:text", "D ppp*", "C SELECT 1", "Z I")
	}
	return Script{Name: "pipeline/both directions full", Steps: []Step{Send(send...).Expect(want...)}}
}

var shortPipelines = []Script{
	{Name: "pipeline/simple and extended mixed", Steps: []Step{
		Send(chain(once("select 1 as n"), repeat(1, Query("select 2 as n")), once("select 3 as n"), repeat(1, Sync), repeat(1, Query("")))...).Expect(
			"1", "2", "T n:int4", "D 1", "C SELECT 1", "Z I",
			"T n:int4", "D 2", "C SELECT 1", "Z I",
			"1", "2", "T n:int4", "D 3", "C SELECT 1", "Z I", "Z I", "I", "Z I"),
	}},
	{Name: "pipeline/named statement prepared and used", Steps: []Step{
		Send(Parse("s", "select $1::int as n"), Sync, Bind("", "s", "1"), Execute("", 0), Sync, Bind("", "s", "2"), Execute("", 0), Sync).Expect(
			"1", "Z I", "2", "D 1", "C SELECT 1", "Z I", "2", "D 2", "C SELECT 1", "Z I"),
	}},
	{Name: "pipeline/unnamed statement over exchanges", Steps: []Step{
		Send(Parse("", "select $1::int as n"), Sync, Bind("", "", "1"), Execute("", 0), Sync, Bind("", "", "2"), Execute("", 0), Sync).Expect(
			"1", "Z I", "2", "D 1", "C SELECT 1", "Z I", "2", "D 2", "C SELECT 1", "Z I"),
	}},
	{Name: "pipeline/transaction", Setup: resetSink, Blocks: true, Steps: []Step{
		Send(chain(
			[]pgproto3.FrontendMessage{Parse("", "begin"), Bind("", ""), Execute("", 0), Sync},
			once("insert into wire.sink values (1,'a')"),
			[]pgproto3.FrontendMessage{Parse("", "commit"), Bind("", ""), Execute("", 0), Sync},
			once("select count(*) as n from wire.sink"))...).Expect(
			"1", "2", "C BEGIN", "Z T", "1", "2", "n", "C INSERT 0 1", "Z T", "1", "2", "C COMMIT", "Z I",
			"1", "2", "T n:int8", "D 1", "C SELECT 1", "Z I"),
	}},
	{Name: "pipeline/transaction in simple queries", Setup: resetSink, Blocks: true, Steps: []Step{
		Send(Query("begin"), Query("insert into wire.sink values (1,'a')"), Query("commit"), Query("select count(*) as n from wire.sink")).Expect(
			"C BEGIN", "Z T", "C INSERT 0 1", "Z T", "C COMMIT", "Z I", "T n:int8", "D 1", "C SELECT 1", "Z I"),
	}},
	{Name: "pipeline/transaction within one exchange", Setup: resetSink, Blocks: true, Steps: []Step{
		Send(Parse("", "begin"), Bind("", ""), Execute("", 0), Parse("", "insert into wire.sink values (1,'a')"), Bind("", ""), Execute("", 0),
			Parse("", "commit"), Bind("", ""), Execute("", 0), Sync).Expect(
			"1", "2", "C BEGIN", "1", "2", "C INSERT 0 1", "1", "2", "C COMMIT", "Z I"),
		ask("select count(*) from wire.sink", "1"),
	}},
	{Name: "pipeline/row limits", Steps: []Step{
		Send(Parse("", "select generate_series(1,3) as n"), Bind("", ""), Execute("", 2), Sync,
			Bind("", ""), Execute("", 2), Execute("", 2), Sync).Expect(
			"1", "2", "D 1", "D 2", "s", "Z I", "2", "D 1", "D 2", "s", "D 3", "C SELECT 1", "Z I"),
	}},
	{Name: "pipeline/setting reported in the middle", Steps: []Step{
		Send(chain(once("select 1 as n"), once("set application_name = 'middle'"), once("show application_name"))...).Expect(
			"1", "2", "T n:int4", "D 1", "C SELECT 1", "Z I",
			"1", "2", "n", "C SET", "S application_name=middle", "Z I",
			"1", "2", "T application_name:text", "D middle", "C SHOW", "Z I"),
	}},
	{Name: "pipeline/discard all in the middle", Steps: []Step{
		Send(Parse("s", "select 1 as n"), Sync, Query("discard all"), Bind("", "s"), Sync, Parse("s", "select 2 as n"), Bind("", "s"), Execute("", 0), Sync).Expect(
			"1", "Z I", "C DISCARD ALL", "Z I", "E ERROR 26000*", "Z I", "1", "2", "D 2", "C SELECT 1", "Z I"),
	}},
	{Name: "pipeline/Terminate behind the work", Setup: resetSink, Steps: []Step{
		Send(chain(once("insert into wire.sink values (1,'a')"), repeat(1, Query("insert into wire.sink values (2,'b')")), repeat(1, Terminate))...).Expect(
			"1", "2", "n", "C INSERT 0 1", "Z I", "C INSERT 0 1", "Z I", "EOF"),
		ask("select count(*) from wire.sink", "2").On("b"),
	}},
	{Name: "pipeline/Terminate in the middle", Setup: resetSink, Steps: []Step{
		Send(Query("insert into wire.sink values (1,'a')"), Terminate, Query("insert into wire.sink values (2,'b')")).Expect("...", "EOF"),
		ask("select count(*) from wire.sink", "1").On("b"),
	}},
	{Name: "pipeline/Terminate without Sync", Setup: resetSink, Steps: []Step{
		Send(Parse("", "insert into wire.sink values (1,'a')"), Bind("", ""), Execute("", 0), Terminate).Expect("...", "EOF"),
		ask("select count(*) from wire.sink", "0").On("b"),
	}},
	{Name: "pipeline/Terminate while errors are skipped", Steps: []Step{
		Send(Parse("", "selec"), Bind("", ""), Terminate).Expect("E ERROR 42601*", "EOF"),
	}},
	{Name: "pipeline/Terminate inside a transaction", Setup: resetSink, Blocks: true, Steps: []Step{
		Send(Query("begin; insert into wire.sink values (1,'a')"), Terminate).Expect("C BEGIN", "C INSERT 0 1", "Z T", "EOF"),
		ask("select count(*) from wire.sink", "0").On("b"),
	}},
}

// pipelineErrorScripts have an error somewhere in a pipeline.
var pipelineErrorScripts = []Script{
	{Name: "pipeline error/in Parse", Steps: []Step{
		Send(Parse("", "selec"), DescribeStatement(""), Bind("", ""), Execute("", 0), Sync, Sync, Sync).Expect("E ERROR 42601*", "Z I", "Z I", "Z I"),
	}},
	{Name: "pipeline error/in Bind", Steps: []Step{
		Send(Parse("", "select $1::int"), Bind("", "", "x"), DescribePortal(""), Execute("", 0), Sync, Sync, Sync).Expect(
			"1", "E ERROR 22P02*", "Z I", "Z I", "Z I"),
	}},
	{Name: "pipeline error/in a binary Bind", Steps: []Step{
		Send(Parse("", "select $1::int"), BindBinary("", "", "xx"), Execute("", 0), Sync).Expect("1", "E ERROR 08P01*", "Z I"),
		Send(Parse("", "select $1::int"), BindBinary("", "", "12345"), Execute("", 0), Sync).Expect("1", "E ERROR 22P03*", "Z I"),
	}},
	{Name: "pipeline error/in Describe", Steps: []Step{
		Send(Parse("", "select 1"), Bind("", ""), DescribePortal("x"), Execute("", 0), Sync, Sync, Sync).Expect(
			"1", "2", "E ERROR 34000*", "Z I", "Z I", "Z I"),
	}},
	{Name: "pipeline error/in Execute", Steps: []Step{
		Send(Parse("", "select wire.divide(1, $1) as n"), Bind("", "", "0"), DescribePortal(""), Execute("", 0), ClosePortal(""), Sync, Sync, Sync).Expect(
			"1", "2", "T n:int4", "E ERROR 22012*", "Z I", "Z I", "Z I"),
	}},
	{Name: "pipeline error/in the middle and success later", Steps: []Step{
		Send(chain(once("select 1 as n"), once("selec"), once("select 2 as n"), once("select 1/0"), once("select 3 as n"))...).Expect(
			"1", "2", "T n:int4", "D 1", "C SELECT 1", "Z I",
			"E ERROR 42601*", "Z I",
			"1", "2", "T n:int4", "D 2", "C SELECT 1", "Z I",
			"1", "E ERROR 22012*", "Z I",
			"1", "2", "T n:int4", "D 3", "C SELECT 1", "Z I"),
	}},
	{Name: "pipeline error/every second of 200", Steps: []Step{
		Send(repeat(100, chain(once("select 1 as n"), once("select 1/0"))...)...).Expect(repeat(100,
			"1", "2", "T n:int4", "D 1", "C SELECT 1", "Z I", "1", "E ERROR 22012*", "Z I")...),
	}},
	{Name: "pipeline error/Query is skipped until Sync", Setup: resetSink, Steps: []Step{
		Send(Parse("", "selec"), Query("insert into wire.sink values (1,'skipped')"), Query("select 1"), Sync, Query("select 2 as n")).Expect(
			"E ERROR 42601*", "Z I", "T n:int4", "D 2", "C SELECT 1", "Z I"),
		ask("select count(*) from wire.sink", "0"),
	}},
	{Name: "pipeline error/Query without Sync later", Steps: []Step{
		Send(Parse("", "selec")).Expect("E ERROR 42601*"),
		Send(Query("select 1")),
		Send(Query("select 2")),
		Send(Sync).Expect("Z I"),
		ask("select 3", "3"),
	}},
	{Name: "pipeline error/in a transaction", Blocks: true, Steps: []Step{
		Send(chain(
			[]pgproto3.FrontendMessage{Parse("", "begin"), Bind("", ""), Execute("", 0), Sync},
			once("select 1/0"), once("select 1"),
			[]pgproto3.FrontendMessage{Parse("", "rollback"), Bind("", ""), Execute("", 0), Sync},
			once("select 2 as n"))...).Expect(
			"1", "2", "C BEGIN", "Z T", "1", "E ERROR 22012*", "Z E", "E ERROR 25P02*", "Z E", "1", "2", "C ROLLBACK", "Z I",
			"1", "2", "T n:int4", "D 2", "C SELECT 1", "Z I"),
	}},
	{Name: "pipeline error/named statement not prepared after all", Steps: []Step{
		Send(Parse("", "selec"), Parse("s", "select 1 as n"), Sync, Bind("", "s"), Execute("", 0), Sync, Parse("s", "select 2 as n"), Sync, Bind("", "s"), Execute("", 0), Sync).Expect(
			"E ERROR 42601*", "Z I", "E ERROR 26000*", "Z I", "1", "Z I", "2", "D 2", "C SELECT 1", "Z I"),
	}},
	{Name: "pipeline error/Close is skipped too", Steps: []Step{
		Send(Parse("s", "select 1 as n"), Sync).Expect("1", "Z I"),
		Send(Parse("", "selec"), CloseStatement("s"), Sync, Bind("", "s"), Execute("", 0), Sync).Expect(
			"E ERROR 42601*", "Z I", "2", "D 1", "C SELECT 1", "Z I"),
	}},
	{Name: "pipeline error/FunctionCall is skipped until Sync", Steps: []Step{
		Send(Parse("", "selec"), Call(177, Int4(1), Int4(2)), Sync).Expect("E ERROR 42601*", "Z I"),
	}},
	{Name: "pipeline error/a skipped Parse leaves what resets", Start: []string{"application_name", "mine", "work_mem", "7MB"}, Steps: []Step{
		Send(Parse("", "reset work_mem"), Parse("all", "discard all"), Sync, Bind("", "nothing"), Parse("", "set work_mem = '8MB'"), Sync).Expect(
			"1", "1", "Z I", "E ERROR 26000*", "Z I"),
		Send(Bind("", ""), Execute("", 0), Sync).Expect("2", "C RESET", "Z I"),
		ask("show work_mem", "7MB"),
		Send(Parse("", "select 1"), Bind("", "nothing"), Sync, Bind("", "all"), Execute("", 0), Sync).Expect(
			"1", "E ERROR 26000*", "Z I", "2", "C DISCARD ALL", "Z I"),
		ask("show work_mem", "7MB"),
		ask("show application_name", "mine"),
	}},
}
