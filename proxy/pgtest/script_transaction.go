package pgtest

// transactionScripts are transaction blocks of one client.
var transactionScripts = []Script{
	{Name: "transaction/commit", Setup: resetSink, Blocks: true, Steps: []Step{
		within("begin", "BEGIN"),
		within("insert into wire.sink values (1,'a')", "INSERT 0 1"),
		Send(Query("select count(*) from wire.sink")).Expect("T *", "D 1", "C SELECT 1", "Z T"),
		do("commit", "COMMIT"),
		ask("select count(*) from wire.sink", "1"),
	}},
	{Name: "transaction/rollback", Setup: resetSink, Blocks: true, Steps: []Step{
		within("start transaction", "START TRANSACTION"),
		within("insert into wire.sink values (1,'a')", "INSERT 0 1"),
		do("rollback", "ROLLBACK"),
		ask("select count(*) from wire.sink", "0"),
	}},
	{Name: "transaction/failed", Blocks: true, Steps: []Step{
		within("begin", "BEGIN"),
		Send(Query("select 1/0")).Expect("E ERROR 22012*", "Z E"),
		Send(Query("select 1")).Expect("E ERROR 25P02*", "Z E"),
		Send(Query("")).Expect("I", "Z E"),
		do("rollback", "ROLLBACK"),
		ask("select 1", "1"),
	}},
	{Name: "transaction/commit of a failed one", Blocks: true, Steps: []Step{
		within("begin", "BEGIN"),
		Send(Query("select 1/0")).Expect("E ERROR 22012*", "Z E"),
		do("commit", "ROLLBACK"),
	}},
	{Name: "transaction/savepoint", Setup: resetSink, Blocks: true, Steps: []Step{
		within("begin", "BEGIN"),
		within("insert into wire.sink values (1,'kept')", "INSERT 0 1"),
		within("savepoint s", "SAVEPOINT"),
		Send(Query("insert into wire.sink values (2, 1/0)")).Expect("E ERROR 22012*", "Z E"),
		within("rollback to s", "ROLLBACK"),
		within("insert into wire.sink values (3,'kept')", "INSERT 0 1"),
		within("release s", "RELEASE"),
		do("commit", "COMMIT"),
		ask("select string_agg(id::text, ',') from wire.sink", "1,3"),
	}},
	{Name: "transaction/implicit of several statements", Setup: resetSink, Steps: []Step{
		Send(Query("insert into wire.sink values (1,'a'); select 1/0")).Expect("C INSERT 0 1", "E ERROR 22012*", "Z I"),
		ask("select count(*) from wire.sink", "0"),
		Send(Query("insert into wire.sink values (1,'a'); insert into wire.sink values (2,'b')")).Expect(
			"C INSERT 0 1", "C INSERT 0 1", "Z I"),
		ask("select count(*) from wire.sink", "2"),
	}},
	{Name: "transaction/in one query", Setup: resetSink, Blocks: true, Steps: []Step{
		Send(Query("begin; insert into wire.sink values (1,'a'); commit; insert into wire.sink values (2,'b'); select 1/0")).Expect(
			"C BEGIN", "C INSERT 0 1", "C COMMIT", "C INSERT 0 1", "E ERROR 22012*", "Z I"),
		ask("select count(*) from wire.sink", "1"),
	}},
	{Name: "transaction/opened by the second statement", Blocks: true, Steps: []Step{
		Send(Query("select 1; begin; select 2")).Expect("T *", "D 1", "C SELECT 1", "C BEGIN", "T *", "D 2", "C SELECT 1", "Z T"),
		Send(Query("select 3; commit; begin")).Expect("T *", "D 3", "C SELECT 1", "C COMMIT", "C BEGIN", "Z T"),
		do("rollback", "ROLLBACK"),
	}},
	{Name: "transaction/begin twice", Blocks: true, Steps: []Step{
		within("begin", "BEGIN"),
		Send(Query("begin")).Expect("N WARNING 25001*", "C BEGIN", "Z T"),
		do("end", "COMMIT"),
	}},
	{Name: "transaction/commit without one", Steps: []Step{
		Send(Query("commit")).Expect("N WARNING 25P01*", "C COMMIT", "Z I"),
		Send(Query("rollback")).Expect("N WARNING 25P01*", "C ROLLBACK", "Z I"),
		Send(Query("savepoint s")).Expect("E ERROR 25P01*", "Z I"),
	}},
	{Name: "transaction/chain", Blocks: true, Steps: []Step{
		within("begin isolation level serializable", "BEGIN"),
		within("commit and chain", "COMMIT"),
		Send(Query("show transaction_isolation")).Expect("T *", "D serializable", "C SHOW", "Z T"),
		within("rollback and chain", "ROLLBACK"),
		do("commit", "COMMIT"),
	}},
	{Name: "transaction/characteristics", Blocks: true, Steps: []Step{
		within("begin read only", "BEGIN"),
		Send(Query("insert into wire.sink values (1,'a')")).Expect("E ERROR 25006*", "Z E"),
		do("rollback", "ROLLBACK"),
		within("begin", "BEGIN"),
		within("set transaction isolation level repeatable read", "SET"),
		do("commit", "COMMIT"),
		ask("show transaction_isolation", "read committed"),
	}},
	{Name: "transaction/set local", Blocks: true, Steps: []Step{
		within("begin", "BEGIN"),
		within("set local work_mem = '5MB'", "SET"),
		Send(Query("show work_mem")).Expect("T *", "D 5MB", "C SHOW", "Z T"),
		do("commit", "COMMIT"),
		ask("show work_mem", "4MB"),
		Send(Query("set local work_mem = '6MB'")).Expect("N WARNING 25P01*", "C SET", "Z I"),
		ask("show work_mem", "4MB"),
	}},
	{Name: "transaction/constraint fails at commit", Blocks: true, Steps: []Step{
		within("begin", "BEGIN"),
		within("insert into wire.child values (1, 12345)", "INSERT 0 1"),
		Send(Query("commit")).Expect("E ERROR 23503*", "Z I"),
		ask("select count(*) from wire.child", "0"),
	}},
	{Name: "transaction/constraint fails at the end of a statement", Steps: []Step{
		Send(Query("insert into wire.child values (1, 12345)")).Expect("E ERROR 23503*", "Z I"),
	}},
	{Name: "transaction/two-phase is off", Blocks: true, Steps: []Step{
		within("begin", "BEGIN"),
		Send(Query("prepare transaction 'x'")).Expect("E ERROR 55000*", "Z I"),
		ask("select 1", "1"),
	}},
	{Name: "transaction/procedure that commits", Setup: resetSink, Steps: []Step{
		do("call wire.commits()", "CALL"),
		ask("select string_agg(name, ',') from wire.sink", "kept"),
	}},
	{Name: "transaction/in the extended protocol", Setup: resetSink, Blocks: true, Steps: []Step{
		Send(Parse("", "begin"), Bind("", ""), Execute("", 0), Sync).Expect("1", "2", "C BEGIN", "Z T"),
		Send(Parse("", "insert into wire.sink values ($1, 'a')"), Bind("", "", "1"), Execute("", 0), Sync).Expect(
			"1", "2", "C INSERT 0 1", "Z T"),
		Send(Parse("", "commit"), Bind("", ""), Execute("", 0), Sync).Expect("1", "2", "C COMMIT", "Z I"),
		ask("select count(*) from wire.sink", "1"),
	}},
	{Name: "transaction/failed in the extended protocol", Blocks: true, Steps: []Step{
		within("begin", "BEGIN"),
		Send(once("select 1/0")...).Expect("1", "E ERROR 22012*", "Z E"),
		Send(once("select 1")...).Expect("E ERROR 25P02*", "Z E"),
		Send(Parse("", "rollback"), Bind("", ""), Execute("", 0), Sync).Expect("1", "2", "C ROLLBACK", "Z I"),
	}},
	{Name: "transaction/failed lets only its end be prepared", Blocks: true, Steps: []Step{
		Send(Parse("savepoint", "savepoint a"), Parse("release", "release a"), Parse("to", "rollback to a"), Sync).Expect("1", "1", "1", "Z I"),
		within("begin", "BEGIN"),
		within("savepoint a", "SAVEPOINT"),
		Send(Query("select 1/0")).Expect("E ERROR 22012*", "Z E"),
		Send(Parse("", "savepoint a"), Sync, Parse("", "release a"), Sync, Bind("", "savepoint"), Sync, Bind("", "release"), Sync).Expect(
			"E ERROR 25P02*", "Z E", "E ERROR 25P02*", "Z E", "E ERROR 25P02*", "Z E", "E ERROR 25P02*", "Z E"),
		Send(Parse("", "rollback to a"), Bind("", ""), Execute("", 0), Sync).Expect("1", "2", "C ROLLBACK", "Z T"),
		do("rollback", "ROLLBACK"),
	}},
	{Name: "transaction/failed binds what another backend has", Blocks: true, Steps: []Step{
		Send(Parse("savepoint", "savepoint a"), Parse("to", "rollback to a"), Parse("prepare", "prepare transaction 'x'"), Sync).Expect("1", "1", "1", "Z I"),
		do("set search_path = wire", "SET"), // they are others by that
		within("begin", "BEGIN"),
		within("savepoint a", "SAVEPOINT"),
		Send(Query("select 1/0")).Expect("E ERROR 22012*", "Z E"),
		Send(Bind("", "savepoint", "5"), Sync).Expect(`E ERROR 08P01 bind message supplies 1 parameters, but prepared statement "savepoint" requires 0`, "Z E"),
		Send(Bind("", "savepoint"), Sync).Expect("E ERROR 25P02*", "Z E"),
		Send(Bind("", "to"), Execute("", 0), Sync).Expect("2", "C ROLLBACK", "Z T"),
		Send(Query("select 1/0")).Expect("E ERROR 22012*", "Z E"),
		Send(Bind("", "prepare"), Execute("", 0), Sync).Expect("2", "C ROLLBACK", "Z I"),
	}},
	{Name: "transaction/client vanishes", Setup: resetSink, Blocks: true, Steps: []Step{
		within("begin", "BEGIN"),
		within("insert into wire.sink values (1,'lost')", "INSERT 0 1"),
		Drop("a"),
		ask("select count(*) from wire.sink", "0").On("b"),
		Await("select count(*) = 0 from pg_stat_activity where state = 'idle in transaction'"),
	}},
}

// concurrentScripts are transactions of two clients.
var concurrentScripts = []Script{
	{Name: "concurrent/isolation", Setup: resetSink, Blocks: true, Backends: 2, Steps: []Step{
		within("begin", "BEGIN"),
		within("insert into wire.sink values (1,'a')", "INSERT 0 1"),
		ask("select count(*) from wire.sink", "0").On("b"),
		do("commit", "COMMIT"),
		ask("select count(*) from wire.sink", "1").On("b"),
	}},
	{Name: "concurrent/row lock", Setup: "truncate wire.account; insert into wire.account values (1, 100)",
		Blocks: true, Backends: 2, Steps: []Step{
			within("begin", "BEGIN"),
			within("update wire.account set balance = balance - 1", "UPDATE 1"),
			Send(Query("update wire.account set balance = balance * 2 /* waits */")).On("b"),
			Await("select count(*) = 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%/* waits */'"),
			do("commit", "COMMIT"),
			Receive("C UPDATE 1", "Z I").On("b"),
			ask("select balance from wire.account", "198"),
		}},
	{Name: "concurrent/serialization failure", Setup: "truncate wire.account; insert into wire.account values (1, 100)",
		Blocks: true, Backends: 2, Steps: []Step{
			within("begin isolation level repeatable read", "BEGIN"),
			Send(Query("select balance from wire.account")).Expect("T *", "D 100", "C SELECT 1", "Z T"),
			do("update wire.account set balance = 1", "UPDATE 1").On("b"),
			Send(Query("update wire.account set balance = 2")).Expect("E ERROR 40001*", "Z E"),
			do("rollback", "ROLLBACK"),
		}},
	{Name: "concurrent/taking turns", Setup: resetSink, Steps: []Step{
		do("insert into wire.sink values (1,'a')", "INSERT 0 1"),
		do("insert into wire.sink values (2,'b')", "INSERT 0 1").On("b"),
		do("insert into wire.sink values (3,'c')", "INSERT 0 1").On("c"),
		ask("select count(*) from wire.sink", "3"),
		ask("select count(*) from wire.sink", "3").On("b"),
		ask("select count(*) from wire.sink", "3").On("c"),
	}},
}
