package proxy_test

import (
	"fmt"
	"slices"

	"github.com/pgjay/pgjay/proxy/pgtest"
)

// sql is a script of queries.
func sql(texts ...string) (steps []leakStep) {
	for _, text := range texts {
		steps = append(steps, leakStep{pgtest.Query(text)})
	}
	return steps
}

// extended is a statement in the extended protocol, by unnamed objects.
func extended(text string, params ...string) leakStep {
	return leakStep{pgtest.Parse("", text), pgtest.Bind("", "", params...), pgtest.Execute("", 0), pgtest.Sync}
}

// leakStates are the kinds of state, each with the ways to make it that are its
// own. settingWays has those that all settings have in common.
func leakStates() []leakState {
	return slices.Concat(
		identityStates, transactionStates, temporaryStates, lockStates(), listenStates,
		preparedStates, cursorStates, settingFormStates, otherStates, startupStates, seedStates, libraryStates, belowStates,
	)
}

var identityStates = []leakState{
	{name: "role", steps: sql("set role leak_other")},
	{name: "role of a session", steps: sql("set session role leak_other")},
	{name: "role as a setting", steps: sql("set role to 'leak_other'")},
	{name: "role by set_config", steps: sql("select set_config('role', 'leak_other', false)")},
	{name: "role by a parameter", steps: []leakStep{extended("select set_config($1, $2, $3)", "role", "leak_other", "f")}},
	{name: "role by DO", steps: sql("do $$ begin execute 'set role leak_other'; end $$")},
	{name: "role by a function", steps: sql("select leak.run('set role leak_other')")},
	{name: "role in a transaction", steps: sql("begin; set role leak_other", "commit")},
	{name: "role, rolled back", steps: sql("begin; set role leak_other", "rollback")},
	{name: "role in an open transaction", steps: sql("begin", "set role leak_other")},
	{name: "local role", steps: sql("begin", "set local role leak_other")},
	{name: "local role that has ended", steps: sql("begin", "set local role leak_other", "commit")},
	{name: "role none", steps: sql("set role leak_other", "set role none")},
	{name: "role reset", steps: sql("set role leak_other", "reset role")},
	{name: "role after a savepoint", steps: sql("begin; savepoint s; set role leak_other; rollback to s; commit")},
	{name: "session authorization", user: "postgres", steps: sql("set session authorization leak_user")},
	{name: "session authorization of oneself", user: "leak_user", steps: sql("set session authorization leak_user")},
	{name: "session authorization and role", user: "postgres", steps: sql("set session authorization leak_user", "set role leak_other")},
	{name: "session authorization by set_config", user: "postgres", steps: sql("select set_config('session_authorization', 'leak_user', false)")},
	{name: "session authorization by DO", user: "postgres", steps: sql("do $$ begin set session authorization leak_user; end $$")},
	{name: "session authorization, local", user: "postgres", steps: sql("begin; set local session authorization leak_user", "commit")},
	{name: "session authorization, rolled back", user: "postgres", steps: sql("begin; set session authorization leak_user", "rollback")},
	{name: "session authorization, taken back", user: "postgres", steps: sql("set session authorization leak_user", "reset session authorization")},
}

var transactionStates = []leakState{
	{name: "session characteristics", steps: sql("set session characteristics as transaction isolation level serializable, read only, deferrable")},
	{name: "session characteristics by DO", steps: sql("do $$ begin execute 'set session characteristics as transaction read only'; end $$")},
	{name: "session characteristics by Execute", steps: []leakStep{extended("set session characteristics as transaction read only")}},
	{name: "session characteristics, rolled back", steps: sql("begin; set session characteristics as transaction read only; rollback")},
	{name: "transaction options", steps: sql("begin", "set transaction isolation level repeatable read, read only")},
	{name: "transaction options of BEGIN", steps: sql("begin isolation level serializable, read only, deferrable")},
	{name: "transaction options that have ended", steps: sql("begin isolation level serializable read only", "commit")},
	{name: "transaction options outside", steps: sql("set transaction isolation level serializable")},
	{name: "transaction_read_only", steps: sql("set transaction_read_only = on")},
	{name: "transaction options by set_config", steps: sql("begin", "select set_config('transaction_isolation', 'serializable', false)", "commit")},
	{name: "transaction chained", steps: sql("begin isolation level serializable read only", "commit and chain")},
	{name: "transaction chained, ended", steps: sql("begin isolation level serializable read only", "rollback and chain", "commit")},
	{name: "transaction snapshot", steps: sql("begin isolation level repeatable read; select pg_export_snapshot() is not null")},
	{name: "constraints", steps: sql("begin", "set constraints all deferred")},
	{name: "open transaction", probe: "select count(*) from leak.sink", steps: sql("begin", "insert into leak.sink (name) values ('left')")},
	{name: "failed transaction", steps: sql("begin", "select 1/0")},
	{name: "failed transaction with a savepoint", steps: sql("begin; savepoint s", "select 1/0")},
	{name: "implicit transaction", steps: sql("insert into leak.sink (name) values ('left'); select 1/0")},
	{name: "transaction of a pipeline", steps: []leakStep{{
		pgtest.Parse("", "insert into leak.sink (name) values ('left')"), pgtest.Bind("", ""), pgtest.Execute("", 0), pgtest.Flush,
	}}},
	{name: "BEGIN in a text", steps: sql("select 1; begin; select 2")},
	{name: "COMMIT in a text", steps: sql("begin", "set work_mem = '6MB'; commit; set local work_mem = '7MB'; select 1")},
	{name: "pipeline with BEGIN", steps: []leakStep{slices.Concat(extended("begin"), extended("set local work_mem = '6MB'"))}},
}

var temporaryStates = []leakState{
	{name: "temporary table", steps: sql("create temp table left_behind (id int)")},
	{name: "temporary table with rows", steps: sql("create temp table left_behind as select 1 as id")},
	{name: "temporary table by Execute", steps: []leakStep{extended("create temp table left_behind (id serial primary key)")}},
	{name: "temporary table by DO", steps: sql("do $$ begin create temp table left_behind (id int); end $$")},
	{name: "temporary table by a function", steps: sql("select leak.run('create temp table left_behind (id int)')")},
	{name: "temporary table by schema", steps: sql("create table pg_temp.left_behind (id int)")},
	{name: "temporary table by path", steps: sql("set search_path = pg_temp", "create table left_behind (id int)")},
	{name: "temporary table by SELECT INTO", steps: sql("select 1 as id into temp left_behind")},
	{name: "temporary table by CTE", steps: sql("create temp table left_behind as with a as (select 1 as id) select * from a")},
	{name: "temporary table by LIKE", steps: sql("create local temporary table left_behind (like leak.sink including all)")},
	{name: "temporary table by EXPLAIN", steps: sql("explain (analyze, costs off, timing off, summary off) create temp table left_behind as select 1 as id")},
	{name: "temporary table on commit drop", steps: sql("begin; create temp table left_behind (id int) on commit drop; commit")},
	{name: "temporary table, rolled back", steps: sql("begin; create temp table left_behind (id int); rollback")},
	{name: "temporary table, open transaction", steps: sql("begin", "create temp table left_behind (id int)")},
	{name: "temporary table, error behind it", steps: sql("create temp table left_behind (id int)", "create temp table left_behind (id int)")},
	{name: "temporary table after a savepoint", steps: sql("begin; savepoint s; create temp table left_behind (id int); rollback to s; commit")},
	{name: "temporary table by EXECUTE", steps: sql("prepare make as select 1 as id", "create temp table left_behind as execute make")},
	{name: "temporary table, moved", steps: sql("create temp table left_behind (id int); alter table left_behind rename to other")},
	{name: "temporary view", steps: sql("create temp view left_behind as select 1 as id")},
	{name: "temporary view by its table", steps: sql("create temp table left_behind (id int)", "create view left_view as select * from left_behind")},
	{name: "temporary recursive view", steps: sql("create temp recursive view left_behind (n) as select 1")},
	{name: "temporary sequence", steps: sql("create temp sequence left_behind", "select nextval('left_behind')")},
	{name: "temporary function", steps: sql("create function pg_temp.left_behind() returns int language sql as 'select 7'")},
	{name: "temporary type", steps: sql("create type pg_temp.left_behind as enum ('a')")},
	{name: "temporary domain", steps: sql("create domain pg_temp.left_behind as int")},
	{name: "temporary operator", steps: sql("create operator pg_temp.=== (leftarg = int, rightarg = int, function = int4eq)")},
	{name: "temporary aggregate", steps: sql("create aggregate pg_temp.left_behind (int) (sfunc = int4pl, stype = int)")},
	{name: "temporary collation", steps: sql(`create collation pg_temp.left_behind from "C"`)},
	{name: "temporary text search configuration", steps: sql("create text search configuration pg_temp.left_behind (copy = pg_catalog.simple)")},
}

// lockStates are advisory locks of the session, in all forms.
func lockStates() []leakState {
	states := []leakState{
		{name: "advisory lock by DO", steps: sql("do $$ begin perform pg_advisory_lock(4712); end $$")},
		{name: "advisory lock by a function", steps: sql("select leak.run('select pg_advisory_lock(4712)')")},
		{name: "advisory lock in a rolled back transaction", steps: sql("begin; select pg_advisory_lock(4712); rollback")},
		{name: "advisory lock before an error", steps: sql("select pg_advisory_lock(4712), 1/(0 * length(current_user))")},
		{name: "advisory lock after a savepoint", steps: sql("begin; savepoint s; select pg_advisory_lock(4712); rollback to s; commit")},
		{name: "advisory lock in a failing pipeline", steps: []leakStep{slices.Concat(
			extended("select pg_advisory_lock(4712)")[:3], extended("select 1/0"))}},
		{name: "advisory lock of a transaction", steps: sql("begin", "select pg_advisory_xact_lock(4712)")},
		{name: "advisory lock of a transaction that has ended", steps: sql("select pg_advisory_xact_lock(4712)")},
		{name: "advisory lock twice, released once", steps: sql("select pg_advisory_lock(4712)", "select pg_advisory_lock(4712)", "select pg_advisory_unlock(4712)")},
		{name: "advisory lock released", steps: sql("select pg_advisory_lock(4712)", "select pg_advisory_unlock_all()")},
		{name: "advisory locks of a table", steps: sql("select pg_advisory_lock(n) from generate_series(4712, 4811) as n")},
		{name: "advisory lock in a cursor", steps: sql("begin; declare c cursor for select pg_advisory_lock(4712)", "fetch c", "commit")},
		{name: "advisory lock in COPY", steps: sql("copy (select pg_advisory_lock(4712)) to stdout")},
		{name: "advisory lock in a quoted name", steps: sql(`select pg_catalog . "pg_advisory_lock" /* */ (4712)`)},
		{name: "advisory lock by FunctionCall", steps: []leakStep{{pgtest.Call(2880, pgtest.Int8(4712))}}},
		{name: "advisory lock by a prepared statement", steps: []leakStep{
			{pgtest.Parse("locks", "select pg_advisory_lock($1)"), pgtest.Sync},
			{pgtest.Bind("", "locks", "4712"), pgtest.Execute("", 0), pgtest.CloseStatement("locks"), pgtest.Sync},
		}},
	}
	for _, function := range []string{"pg_advisory_lock", "pg_advisory_lock_shared", "pg_try_advisory_lock", "pg_try_advisory_lock_shared"} {
		for _, args := range []string{"4712", "47, 12", "-1", "2147483648"} {
			text := fmt.Sprintf("select %s(%s)", function, args)
			states = append(states, leakState{name: "advisory lock: " + text, steps: sql(text)})
		}
	}
	return states
}

var listenStates = []leakState{
	{name: "LISTEN", steps: sql("listen left_behind")},
	{name: "LISTEN by Execute", steps: []leakStep{extended(`listen "Left Behind"`)}},
	{name: "LISTEN by DO", steps: sql("do $$ begin listen left_behind; end $$")},
	{name: "LISTEN by a function", steps: sql("select leak.run('listen left_behind')")},
	{name: "LISTEN in a transaction", steps: sql("begin", "listen left_behind", "commit")},
	{name: "LISTEN in an open transaction", steps: sql("begin", "listen left_behind")},
	{name: "LISTEN, rolled back", steps: sql("begin", "listen left_behind", "rollback")},
	{name: "LISTEN, several", steps: sql("listen one; listen two; unlisten one")},
	{name: "LISTEN in a failing text", steps: sql("listen left_behind; select 1/0")},
	{name: "UNLISTEN", steps: sql("listen left_behind", "unlisten *")},
	{name: "NOTIFY in an open transaction", steps: sql("begin", "notify left_behind")},
}

var preparedStates = []leakState{
	{name: "Parse", steps: []leakStep{{pgtest.Parse("left", "select $1::int"), pgtest.Sync}}},
	{name: "Parse of the unnamed statement", steps: []leakStep{{pgtest.Parse("", "select $1::int"), pgtest.Sync}}},
	{name: "Parse and Execute of the unnamed statement", steps: []leakStep{extended("select 1 as n")}},
	{name: "Parse, Query", steps: []leakStep{{pgtest.Parse("", "select 1"), pgtest.Sync}, {pgtest.Query("select 2")}}},
	{name: "Parse, Query that fails", steps: []leakStep{{pgtest.Parse("", "select 1"), pgtest.Sync}, {pgtest.Query("selec")}}},
	{name: "Parse in a failing pipeline", steps: []leakStep{{
		pgtest.Parse("left", "select 1"), pgtest.Parse("", "selec"), pgtest.Parse("left2", "select 2"), pgtest.Sync}}},
	{name: "Parse in a transaction that is rolled back", steps: []leakStep{
		{pgtest.Query("begin")}, {pgtest.Parse("left", "select 1"), pgtest.Sync}, {pgtest.Query("rollback")}}},
	{name: "Parse that fails", steps: []leakStep{{pgtest.Parse("left", "select from where"), pgtest.Sync}}},
	{name: "Parse, Close", steps: []leakStep{{pgtest.Parse("left", "select 1"), pgtest.Sync}, {pgtest.CloseStatement("left"), pgtest.Sync}}},
	{name: "Parse and Flush", steps: []leakStep{{pgtest.Parse("left", "select 1"), pgtest.Bind("", "left"), pgtest.Execute("", 0), pgtest.Flush}}},
	{name: "PREPARE", steps: sql("prepare left as select 1")},
	{name: "PREPARE with a name to quote", steps: sql(`prepare "left" as select $1::int + 1`, `execute "left" (1)`)},
	{name: "PREPARE by DO", steps: sql("do $$ begin execute 'prepare \"left\" as select 1'; end $$")},
	{name: "PREPARE by a function", steps: sql(`select leak.run('prepare "left" as select 1')`)},
	{name: "PREPARE in a transaction", steps: sql("begin", `prepare "left" as select 1`, "rollback")},
	{name: "PREPARE, DEALLOCATE", steps: sql(`prepare "left" as select 1`, "deallocate all")},
	{name: "PREPARE by Execute", steps: []leakStep{extended(`prepare "left" as select 1`)}},
	{name: "generic plan", steps: slices.Concat(sql(`prepare "left" (int) as select $1`), sql(slices.Repeat([]string{`execute "left" (1)`}, 6)...))},
}

var cursorStates = []leakState{
	{name: "cursor WITH HOLD", steps: sql("begin; declare left_behind cursor with hold for select generate_series(1, 9); commit", "fetch 3 from left_behind")},
	{name: "cursor WITH HOLD by itself", steps: sql("declare left_behind scroll cursor with hold for select 1")},
	{name: "cursor WITH HOLD by Execute", steps: []leakStep{extended("declare left_behind binary cursor with hold for select 1")}},
	{name: "cursor WITH HOLD by DO", steps: sql("do $$ begin execute 'declare left_behind cursor with hold for select 1'; end $$")},
	{name: "cursor WITH HOLD by a function", steps: sql("select leak.run('declare left_behind cursor with hold for select 1')")},
	{name: "cursor WITH HOLD, rolled back", steps: sql("begin; declare left_behind cursor with hold for select 1; rollback")},
	{name: "cursor WITH HOLD, closed", steps: sql("declare left_behind cursor with hold for select 1", "close left_behind")},
	{name: "cursor", steps: sql("begin", "declare left_behind cursor for select generate_series(1, 9)", "fetch 2 from left_behind")},
	{name: "cursor that has ended", steps: sql("begin", "declare left_behind cursor for select 1", "commit")},
	{name: "open portal", steps: []leakStep{{pgtest.Query("begin")},
		{pgtest.Parse("", "select generate_series(1, 9)"), pgtest.Bind("left", ""), pgtest.Execute("left", 2), pgtest.Sync}}},
	{name: "open unnamed portal", steps: []leakStep{{pgtest.Query("begin")},
		{pgtest.Parse("", "select generate_series(1, 9)"), pgtest.Bind("", ""), pgtest.Execute("", 2), pgtest.Sync}}},
	{name: "portal without Sync", steps: []leakStep{
		{pgtest.Parse("", "select generate_series(1, 9)"), pgtest.Bind("left", ""), pgtest.Execute("left", 2), pgtest.Flush}}},
	{name: "portal outside of a transaction", steps: []leakStep{{pgtest.Parse("", "select 1"), pgtest.Bind("left", ""), pgtest.Sync}}},
	{name: "refcursor", steps: sql("begin", "do $$ declare left_behind refcursor := 'left_behind'; begin open left_behind for select 1; end $$")},
}

// settingFormStates are settings that have a syntax or a meaning of their own.
var settingFormStates = []leakState{
	{name: "SET TIME ZONE", steps: sql("set time zone 'Europe/Paris'")},
	{name: "SET TIME ZONE of a number", steps: sql("set time zone -7.5")},
	{name: "SET TIME ZONE LOCAL", steps: sql("set time zone interval '3' hour", "set time zone local")},
	{name: "SET NAMES", steps: sql("set names 'latin1'")},
	{name: "SET NAMES of an unreadable encoding", steps: sql("set names 'sjis'", "set work_mem = '6MB'")},
	{name: "SET SCHEMA", steps: sql("set schema 'leak'")},
	{name: "SET XML OPTION", steps: sql("set xml option document")},
	{name: "search_path of several", steps: sql(`set search_path = leak, "$user", pg_catalog`)},
	{name: "search_path of nothing", steps: sql("set search_path = ''")},
	{name: "search_path of the one that is there", steps: sql("select set_config('search_path', current_setting('search_path'), false)")},
	{name: "custom setting of a name with dots", steps: sql("set app.x = 'left'", "set local.x = 'left'", "set session.x = 'left'")},
	{name: "custom setting of a name in quotes", steps: sql(`set "app"."X" = 'left'`)},
	{name: "set_config of any", steps: sql("select set_config(x, '7MB', false) from (values ('work_mem')) v (x)")},
	{name: "custom setting of a composed name", steps: sql("select set_config('app.' || 'x', 'left', false)")},
	{name: "custom setting of a parameter", steps: []leakStep{extended("select set_config($1, 'left', false)", "app.x")}},
	{name: "custom setting of a prepared statement", steps: sql("prepare p as select set_config($1, 'left', false)", "execute p('app.x')", "deallocate p")},
	{name: "custom setting of a row", steps: sql("select set_config(name, 'left', false) from (values ('app.x'), ('app.y')) as t (name)")},
	{name: "custom setting of a rolled back transaction", steps: sql("set app.x = 'left'", "begin; set app.x = 'other'; rollback")},
	{name: "custom setting, reset", steps: sql("set app.x = 'left'; set app.y = 'left'", "reset app.x")},
	{name: "custom setting by DO, reset by DO", steps: sql("do $$ begin set app.x = 'left'; end $$", "do $$ begin reset app.x; end $$")},
	{name: "custom setting of nothing", steps: sql("set app.x = ''")},
	{name: "settings, all but one reset", steps: sql("set work_mem = '6MB'; set geqo = off; set app.x = 'left'", "reset work_mem")},
	{name: "settings reset", steps: sql("set work_mem = '6MB'; set geqo = off; set app.x = 'left'", "reset all")},
	{name: "settings, then one that fails", steps: sql("set work_mem = '6MB'", "set work_mem = 'much'")},
	{name: "UPDATE pg_settings", steps: sql("update pg_catalog.pg_settings set setting = '7000' where name = 'work_mem'")},
	{name: "UPDATE pg_settings by Execute", steps: []leakStep{extended("update pg_settings set setting = $1 where name = $2", "7000", "work_mem")}},
	{name: "UPDATE pg_settings in quotes", steps: sql(`update "pg_settings" as s set setting = '7000' where s.name = 'work_mem'`)},
	{name: "SET FROM CURRENT", steps: sql("set work_mem = '6MB'", "create function pg_temp.f() returns text language sql set work_mem from current as 'select current_setting(''work_mem'')'", "select pg_temp.f()")},
	{name: "function with a setting of its own", steps: sql("create function pg_temp.f() returns text language plpgsql set work_mem = '6MB' as $$ begin return set_config('work_mem', '7MB', false); end $$", "select pg_temp.f()")},
	{name: "procedure with COMMIT", steps: sql("call leak.call('work_mem', '6MB')")},
	{name: "same setting twice", steps: sql("set work_mem = '6MB'", "begin; set local work_mem = '7MB'; set work_mem = '8MB'; set local work_mem = '9MB'", "commit")},
	{name: "same setting, rolled back to", steps: sql("begin; set work_mem = '6MB'; savepoint s; set work_mem = '7MB'; rollback to s; commit")},
	{name: "same setting, rolled back", steps: sql("set work_mem = '6MB'", "begin; set work_mem = '7MB'; rollback")},
	{name: "same setting, rolled back after a release", steps: sql("begin; savepoint s; set work_mem = '7MB'; release s; rollback")},
	{name: "setting in a chained transaction", steps: sql("begin; set work_mem = '6MB'", "rollback and chain", "set geqo = off", "commit")},
	{name: "setting, prepared by DO", steps: sql("do $$ begin execute 'prepare p as select set_config(''work_mem'', ''6MB'', false)'; end $$", "execute p")},
}

var otherStates = []leakState{
	{name: "nothing", steps: sql("select 1")},
	{name: "sequence", steps: sql("select setval('leak.ticket', 4711)", "select nextval('leak.ticket')")},
	{name: "sequence in a rolled back transaction", steps: sql("begin; select setval('leak.ticket', 4712); rollback")},
	{name: "sequence before an error", steps: sql("select setval('leak.ticket', 4712), 1/(0 * length(current_user))")},
	{name: "sequence, discarded", steps: sql("select setval('leak.ticket', 4712)", "discard sequences")},
	{name: "sequence by Execute", steps: []leakStep{extended("select setval('leak.ticket', $1)", "4712")}},
	{name: "sequence by Parse only", steps: []leakStep{{pgtest.Parse("left", "select setval('leak.ticket', 4712)"), pgtest.Sync}}},
	{name: "sequence by DO", steps: sql("do $$ begin perform setval('leak.ticket', 4712); end $$")},
	{name: "sequence by a function", steps: sql("select leak.run('select setval(''leak.ticket'', 4712)')")},
	{name: "sequence in a function", fades: true, steps: sql("select leak.number()")},
	{name: "sequence of a column", fades: true, steps: sql("insert into leak.numbered default values")},
	{name: "sequence of a column in a transaction", fades: true, steps: sql("begin", "insert into leak.numbered default values", "commit")},
	{name: "sequence of a column in an open transaction", steps: sql("begin", "insert into leak.numbered default values")},
	{name: "sequence of a column, rolled back", fades: true, steps: sql("begin; insert into leak.numbered default values; rollback")},
	{name: "sequence of a column by Execute", fades: true, steps: []leakStep{extended("insert into leak.numbered default values")}},
	{name: "sequence of a column by COPY", fades: true, steps: []leakStep{{pgtest.Query("copy leak.named (name) from stdin"), pgtest.CopyData("left\n"), pgtest.CopyDone}}},
	{name: "sequence of a column in a failing pipeline", fades: true, steps: []leakStep{slices.Concat(
		extended("insert into leak.numbered default values")[:3], extended("select 1/0"))}},
	{name: "library", user: "postgres", steps: sql("load 'auto_explain'")},
	{name: "library, named by a path", user: "postgres", steps: sql("load '$libdir/auto_explain'")},
	{name: "library and its setting", user: "postgres", steps: sql("load 'auto_explain'", "set auto_explain.log_min_duration = 0")},
	{name: "library, then another reason to stay", user: "postgres", steps: sql("load 'auto_explain'; do $$ begin end $$")},
	{name: "replication slot", user: "postgres", steps: sql("select slot_name from pg_create_physical_replication_slot('left_behind', true, true)")},
	{name: "replication slot by DO", user: "postgres", steps: sql("do $$ begin perform pg_create_physical_replication_slot('left_behind', true, true); end $$")},
	{name: "backup", user: "postgres", steps: sql("select pg_backup_start('left_behind', true) is not null"), probe: "select count(*) from pg_backup_stop(false)"},
	{name: "replication origin", user: "postgres", probe: "select pg_replication_origin_session_is_setup()",
		steps: sql("select pg_replication_origin_session_setup('leak')")},
	{name: "large object", steps: sql("begin", "select lo_open(lo_create(0), 131072)")},
	{name: "statistics snapshot", steps: sql("begin; set local stats_fetch_consistency = snapshot", "select count(*) > 0 from pg_stat_activity")},
	{name: "DISCARD PLANS", steps: sql("set work_mem = '6MB'", "discard plans")},
	{name: "DISCARD TEMP", steps: sql("create temp table left_behind (id int)", "set work_mem = '6MB'", "discard temp")},
	{name: "DISCARD ALL", steps: sql("set work_mem = '6MB'", "discard all")},
	{name: "DISCARD ALL, then more", steps: sql("discard all", "set work_mem = '6MB'")},
	{name: "DISCARD ALL that fails", steps: sql("set work_mem = '6MB'", "begin", "discard all", "rollback")},
}

// startupStates are start-up parameters.
var startupStates = []leakState{
	{name: "start-up parameters", start: []string{"application_name", "left", "work_mem", "6MB", "app.x", "left"}, steps: sql("select 1")},
	{name: "start-up options", start: []string{"options", "-c geqo=off -c search_path=leak -csession.x=left"}, steps: sql("select 1")},
	{name: "start-up parameters, one changed", start: []string{"work_mem", "6MB"}, steps: sql("set work_mem = '7MB'")},
	{name: "start-up parameters, one reset", start: []string{"work_mem", "6MB"}, steps: sql("set work_mem = '7MB'", "reset work_mem")},
	{name: "start-up parameters, discarded", start: []string{"work_mem", "6MB"}, steps: sql("set work_mem = '7MB'", "discard all")},
	{name: "start-up role", start: []string{"role", "leak_other"}, steps: sql("select current_user")},
	{name: "start-up encoding", start: []string{"client_encoding", "latin1"}, steps: sql("select 1")},
	{name: "start-up parameters in a failing text", start: []string{"work_mem", "6MB"}, steps: sql("set work_mem = '7MB'; reset work_mem; select 1/0")},
}

// afterSeed stands for the number that random() gives after setseed(0.5).
const afterSeed = "AFTERSEED"

// seedStates leave the seed of random() behind.
var seedStates = []leakState{
	leavesSeed("seed", "select setseed(0.5)"),
	leavesSeed("seed as a setting", "set seed = 0.5"),
	leavesSeed("seed as a setting, local", "begin; set local seed = 0.5; commit"),
	leavesSeed("seed by set_config", "select set_config('seed', '0.5', false)"),
	leavesSeed("seed by set_config, local", "select set_config('seed', '0.5', true)"),
	leavesSeed("seed in a rolled back transaction", "begin; select setseed(0.5); rollback"),
	leavesSeed("seed, discarded", "select setseed(0.5)", "discard all"),
	leavesSeed("seed, then another reason to stay", "select setseed(0.5); create temp table left_behind (id int)"),
	leavesSeed("seed before an error", "select setseed(0.5), 1/(0 * length(current_user))"),
}

// libraryStates leave something in what extensions keep in their process.
var libraryStates = []leakState{
	leavesConnection("connection of dblink", connects),
	leavesConnection("connection of dblink, by DO", "do $$ begin perform dblink_connect('left', format('host=127.0.0.1 port=%s dbname=%s user=postgres', current_setting('port'), current_database())); end $$"),
	leavesConnection("connection of dblink, by a text of a function", "select leak.run($$ "+connects+" $$)"),
	leavesWeakness("weak mode of isn", "select isn_weak(true)"),
	leavesWeakness("weak mode of isn, in a transaction", "begin; select isn_weak(true); rollback"),
	leavesWeakness("weak mode of isn, by a function", "select leak.weakens()"),
	leavesWeakness("weak mode of isn, by a view", "select * from leak.view_weakens"),
}

const connects = "select dblink_connect('left', format('host=127.0.0.1 port=%s dbname=%s user=postgres', current_setting('port'), current_database()))"

func leavesConnection(name, query string) leakState {
	return leakState{name: name, user: "postgres", steps: sql(query), probe: "select dblink_get_connections()"}
}

func leavesWeakness(name, query string) leakState {
	return leakState{name: name, steps: sql(query), probe: "select isn_weak()"}
}

// leavesSeed makes a state whose probe is what random() says next: the same each time
// after that seed.
func leavesSeed(name string, queries ...string) leakState {
	return leavesSeedBy(name, sql(queries...)...)
}

func leavesSeedBy(name string, steps ...leakStep) leakState {
	return leakState{name: name, steps: steps, probe: "select random() = " + afterSeed}
}
