package pgtest

// portalScripts are portals and row limits.
var portalScripts = []Script{
	{Name: "portal/row limit in one exchange", Steps: []Step{
		Send(Parse("", "select generate_series(1,5) as n"), Bind("", ""), Execute("", 2), Execute("", 2), Execute("", 2), Execute("", 2), Sync).Expect(
			"1", "2", "D 1", "D 2", "s", "D 3", "D 4", "s", "D 5", "C SELECT 1", "C SELECT 0", "Z I"),
	}},
	{Name: "portal/suspended and resumed inside a transaction", Blocks: true, Steps: []Step{
		within("begin", "BEGIN"),
		Send(Parse("", "select generate_series(1,5) as n"), Bind("p", ""), Execute("p", 2), Sync).Expect("1", "2", "D 1", "D 2", "s", "Z T"),
		Send(Execute("p", 2), Sync).Expect("D 3", "D 4", "s", "Z T"),
		Send(Query("select 'between'")).Expect("T *", "D between", "C SELECT 1", "Z T"),
		Send(Execute("p", 0), Sync).Expect("D 5", "C SELECT 1", "Z T"),
		do("commit", "COMMIT"),
	}},
	{Name: "portal/dies with its transaction", Blocks: true, Steps: []Step{
		Send(Parse("", "select generate_series(1,5) as n"), Bind("p", ""), Execute("p", 2), Sync).Expect("1", "2", "D 1", "D 2", "s", "Z I"),
		Send(Execute("p", 2), Sync).Expect(`E ERROR 34000 portal "p" does not exist`, "Z I"),
	}},
	{Name: "portal/unnamed dies at Sync outside a transaction", Steps: []Step{
		Send(Parse("", "select generate_series(1,5) as n"), Bind("", ""), Execute("", 2), Sync).Expect("1", "2", "D 1", "D 2", "s", "Z I"),
		Send(Execute("", 2), Sync).Expect(`E ERROR 34000 portal "" does not exist`, "Z I"),
	}},
	{Name: "portal/limit equals the rows", Steps: []Step{
		Send(Parse("", "select generate_series(1,2) as n"), Bind("", ""), Execute("", 2), Execute("", 2), Sync).Expect(
			"1", "2", "D 1", "D 2", "s", "C SELECT 0", "Z I"),
	}},
	{Name: "portal/two at once", Blocks: true, Steps: []Step{
		within("begin", "BEGIN"),
		Send(Parse("s", "select generate_series(1,3) + $1 as n"), Bind("p1", "s", "0"), Bind("p2", "s", "10"), Sync).Expect("1", "2", "2", "Z T"),
		Send(Execute("p1", 1), Execute("p2", 1), Execute("p1", 1), Execute("p2", 1), Sync).Expect(
			"D 1", "s", "D 11", "s", "D 2", "s", "D 12", "s", "Z T"),
		Send(ClosePortal("p1"), Execute("p2", 0), Sync).Expect("3", "D 13", "C SELECT 1", "Z T"),
		Send(Execute("p1", 1), Sync).Expect("E ERROR 34000*", "Z E"),
		do("rollback", "ROLLBACK"),
	}},
	{Name: "portal/unknown", Steps: []Step{
		Send(Execute("nothing", 0), Sync).Expect(`E ERROR 34000 portal "nothing" does not exist`, "Z I"),
		Send(Execute("", 0), Sync).Expect(`E ERROR 34000 portal "" does not exist`, "Z I"),
	}},
	{Name: "portal/duplicate name", Steps: []Step{
		Send(Parse("", "select 1 as n"), Bind("p", ""), Bind("p", ""), Sync).Expect("1", "2", `E ERROR 42P03 cursor "p" already exists`, "Z I"),
	}},
	{Name: "portal/unnamed replaced", Steps: []Step{
		Send(Parse("", "select $1::int as n"), Bind("", "", "1"), Bind("", "", "2"), Execute("", 0), Sync).Expect(
			"1", "2", "2", "D 2", "C SELECT 1", "Z I"),
	}},
	{Name: "portal/closed", Steps: []Step{
		Send(Parse("", "select 1 as n"), Bind("p", ""), ClosePortal("p"), Execute("p", 0), Sync).Expect("1", "2", "3", "E ERROR 34000*", "Z I"),
	}},
	{Name: "portal/executed again", Setup: resetSink, Steps: []Step{
		Send(Parse("", "select 1 as n"), Bind("", ""), Execute("", 0), Execute("", 0), Sync).Expect(
			"1", "2", "D 1", "C SELECT 1", "C SELECT 0", "Z I"),
		Send(Parse("", "insert into wire.sink values (1,'a')"), Bind("", ""), Execute("", 0), Execute("", 0), Sync).Expect(
			"1", "2", "C INSERT 0 1", `E ERROR 55000 portal "" cannot be run`, "Z I"),
	}},
	{Name: "portal/row limit on returning", Setup: resetSink, Steps: []Step{
		Send(Parse("", "insert into wire.sink select i, '' from generate_series(1,3) i returning id"), Bind("", ""), Execute("", 2), Execute("", 2), Sync).Expect(
			"1", "2", "D 1", "D 2", "s", "D 3", "C INSERT 0 1", "Z I"),
	}},
	{Name: "portal/by SQL and protocol", Blocks: true, Steps: []Step{
		within("begin", "BEGIN"),
		within("declare c cursor for select generate_series(1,4) as n", "DECLARE CURSOR"),
		Send(Execute("c", 2), Sync).Expect("D 1", "D 2", "s", "Z T"),
		Send(Query("fetch 1 from c")).Expect("T n:int4", "D 3", "C FETCH 1", "Z T"),
		Send(DescribePortal("c"), ClosePortal("c"), Sync).Expect("T n:int4", "3", "Z T"),
		Send(Query("fetch 1 from c")).Expect("E ERROR 34000*", "Z E"),
		do("rollback", "ROLLBACK"),
	}},
}

// flushScripts are about Flush without Sync.
var flushScripts = []Script{
	{Name: "flush/after each message", Steps: []Step{
		Send(Parse("", "select $1::int as n"), Flush).Expect("1"),
		Send(DescribeStatement(""), Flush).Expect("t int4", "T n:int4"),
		Send(Bind("", "", "1"), Flush).Expect("2"),
		Send(DescribePortal(""), Flush).Expect("T n:int4"),
		Send(Execute("", 0), Flush).Expect("D 1", "C SELECT 1"),
		Send(ClosePortal(""), Flush).Expect("3"),
		Send(Sync).Expect("Z I"),
	}},
	{Name: "flush/alone", Steps: []Step{
		Send(Flush, Flush),
		Send(Sync).Expect("Z I"),
		Send(Flush, Query("select 1 as n")).Expect("T n:int4", "D 1", "C SELECT 1", "Z I"),
	}},
	{Name: "flush/Parse and Describe, then the rest", Steps: []Step{ // as asyncpg and node-postgres do
		Send(Parse("s", "select $1::int as n"), DescribeStatement("s"), Flush).Expect("1", "t int4", "T n:int4"),
		Send(Bind("", "s", "5"), Execute("", 0), Sync).Expect("2", "D 5", "C SELECT 1", "Z I"),
	}},
	{Name: "flush/portal held over it", Steps: []Step{
		Send(Parse("", "select generate_series(1,4) as n"), Bind("p", ""), Flush).Expect("1", "2"),
		Send(Execute("p", 1), Flush).Expect("D 1", "s"),
		Send(Execute("p", 2), Flush).Expect("D 2", "D 3", "s"),
		Send(Execute("p", 0), Sync).Expect("D 4", "C SELECT 1", "Z I"),
	}},
	{Name: "flush/others work meanwhile", Backends: 2, Steps: []Step{
		Send(Parse("", "select generate_series(1,2) as n"), Bind("", ""), Execute("", 1), Flush).Expect("1", "2", "D 1", "s"),
		ask("select 'other'", "other").On("b"),
		Send(Execute("", 1), Sync).Expect("D 2", "s", "Z I"),
	}},
	{Name: "flush/error comes at once and skips up to Sync", Steps: []Step{
		Send(Parse("", "selec 1"), Flush).Expect("E ERROR 42601*"),
		Send(Parse("", "select 1"), Flush, Bind("", ""), Flush, Query("select 2"), Flush),
		Send(Sync).Expect("Z I"),
		ask("select 3", "3"),
	}},
	{Name: "flush/error comes without it", Steps: []Step{
		Send(Parse("", "select 1/0"), Bind("", ""), Execute("", 0)).Expect("1", "E ERROR 22012*"),
		Send(Sync).Expect("Z I"),
	}},
	{Name: "flush/Query instead of Sync", Setup: resetSink, Steps: []Step{
		Send(Parse("", "insert into wire.sink values (1,'a')"), Bind("", ""), Execute("", 0), Query("select 2 as n")).Expect(
			"1", "2", "C INSERT 0 1", "T n:int4", "D 2", "C SELECT 1", "Z I"),
		ask("select count(*) from wire.sink", "1"),
	}},
	{Name: "flush/client vanishes without Sync", Setup: resetSink, Steps: []Step{
		Send(Parse("", "insert into wire.sink values (1,'a')"), Bind("", ""), Execute("", 0), Flush).Expect("1", "2", "C INSERT 0 1"),
		Drop("a"),
		ask("select count(*) from wire.sink", "0").On("b"),
		Await("select count(*) = 0 from pg_stat_activity where state like 'idle in transaction%'"),
	}},
}
