package pgtest

// asyncScripts are messages that come without being asked for.
var asyncScripts = []Script{
	{Name: "notify/to itself", Steps: []Step{
		do("listen news", "LISTEN"),
		Send(Query("notify news, 'hello'")).Expect("C NOTIFY", "A news hello", "Z I"),
		Send(Query("select pg_notify('news', 'again')")).Expect("T *", "D ''", "C SELECT 1", "A news again", "Z I"),
		do("unlisten news", "UNLISTEN"),
		do("notify news, 'unheard'", "NOTIFY"),
	}},
	{Name: "notify/from another client", Backends: 2, Steps: []Step{
		do("listen news", "LISTEN"),
		do("notify news, 'one'", "NOTIFY").On("b"),
		Receive("A news one"),
		do("notify news, 'two'", "NOTIFY").On("b"),
		Receive("A news two"),
		ask("select 1", "1"),
	}},
	{Name: "notify/in a transaction", Blocks: true, Backends: 2, Steps: []Step{
		do("listen news", "LISTEN"),
		within("begin", "BEGIN").On("b"),
		within("notify news, 'lost'", "NOTIFY").On("b"),
		do("rollback", "ROLLBACK").On("b"),
		within("begin", "BEGIN").On("b"),
		within("notify news, 'kept'", "NOTIFY").On("b"),
		do("commit", "COMMIT").On("b"),
		Receive("A news kept"),
	}},
	{Name: "notify/listener in a transaction", Blocks: true, Backends: 2, Steps: []Step{
		do("listen news", "LISTEN"),
		within("begin", "BEGIN"),
		do("notify news, 'later'", "NOTIFY").On("b"),
		Send(Query("select 1")).Expect("T *", "D 1", "C SELECT 1", "Z T"),
		Send(Query("commit")).Expect("C COMMIT", "A news later", "Z I"),
	}},
	{Name: "notify/own pid", Steps: []Step{
		do("listen news", "LISTEN"),
		do("unlisten *", "UNLISTEN"),
		ask("select count(*) from pg_listening_channels()", "0"),
	}},
	{Name: "parameter/reported", Steps: []Step{
		Send(Query("set application_name = 'wire'")).Expect("C SET", "S application_name=wire", "Z I"),
		Send(Query("set timezone = 'Europe/Warsaw'")).Expect("C SET", "S TimeZone=Europe/Warsaw", "Z I"),
		Send(Query("set datestyle = german")).Expect("C SET", "S DateStyle=German, DMY", "Z I"),
		Send(Query("set intervalstyle = iso_8601")).Expect("C SET", "S IntervalStyle=iso_8601", "Z I"),
		Send(Query("set standard_conforming_strings = off")).Expect("C SET", "S standard_conforming_strings=off", "Z I"),
		ask("select date '2024-02-29'", "29.02.2024"),
	}},
	{Name: "parameter/not reported when nothing changes", Steps: []Step{
		do("set client_encoding = 'UTF8'", "SET"),
		do("set work_mem = '5MB'", "SET"),
	}},
	{Name: "parameter/several at once", Steps: []Step{
		Send(Query("set application_name = 'one'; set application_name = 'two'; select 1")).Expect(
			"C SET", "C SET", "T *", "D 1", "C SELECT 1", "S application_name=two", "Z I"),
	}},
	{Name: "parameter/reset", Start: []string{"application_name", "begun"}, Steps: []Step{
		Send(Query("set application_name = 'changed'")).Expect("C SET", "S application_name=changed", "Z I"),
		Send(Query("reset application_name")).Expect("C RESET", "S application_name=begun", "Z I"),
		Send(Query("set application_name = 'changed'")).Expect("C SET", "S application_name=changed", "Z I"),
		Send(Query("reset all")).Expect("C RESET", "S application_name=begun", "Z I"),
		Send(Query("set application_name = 'changed'")).Expect("C SET", "S application_name=changed", "Z I"),
		Send(Query("discard all")).Expect("C DISCARD ALL", "S application_name=begun", "Z I"),
	}},
	{Name: "parameter/rolled back", Blocks: true, Steps: []Step{
		within("begin", "BEGIN"),
		Send(Query("set application_name = 'wire'")).Expect("C SET", "S application_name=wire", "Z T"),
		Send(Query("rollback")).Expect("C ROLLBACK", "S application_name=", "Z I"),
		ask("show application_name", "''"),
	}},
	{Name: "parameter/set local", Blocks: true, Steps: []Step{
		within("begin", "BEGIN"),
		Send(Query("set local application_name = 'wire'")).Expect("C SET", "S application_name=wire", "Z T"),
		Send(Query("commit")).Expect("C COMMIT", "S application_name=", "Z I"),
	}},
	{Name: "parameter/set_config", Steps: []Step{
		Send(Query("select set_config('application_name', 'by function', false)")).Expect(
			"T *", "D by function", "C SELECT 1", "S application_name=by function", "Z I"),
		ask("show application_name", "by function"),
	}},
	{Name: "parameter/in the extended protocol", Steps: []Step{
		Send(once("set application_name = 'wire'")...).Expect("1", "2", "n", "C SET", "S application_name=wire", "Z I"),
		Send(once("show application_name")...).Expect("1", "2", "T application_name:text", "D wire", "C SHOW", "Z I"),
	}},
	{Name: "parameter/client encoding", Steps: []Step{
		Send(Query("set client_encoding = 'LATIN1'")).Expect("C SET", "S client_encoding=LATIN1", "Z I"),
		Send(Query("select chr(233) as e")).Expect("T e:text", `D \xe9`, "C SELECT 1", "Z I"),
		ask("select ascii('\xe9')", "233"),
		Send(Query("set names 'UTF8'")).Expect("C SET", "S client_encoding=UTF8", "Z I"),
	}},
	{Name: "parameter/bad value", Steps: []Step{
		Send(Query("set timezone = 'Nowhere/Land'")).Expect("E ERROR 22023*", "Z I"),
		Send(Query("set nosuch = 1")).Expect("E ERROR 42704*", "Z I"),
	}},
	{Name: "notice/level is the client's", Steps: []Step{
		do("set client_min_messages = error", "SET"),
		do("do $$ begin raise notice 'unseen'; end $$", "DO"),
		do("reset client_min_messages", "RESET"),
		Send(Query("do $$ begin raise notice 'seen'; end $$")).Expect("N NOTICE 00000 seen", "C DO", "Z I"),
	}},
}

// cancelScripts are cancel requests.
var cancelScripts = []Script{
	{Name: "cancel/running query", Steps: []Step{
		Send(Query("select pg_sleep(600) /* cancel 1 */")),
		Await("select count(*) = 1 from pg_stat_activity where query like '%/* cancel 1 */' and wait_event = 'PgSleep'"),
		Cancel("a"),
		Receive("T *", "E ERROR 57014 canceling statement due to user request", "Z I"),
		ask("select 1", "1"),
	}},
	{Name: "cancel/in a transaction", Blocks: true, Steps: []Step{
		within("begin", "BEGIN"),
		Send(Query("select pg_sleep(600) /* cancel 2 */")),
		Await("select count(*) = 1 from pg_stat_activity where query like '%/* cancel 2 */' and wait_event = 'PgSleep'"),
		Cancel("a"),
		Receive("T *", "E ERROR 57014*", "Z E"),
		do("rollback", "ROLLBACK"),
	}},
	// What stands behind it in a pipeline may be cancelled, too: the server sends the signal to
	// the process and to its process group (postmaster.c, signal_child).
	{Name: "cancel/in the extended protocol", Steps: []Step{
		Send(once("select pg_sleep(600) /* cancel 3 */")...),
		Await("select count(*) = 1 from pg_stat_activity where query like '%/* cancel 3 */' and wait_event = 'PgSleep'"),
		Cancel("a"),
		Receive("1", "2", "T *", "E ERROR 57014*", "Z I"),
		Send(once("select 1 as n")...).Expect("1", "2", "T n:int4", "D 1", "C SELECT 1", "Z I"),
	}},
	{Name: "cancel/idle client", Steps: []Step{
		ask("select 1", "1"),
		Cancel("a"),
		ask("select 2", "2"),
	}, Loose: true},
	{Name: "cancel/only its own query", Backends: 2, Steps: []Step{
		Send(Query("select pg_sleep(600) /* cancel 4 */")),
		Send(Query("select pg_sleep(600) /* cancel 5 */")).On("b"),
		Await("select count(*) = 2 from pg_stat_activity where query ~ '/[*] cancel [45] [*]/$' and wait_event = 'PgSleep'"),
		Cancel("b"),
		Receive("T *", "E ERROR 57014*", "Z I").On("b"),
		Await("select count(*) = 1 from pg_stat_activity where query like '%/* cancel 4 */' and wait_event = 'PgSleep'"),
		Cancel("a"),
		Receive("T *", "E ERROR 57014*", "Z I"),
	}},
	{Name: "cancel/statement timeout", Steps: []Step{
		Send(Query("set statement_timeout = 300; select pg_sleep(600)")).Expect(
			"C SET", "T *", "E ERROR 57014 canceling statement due to statement timeout", "Z I"),
	}},
}
