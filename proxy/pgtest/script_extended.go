package pgtest

import (
	"strings"

	"github.com/jackc/pgx/v5/pgproto3"
)

// extendedScripts are exchanges of the extended protocol.
var extendedScripts = []Script{
	{Name: "extended/unnamed", Steps: []Step{
		Send(Parse("", "select $1::int + 1 as n"), Bind("", "", "41"), Execute("", 0), Sync).Expect(
			"1", "2", "D 42", "C SELECT 1", "Z I"),
	}},
	{Name: "extended/unnamed with Describe", Steps: []Step{
		Send(once("select $1::int + 1 as n", "41")...).Expect("1", "2", "T n:int4", "D 42", "C SELECT 1", "Z I"),
	}},
	{Name: "extended/Parse and Bind in two exchanges", Steps: []Step{ // as lib/pq does
		Send(Parse("", "select $1::text as t"), DescribeStatement(""), Sync).Expect("1", "t text", "T t:text", "Z I"),
		Send(Bind("", "", "x"), Execute("", 0), Sync).Expect("2", "D x", "C SELECT 1", "Z I"),
		Send(Bind("", "", "y"), Execute("", 0), Sync).Expect("2", "D y", "C SELECT 1", "Z I"),
	}},
	{Name: "extended/Parse and Bind in two exchanges among others", Blocks: true, Backends: 2, Steps: []Step{
		Send(Parse("", "select 'a' || $1 as t"), DescribeStatement(""), Sync).Expect("1", "t text", "T t:text", "Z I"),
		Send(Parse("", "select 'b' || $1 as t"), Sync).On("b").Expect("1", "Z I"),
		within("begin", "BEGIN").On("b"),
		Send(Bind("", "", "x"), Execute("", 0), Sync).Expect("2", "D ax", "C SELECT 1", "Z I"),
		do("commit", "COMMIT").On("b"),
		Send(Bind("", "", "y"), Execute("", 0), Sync).Expect("2", "D ay", "C SELECT 1", "Z I"),
	}},
	{Name: "extended/unnamed statements taking turns", Steps: []Step{
		Send(Parse("", "select 'a' || $1 as t"), Sync).Expect("1", "Z I"),
		Send(Parse("", "select 'b' || $1 as t"), Bind("", "", "1"), Execute("", 0), Sync).On("b").Expect(
			"1", "2", "D b1", "C SELECT 1", "Z I"),
		Send(Parse("", "select 'c' || $1 as t"), Bind("", "", "1"), Execute("", 0), Sync).Expect(
			"1", "2", "D c1", "C SELECT 1", "Z I"),
	}},
	{Name: "extended/nulls and empty parameters", Steps: []Step{
		Send(once("select $1::text as a, $2::text as b", Null, "")...).Expect("1", "2", "T a:text b:text", "D NULL|''", "C SELECT 1", "Z I"),
	}},
	{Name: "extended/types given", Steps: []Step{
		Send(Parse("", "select $1 as a, $2 as b", 20, 16), DescribeStatement(""), Bind("", "", "7", "t"), Execute("", 0), Sync).Expect(
			"1", "t int8 bool", "T a:int8 b:bool", "2", "D 7|t", "C SELECT 1", "Z I"),
	}},
	{Name: "extended/binary", Steps: []Step{
		Send(Parse("", "select $1::int4 + 1 as n, $2::int8 as m"), BindBinary("", "", Int4(1), Int8(2)), DescribePortal(""), Execute("", 0), Sync).Expect(
			"1", "2", "T n:int4/binary m:int8/binary", `D \x00000002|\x0000000000000002`, "C SELECT 1", "Z I"),
	}},
	{Name: "extended/mixed formats", Steps: []Step{
		Send(Parse("", "select $1::int4 as a, $2::text as b"),
			&pgproto3.Bind{Parameters: [][]byte{[]byte(Int4(5)), []byte("x")}, ParameterFormatCodes: []int16{1, 0}, ResultFormatCodes: []int16{0, 1}},
			DescribePortal(""), Execute("", 0), Sync).Expect(
			"1", "2", "T a:int4 b:text/binary", "D 5|x", "C SELECT 1", "Z I"),
	}},
	{Name: "extended/empty statement", Steps: []Step{
		Send(once("")...).Expect("1", "2", "n", "I", "Z I"),
		Send(Parse("", "-- nothing"), DescribeStatement(""), Sync).Expect("1", "t", "n", "Z I"),
	}},
	{Name: "extended/changes", Setup: resetSink, Steps: []Step{
		Send(once("insert into wire.sink values ($1, $2), (2, 'b')", "1", "a")...).Expect("1", "2", "n", "C INSERT 0 2", "Z I"),
		Send(once("update wire.sink set name = $1 returning id", "z")...).Expect("1", "2", "T id:int4", "D 1", "D 2", "C UPDATE 2", "Z I"),
		Send(once("delete from wire.sink")...).Expect("1", "2", "n", "C DELETE 2", "Z I"),
	}},
	{Name: "extended/utility", Steps: []Step{
		Send(once("show server_encoding")...).Expect("1", "2", "T server_encoding:text", "D UTF8", "C SHOW", "Z I"),
		Send(once("explain (costs off) select 1")...).Expect("1", "2", "T QUERY PLAN:text", "D Result", "C EXPLAIN", "Z I"),
		Send(once("create table wire.made (id int)")...).Expect("1", "2", "n", "C CREATE TABLE", "Z I"),
		Send(once("drop table wire.made")...).Expect("1", "2", "n", "C DROP TABLE", "Z I"),
		Send(once("vacuum wire.item")...).Expect("1", "2", "n", "C VACUUM", "Z I"),
	}},
	{Name: "extended/several commands in one Parse", Steps: []Step{
		Send(once("select 1; select 2")...).Expect("E ERROR 42601 cannot insert multiple commands into a prepared statement", "Z I"),
	}},
	{Name: "extended/large parameter", Steps: []Step{
		Send(once("select length($1::text) as n", strings.Repeat("p", 1_000_000))...).Expect(
			"1", "2", "T n:int4", "D 1000000", "C SELECT 1", "Z I"),
	}},
	{Name: "extended/many parameters", Steps: []Step{
		Send(once("select $1::int"+manyParameters(2000), repeat(2000, "1")...)...).Expect(
			"1", "2", "T *", "D 2000", "C SELECT 1", "Z I"),
	}},
	{Name: "extended/huge result", Steps: []Step{
		Send(once("select i, repeat('x', 100) from generate_series(1, 20000) i")...).Expect(
			"1", "2", "T *", "20000x D *", "C SELECT 20000", "Z I"),
	}},
	{Name: "extended/notices", Steps: []Step{
		Send(once("select wire.noisy(7) as n")...).Expect("1", "2", "T n:int4", "N NOTICE 00000 row 7", "D 7", "C SELECT 1", "Z I"),
	}},
	{Name: "extended/error in row three", Steps: []Step{
		Send(once("select 1/(3-i) as n from generate_series(1,5) i")...).Expect(
			"1", "2", "T n:int4", "D 0", "D 1", "E ERROR 22012*", "Z I"),
	}},
	{Name: "extended/Sync alone", Steps: []Step{
		Send(Sync).Expect("Z I"),
		Send(Sync, Sync, Sync).Expect("Z I", "Z I", "Z I"),
		ask("select 1", "1"),
	}},
	{Name: "extended/Sync inside a transaction", Blocks: true, Steps: []Step{
		within("begin", "BEGIN"),
		Send(Sync, Sync).Expect("Z T", "Z T"),
		Send(Query("select 1/0")).Expect("E ERROR 22012*", "Z E"),
		Send(Sync).Expect("Z E"),
		do("rollback", "ROLLBACK"),
		Send(Sync).Expect("Z I"),
	}},
	{Name: "extended/several statements before one Sync", Setup: resetSink, Steps: []Step{
		Send(Parse("", "insert into wire.sink values (1,'a')"), Bind("", ""), Execute("", 0),
			Parse("", "insert into wire.sink values (2,'b')"), Bind("", ""), Execute("", 0),
			Parse("", "select count(*) from wire.sink"), Bind("", ""), Execute("", 0), Sync).Expect(
			"1", "2", "C INSERT 0 1", "1", "2", "C INSERT 0 1", "1", "2", "D 2", "C SELECT 1", "Z I"),
	}},
	{Name: "extended/error undoes all before it since Sync", Setup: resetSink, Steps: []Step{
		Send(Parse("", "insert into wire.sink values (1,'a')"), Bind("", ""), Execute("", 0),
			Parse("", "select 1/0"), Bind("", ""), Execute("", 0),
			Parse("", "insert into wire.sink values (2,'b')"), Bind("", ""), Execute("", 0), Sync).Expect(
			"1", "2", "C INSERT 0 1", "1", "E ERROR 22012*", "Z I"),
		ask("select count(*) from wire.sink", "0"),
	}},
}

func manyParameters(n int) string {
	var b strings.Builder
	for i := 2; i <= n; i++ {
		b.WriteString(" + $" + itoa(i))
	}
	return b.String()
}

// describeScripts are about Describe.
var describeScripts = []Script{
	{Name: "describe/statement", Steps: []Step{
		Send(Parse("", "select id, name from wire.item where id = $1 and name = $2"), DescribeStatement(""), Sync).Expect(
			"1", "t int4 text", "T id:int4 name:text", "Z I"),
		Send(Parse("", "insert into wire.sink values ($1, $2)"), DescribeStatement(""), Sync).Expect(
			"1", "t int4 text", "n", "Z I"),
	}},
	{Name: "describe/portal before Execute", Steps: []Step{
		Send(Parse("", "select id from wire.item where id < 3 order by id"), Bind("", ""), DescribePortal(""), Execute("", 0), Sync).Expect(
			"1", "2", "T id:int4", "D 1", "D 2", "C SELECT 2", "Z I"),
	}},
	{Name: "describe/several times", Steps: []Step{
		Send(Parse("", "select 1 as n"), DescribeStatement(""), DescribeStatement(""), Bind("", ""), DescribePortal(""), DescribePortal(""), Sync).Expect(
			"1", "t", "T n:int4", "t", "T n:int4", "2", "T n:int4", "T n:int4", "Z I"),
	}},
	{Name: "describe/in an exchange of its own", Steps: []Step{
		Send(Parse("d1", "select $1::int8 as n"), Sync).Expect("1", "Z I"),
		Send(DescribeStatement("d1"), Sync).Expect("t int8", "T n:int8", "Z I"),
		Send(DescribeStatement("d1"), Sync).Expect("t int8", "T n:int8", "Z I"),
	}},
	{Name: "describe/unknown", Steps: []Step{
		Send(DescribeStatement("nothing"), Sync).Expect(`E ERROR 26000 prepared statement "nothing" does not exist`, "Z I"),
		Send(DescribePortal("nothing"), Sync).Expect(`E ERROR 34000 portal "nothing" does not exist`, "Z I"),
		Send(DescribeStatement(""), Sync).Expect("E ERROR 26000 unnamed prepared statement does not exist", "Z I"),
		Send(DescribePortal(""), Sync).Expect(`E ERROR 34000 portal "" does not exist`, "Z I"),
	}},
	{Name: "describe/type cannot be found", Steps: []Step{
		Send(Parse("", "select $1 is null"), DescribeStatement(""), Sync).Expect("E ERROR 42P18*", "Z I"),
	}},
}
