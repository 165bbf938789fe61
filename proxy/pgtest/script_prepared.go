package pgtest

import (
	"strings"

	"github.com/jackc/pgx/v5/pgproto3"
)

// preparedScripts are named statements, and the unnamed one as it lives on.
var preparedScripts = []Script{
	{Name: "prepared/over exchanges", Steps: []Step{
		Send(Parse("s", "select $1::int * 2 as n"), Sync).Expect("1", "Z I"),
		Send(Bind("", "s", "1"), Execute("", 0), Sync).Expect("2", "D 2", "C SELECT 1", "Z I"),
		Send(Bind("", "s", "2"), Execute("", 0), Sync).Expect("2", "D 4", "C SELECT 1", "Z I"),
		Send(Bind("", "s", "3"), DescribePortal(""), Execute("", 0), Sync).Expect("2", "T n:int4", "D 6", "C SELECT 1", "Z I"),
	}},
	{Name: "prepared/statement_timeout begins with the Parse", Steps: []Step{
		Send(Query("set statement_timeout = '50ms'")).Expect("C SET", "Z I"),
		Send(Parse("s", "select 1 as n"), Sync).Expect("1", "Z I"),
		Send(CloseStatement("s"), Sync).Expect("3", "Z I"),
		Send(Parse("t", "select 1 as n"), Flush).Expect("1"),
		Await("select pg_sleep(0.2)::text = ''"), // PostgreSQL says so with the next message
		Send(DescribeStatement("t"), Sync).Expect("E ERROR 57014 canceling statement due to statement timeout", "Z I"),
	}},
	{Name: "prepared/several", Steps: []Step{
		Send(Parse("s1", "select 1 as n"), Parse("s2", "select 2 as n"), Parse("s3", "select 3 as n"), Sync).Expect("1", "1", "1", "Z I"),
		Send(Bind("", "s3"), Execute("", 0), Bind("", "s1"), Execute("", 0), Bind("", "s2"), Execute("", 0), Sync).Expect(
			"2", "D 3", "C SELECT 1", "2", "D 1", "C SELECT 1", "2", "D 2", "C SELECT 1", "Z I"),
	}},
	{Name: "prepared/same name in two clients", Steps: []Step{
		Send(Parse("s", "select 'a' as who"), Sync).Expect("1", "Z I"),
		Drop("a"),
		Send(Parse("s", "select 'b' as who"), Sync).On("b").Expect("1", "Z I"),
		Send(Bind("", "s"), Execute("", 0), Sync).On("b").Expect("2", "D b", "C SELECT 1", "Z I"),
	}},
	{Name: "prepared/same name in two clients at once", Backends: 2, Steps: []Step{
		Send(Parse("s", "select 'a' as who"), Sync).Expect("1", "Z I"),
		Send(Parse("s", "select 'b' as who"), Sync).On("b").Expect("1", "Z I"),
		Send(Bind("", "s"), Execute("", 0), Sync).Expect("2", "D a", "C SELECT 1", "Z I"),
		Send(Bind("", "s"), Execute("", 0), Sync).On("b").Expect("2", "D b", "C SELECT 1", "Z I"),
	}},
	{Name: "prepared/of another client is unknown", Steps: []Step{
		Send(Parse("s", "select 'a' as who"), Sync).Expect("1", "Z I"),
		Drop("a"),
		Send(Bind("", "s"), Sync).On("b").Expect("E ERROR 26000*", "Z I"),
	}},
	{Name: "prepared/duplicate name", Steps: []Step{
		Send(Parse("s", "select 1 as n"), Sync).Expect("1", "Z I"),
		Send(Parse("s", "select 2 as n"), Sync).Expect(`E ERROR 42P05 prepared statement "s" already exists`, "Z I"),
		Send(Bind("", "s"), Execute("", 0), Sync).Expect("2", "D 1", "C SELECT 1", "Z I"),
	}},
	{Name: "prepared/unknown name", Steps: []Step{
		Send(Bind("", "nothing"), Execute("", 0), Sync).Expect(`E ERROR 26000 prepared statement "nothing" does not exist`, "Z I"),
		ask("select 1", "1"),
	}},
	{Name: "prepared/a name that is no text", Steps: []Step{
		Send(Parse("\xff", "select 1 as n"), Sync).Expect("E ERROR 22021 *", "Z I"),
		Send(Bind("", "\xff"), Execute("", 0), Sync).Expect("E ERROR 22021 *", "Z I"),
		Send(DescribeStatement("\xff"), Sync).Expect("E ERROR 22021 *", "Z I"),
		ask("select 1", "1"),
	}},
	{Name: "prepared/long name", Steps: []Step{
		Send(Parse(strings.Repeat("n", 500), "select 1 as n"), Sync).Expect("1", "Z I"),
		Send(Bind("", strings.Repeat("n", 500)), Execute("", 0), Sync).Expect("2", "D 1", "C SELECT 1", "Z I"),
		// PostgreSQL compares the first 63 bytes.
		Send(Bind("", strings.Repeat("n", 63)), Execute("", 0), Sync).Expect("2", "D 1", "C SELECT 1", "Z I"),
		Send(Bind("", strings.Repeat("n", 62)), Execute("", 0), Sync).Expect("E ERROR 26000*", "Z I"),
	}},
	{Name: "prepared/close", Steps: []Step{
		Send(Parse("s", "select 1 as n"), Sync).Expect("1", "Z I"),
		Send(CloseStatement("s"), Sync).Expect("3", "Z I"),
		Send(Bind("", "s"), Sync).Expect("E ERROR 26000*", "Z I"),
		Send(Parse("s", "select 2 as n"), Bind("", "s"), Execute("", 0), Sync).Expect("1", "2", "D 2", "C SELECT 1", "Z I"),
	}},
	{Name: "prepared/close what is not there", Steps: []Step{
		Send(CloseStatement("nothing"), ClosePortal("nothing"), CloseStatement(""), ClosePortal(""), Sync).Expect("3", "3", "3", "3", "Z I"),
	}},
	{Name: "prepared/close and parse again in one exchange", Steps: []Step{
		Send(Parse("s", "select 1 as n"), Sync).Expect("1", "Z I"),
		Send(CloseStatement("s"), Parse("s", "select 2 as n"), Bind("", "s"), Execute("", 0), Sync).Expect(
			"3", "1", "2", "D 2", "C SELECT 1", "Z I"),
	}},
	{Name: "prepared/failed Parse leaves no name", Steps: []Step{
		Send(Parse("s", "selec 1"), Sync).Expect("E ERROR 42601*", "Z I"),
		Send(Bind("", "s"), Sync).Expect("E ERROR 26000*", "Z I"),
		Send(Parse("s", "select 1 as n"), Bind("", "s"), Execute("", 0), Sync).Expect("1", "2", "D 1", "C SELECT 1", "Z I"),
	}},
	{Name: "prepared/survives an error", Steps: []Step{
		Send(Parse("s", "select wire.divide(10, $1) as n"), Sync).Expect("1", "Z I"),
		Send(Bind("", "s", "0"), Execute("", 0), Sync).Expect("2", "E ERROR 22012*", "Z I"),
		Send(Bind("", "s", "5"), Execute("", 0), Sync).Expect("2", "D 2", "C SELECT 1", "Z I"),
	}},
	{Name: "prepared/survives a rollback", Blocks: true, Steps: []Step{
		within("begin", "BEGIN"),
		Send(Parse("s", "select 1 as n"), Sync).Expect("1", "Z T"),
		do("rollback", "ROLLBACK"),
		Send(Bind("", "s"), Execute("", 0), Sync).Expect("2", "D 1", "C SELECT 1", "Z I"),
	}},
	{Name: "prepared/by SQL and protocol", Steps: []Step{
		Send(Parse("s", "select $1::int + 1 as n"), Sync).Expect("1", "Z I"),
		ask("execute s(1)", "2"),
		do("deallocate s", "DEALLOCATE"),
		Send(Bind("", "s", "1"), Sync).Expect("E ERROR 26000*", "Z I"),
		do("prepare s as select 'sql' as t", "PREPARE"),
		Send(Bind("", "s"), Execute("", 0), Sync).Expect("2", "D sql", "C SELECT 1", "Z I"),
		Send(CloseStatement("s"), Sync).Expect("3", "Z I"),
		Send(Query("execute s")).Expect("E ERROR 26000*", "Z I"),
	}},
	{Name: "prepared/deallocate all", Steps: []Step{
		Send(Parse("s1", "select 1"), Parse("s2", "select 2"), Sync).Expect("1", "1", "Z I"),
		do("deallocate all", "DEALLOCATE ALL"),
		Send(Bind("", "s1"), Sync).Expect("E ERROR 26000*", "Z I"),
		Send(Parse("s1", "select 3 as n"), Bind("", "s1"), Execute("", 0), Sync).Expect("1", "2", "D 3", "C SELECT 1", "Z I"),
		do("discard all", "DISCARD ALL"),
		Send(Bind("", "s1"), Sync).Expect("E ERROR 26000*", "Z I"),
	}},
	{Name: "prepared/in the order of their preparation", Steps: []Step{
		Send(Parse("d", "select 4 as n"), Sync).Expect("1", "Z I"),
		Send(Parse("b", "select 2 as n"), Sync).Expect("1", "Z I"),
		Send(Parse("e", "select 5 as n"), Sync).Expect("1", "Z I"),
		Send(Parse("a", "select 1 as n"), Sync).Expect("1", "Z I"),
		Send(Query("prepare c as select 3 as n")).Expect("C PREPARE", "Z I"),
		ask("select string_agg(name, '' order by prepare_time) from pg_prepared_statements", "dbeac"),
	}},
	{Name: "prepared/seen by pg_prepared_statements", Steps: []Step{
		ask("select count(*) from pg_prepared_statements", "0"),
		Send(Parse("s", "select 1"), Sync).Expect("1", "Z I"),
		ask("select name || ' ' || statement from pg_prepared_statements", "s select 1"),
	}},
	{Name: "prepared/result type changes", Setup: "drop table if exists wire.moving; create table wire.moving (a int)", Steps: []Step{
		Send(Parse("s", "select * from wire.moving"), Bind("", "s"), Execute("", 0), Sync).Expect("1", "2", "C SELECT 0", "Z I"),
		do("alter table wire.moving add b int", "ALTER TABLE"),
		Send(Bind("", "s"), Execute("", 0), Sync).Expect("E ERROR 0A000 cached plan must not change result type", "Z I"),
		Send(CloseStatement("s"), Parse("s", "select * from wire.moving"), Bind("", "s"), DescribePortal(""), Execute("", 0), Sync).Expect(
			"3", "1", "2", "T a:int4 b:int4", "C SELECT 0", "Z I"),
	}},
	{Name: "prepared/among statements of SQL, before a table that has nothing to do with it", Setup: "drop table if exists wire.moving", Steps: []Step{
		Send(Query("execute nothing"), Parse("s", "select id from wire.item where id = 5"), Sync).Expect("E ERROR 26000*", "Z I", "1", "Z I"),
		do("create table wire.moving (a int)", "CREATE TABLE"),
		Send(Bind("", "s"), Execute("", 0), Sync).Expect("2", "D 5", "C SELECT 1", "Z I"),
	}},
	{Name: "prepared/wrong number of parameters", Steps: []Step{
		Send(Parse("s", "select $1::int, $2::int"), Bind("", "s", "1"), Execute("", 0), Sync).Expect("1", "E ERROR 08P01 bind message supplies 1 parameters*", "Z I"),
	}},
	{Name: "prepared/wrong number of parameters for one of several with the same text", Steps: []Step{
		Send(Parse("s1", "select $1::int as n"), Parse("s2", "select $1::int as n"), Parse("", "select $1::int as n"), Sync).Expect("1", "1", "1", "Z I"),
		Send(Bind("", "s2"), Sync, Bind("", "s1", "1", "2"), Sync, Bind("", ""), Sync).Expect(
			`E ERROR 08P01 bind message supplies 0 parameters, but prepared statement "s2" requires 1`, "Z I",
			`E ERROR 08P01 bind message supplies 2 parameters, but prepared statement "s1" requires 1`, "Z I",
			`E ERROR 08P01 bind message supplies 0 parameters, but prepared statement "" requires 1`, "Z I"),
		Send(Bind("", "s2", "5"), Execute("", 0), Bind("", ""), Sync).Expect(
			"2", "D 5", "C SELECT 1", `E ERROR 08P01 bind message supplies 0 parameters, but prepared statement "" requires 1`, "Z I"),
		Send(Bind("", "s1", "6"), Execute("", 0), Sync).Expect("2", "D 6", "C SELECT 1", "Z I"),
	}},
	{Name: "prepared/known already, in a pipeline", Steps: []Step{
		Send(Parse("s1", "select $1::int as n"), Sync).Expect("1", "Z I"),
		Send(Query("select 1 as n"), Parse("s2", "select $1::int as n"), Bind("", "s2", "1", "2"), Sync, Bind("", "s2", "3"), Execute("", 0), Sync).Expect(
			"T n:int4", "D 1", "C SELECT 1", "Z I", "1", `E ERROR 08P01 bind message supplies 2 parameters, but prepared statement "s2" requires 1`, "Z I",
			"2", "D 3", "C SELECT 1", "Z I"),
		Send(Query("select 1 as n"), Parse("s3", "select $1::int as n"), DescribeStatement("s3"), Bind("", "s3", "4"), Execute("", 0), CloseStatement("s3"), Parse("s3", "select $1::int as n"),
			Bind("", "s3", "5"), Execute("", 0), Sync, Bind("", "s3", "6"), Execute("", 0), Sync).Expect(
			"T n:int4", "D 1", "C SELECT 1", "Z I", "1", "t int4", "T n:int4", "2", "D 4", "C SELECT 1", "3", "1", "2", "D 5", "C SELECT 1", "Z I", "2", "D 6", "C SELECT 1", "Z I"),
	}},
	{Name: "prepared/what looks like a parameter", Steps: []Step{
		Send(Parse("s", "select '$2' || $1::text as t"), Sync).Expect("1", "Z I"),
		Send(Bind("", "s", "a"), Execute("", 0), Bind("", "s", "a", "b"), Sync).Expect(
			"2", "D $2a", "C SELECT 1", `E ERROR 08P01 bind message supplies 2 parameters, but prepared statement "s" requires 1`, "Z I"),
	}},
	{Name: "prepared/many", Steps: []Step{
		Send(manyParses(300)...).Expect(append(repeat(300, "1"), "Z I")...),
		Send(Bind("", "m0"), Execute("", 0), Bind("", "m299"), Execute("", 0), Sync).Expect(
			"2", "D 0", "C SELECT 1", "2", "D 299", "C SELECT 1", "Z I"),
	}},

	{Name: "unnamed/replaced", Steps: []Step{
		Send(Parse("", "select 1 as n"), Parse("", "select 2 as n"), Bind("", ""), Execute("", 0), Sync).Expect(
			"1", "1", "2", "D 2", "C SELECT 1", "Z I"),
		Send(Parse("", "select 3 as n"), Sync).Expect("1", "Z I"),
		Send(Bind("", ""), Execute("", 0), Sync).Expect("2", "D 3", "C SELECT 1", "Z I"),
	}},
	{Name: "unnamed/Bind without Parse", Steps: []Step{
		Send(Bind("", ""), Execute("", 0), Sync).Expect("E ERROR 26000 unnamed prepared statement does not exist", "Z I"),
	}},
	{Name: "unnamed/of another client is unknown", Steps: []Step{
		Send(Parse("", "select 'secret' as t"), Sync).Expect("1", "Z I"),
		Drop("a"),
		Send(Bind("", ""), Execute("", 0), Sync).On("b").Expect("E ERROR 26000 unnamed prepared statement does not exist", "Z I"),
		Send(DescribeStatement(""), Sync).On("c").Expect("E ERROR 26000 unnamed prepared statement does not exist", "Z I"),
	}},
	{Name: "unnamed/of another connected client is unknown", Steps: []Step{
		Send(once("select 'secret' as t")...).Expect("1", "2", "T t:text", "D secret", "C SELECT 1", "Z I"),
		Send(Bind("", ""), Execute("", 0), Sync).On("b").Expect("E ERROR 26000 unnamed prepared statement does not exist", "Z I"),
		Send(Bind("", ""), Execute("", 0), Sync).Expect("2", "D secret", "C SELECT 1", "Z I"),
	}},
	{Name: "unnamed/destroyed by a simple Query", Steps: []Step{
		Send(Parse("", "select 1 as n"), Sync).Expect("1", "Z I"),
		ask("select 2", "2"),
		Send(Bind("", ""), Execute("", 0), Sync).Expect("E ERROR 26000*", "Z I"),
	}},
	{Name: "unnamed/destroyed by a failed Parse", Steps: []Step{
		Send(Parse("", "select 1 as n"), Sync).Expect("1", "Z I"),
		Send(Parse("", "selec 1"), Sync).Expect("E ERROR 42601*", "Z I"),
		Send(Bind("", ""), Execute("", 0), Sync).Expect("E ERROR 26000*", "Z I"),
	}},
	{Name: "unnamed/closed", Steps: []Step{
		Send(Parse("", "select 1 as n"), CloseStatement(""), Bind("", ""), Sync).Expect("1", "3", "E ERROR 26000*", "Z I"),
	}},
	{Name: "unnamed/survives an error in Execute", Steps: []Step{
		Send(Parse("", "select wire.divide(10, $1) as n"), Bind("", "", "0"), Execute("", 0), Sync).Expect("1", "2", "E ERROR 22012*", "Z I"),
		Send(Bind("", "", "2"), Execute("", 0), Sync).Expect("2", "D 5", "C SELECT 1", "Z I"),
	}},
}

func manyParses(n int) []pgproto3.FrontendMessage {
	var all []pgproto3.FrontendMessage
	for i := range n {
		all = append(all, Parse("m"+itoa(i), "select "+itoa(i)))
	}
	return append(all, Sync)
}
