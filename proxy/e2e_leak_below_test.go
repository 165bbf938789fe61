package proxy_test

import "github.com/pgjay/pgjay/proxy/pgtest"

// belowFixture has code that is run by who does not name it.
const belowFixture = `
create view leak.view_sets as select set_config('work_mem', '6MB', false);
create view leak.view_sets_own as select set_config('app.x', 'left', false);
create view leak.view_over as select * from leak.view_sets;
create view leak."view, ""odd""" as select set_config('work_mem', '6MB', false);
create view leak.view_locks as select pg_try_advisory_lock(4712);
create view leak.view_listens as select leak.run('listen left_behind') is null;
create view leak.view_makes as select leak.run('create temp table left_behind (id int)') is null;
create view leak.view_seeds as select setseed(0.5) is null as s;
create table leak.triggered (id int primary key);
create function leak.trigger_sets() returns trigger language plpgsql as
	$$ begin perform set_config('work_mem', '6MB', false); return coalesce(new, old); end $$;
create trigger t before insert or delete on leak.triggered for each row execute function leak.trigger_sets();
create table leak.parent (id int primary key);
insert into leak.parent values (1);
create table leak.child (id int references leak.parent on delete cascade);
insert into leak.child values (1);
create trigger t before delete on leak.child for each row execute function leak.trigger_sets();
create table leak.parted (id int) partition by list (id);
create table leak.part partition of leak.parted for values in (1);
create trigger t before insert on leak.part for each row execute function leak.trigger_sets();
create table leak.defaulted (v text default set_config('work_mem', '6MB', false));
create table leak.checking (v text check (set_config('work_mem', v, false) is not null));
create table leak.guarded (v int);
insert into leak.guarded values (1);
alter table leak.guarded enable row level security;
alter table leak.guarded force row level security;
create policy p on leak.guarded using (set_config('work_mem', '6MB', false) is not null);
create domain leak.checked as text check (set_config('work_mem', '6MB', false) is not null);
create table leak.of_checked (v leak.checked);
create operator leak.=== (leftarg = text, rightarg = text, function = leak.set);
create type leak.pair as (a int);
create function leak.cast_sets(leak.pair) returns int language sql as $$ select length(set_config('work_mem', '6MB', false)) $$;
create cast (leak.pair as int) with function leak.cast_sets(leak.pair);
create view leak.ruled as select ''::text as v;
create rule r as on update to leak.ruled do instead select set_config('work_mem', new.v, false);
create function leak.outer(name text) returns text language sql as $$ select leak.set('app.' || name, 'left') $$;
create function leak.seeds() returns void language sql as $$ select setseed(0.5) $$;
create extension dblink;
create extension isn;
grant execute on function dblink_connect(text, text) to public;
create function leak.weakens() returns boolean language sql as $$ select isn_weak(true) $$;
create view leak.view_weakens as select isn_weak(true) as w;
create function leak.loads() returns void language plpgsql as $$ begin load 'auto_explain'; end $$;
grant all on all tables in schema leak to public`

// belowStates are made by what is not in the text, or not for the eye.
var belowStates = []leakState{
	{name: "set_config in a view", steps: sql("select * from leak.view_sets")},
	{name: "set_config in a view, extended", steps: []leakStep{extended("select * from leak.view_sets")}},
	{name: "set_config in a view, by EXECUTE", steps: sql("prepare p as select * from leak.view_sets", "execute p")},
	{name: "set_config in a view, by EXECUTE among others", steps: sql("prepare p as select * from leak.view_sets", "select 1; execute p")},
	{name: "set_config in a view, by Bind after PREPARE", steps: []leakStep{{pgtest.Query("prepare p as select * from leak.view_sets")},
		{pgtest.Bind("", "p"), pgtest.Execute("", 0), pgtest.Sync}}},
	{name: "set_config in a view, by EXECUTE after Parse", steps: []leakStep{{pgtest.Parse("p", "select * from leak.view_sets"), pgtest.Sync},
		{pgtest.Query("execute p")}}},
	{name: "set_config in a view for an application's setting", steps: sql("select * from leak.view_sets_own")},
	{name: "set_config in a view over a view", steps: sql("select * from Leak.View_Over")},
	{name: "set_config in a view with an odd name", steps: sql(`select * from leak."view, ""odd"""`)},
	{name: "set_config in a view of the transaction", steps: sql("begin; create view leak.made as select set_config('work_mem', '6MB', false)",
		"select * from leak.made", "drop view leak.made; commit")},
	{name: "set_config in a view that was made just before", steps: sql("create view leak.made as select set_config('work_mem', '6MB', false)",
		"table leak.made", "drop view leak.made")},
	{name: "set_config in a trigger", steps: sql("insert into leak.triggered values (1); delete from leak.triggered")},
	{name: "set_config in a trigger of a child", steps: sql("begin; delete from leak.parent; insert into leak.parent values (1); insert into leak.child values (1); commit")},
	{name: "set_config in a trigger of a partition", steps: sql("insert into leak.parted values (1)")},
	{name: "set_config in a default", steps: sql("insert into leak.defaulted default values")},
	{name: "set_config in a check", steps: sql("insert into leak.checking values ('6MB')")},
	{name: "set_config in a policy", user: "leak_user", steps: sql("table leak.guarded")},
	{name: "set_config in a domain", steps: sql("select 'x'::leak.checked")},
	{name: "set_config in the domain of a column", steps: sql("insert into leak.of_checked values ('x')")},
	{name: "set_config in an operator", steps: sql("select 'work_mem' operator(leak.===) '6MB'")},
	{name: "set_config in a cast", steps: sql("select row(1)::leak.pair::int")},
	{name: "set_config in a rule", steps: sql("update leak.ruled set v = '6MB'")},
	{name: "advisory lock in a view", steps: sql("select * from leak.view_locks")},
	{name: "LISTEN in a view", steps: sql("select * from leak.view_listens")},
	{name: "temporary table in a view", steps: sql("select * from leak.view_makes")},
	{name: "search_path of a parameter", steps: []leakStep{{pgtest.Query("begin")},
		extended("select set_config('search_path', $1, true)", "pg_temp"),
		{pgtest.Query("create table left_behind (id int)")}, {pgtest.Query("commit")}}},
	{name: "composed name by DO", steps: sql("do $$ begin perform set_config('app.' || 'x', 'left', false); end $$")},
	{name: "composed SET by DO", steps: sql("do $$ begin execute format('set %s.x = %L', 'app', 'left'); end $$")},
	{name: "composed name by a function", steps: sql("select leak.set('app.' || 'x', 'left')")},
	{name: "composed name by a function of a function", steps: sql("select leak.outer('x')")},
	{name: "name in an argument of a function", steps: sql("select leak.set('app.x', 'left')")},
	{name: "name in an argument of a procedure", steps: sql("call leak.call('app.x', 'left')")},
	{name: "name in a text that cannot be read", steps: sql(`select U&"set\005fconfig"('app.x', 'left', false)`)},
	{name: "library by DO", user: "postgres", steps: sql("do $$ begin load 'auto_explain'; end $$")},
	{name: "library by a function", user: "postgres", steps: sql("select leak.loads()")},
	leavesSeed("seed by DO", "do $$ begin perform setseed(0.5); end $$"),
	leavesSeed("seed by a text of a function", "select leak.run('select setseed(0.5)')"),
	leavesSeed("seed by a function", "select leak.seeds()"),
	leavesSeed("seed by a view", "select * from leak.view_seeds"),
	leavesSeed("seed by a view, by EXECUTE", "prepare p as select * from leak.view_seeds", "execute p"),
	leavesSeedBy("seed by a view, by EXECUTE after Parse", leakStep{pgtest.Parse("p", "select * from leak.view_seeds"), pgtest.Sync}, leakStep{pgtest.Query("execute p")}),
	leavesSeedBy("seed by a view, by EXECUTE after Parse, among others",
		leakStep{pgtest.Parse("p", "select * from leak.view_seeds"), pgtest.Sync}, leakStep{pgtest.Query("select 1; execute p")}),
	leavesSeed("seed by a view that was made behind other DDL", "create view leak.a as select 1 as one", "create view leak.b as select 1 as one",
		"create view leak.made as select setseed(0.5) is null as s", "table leak.made", "drop view leak.made; drop view leak.a; drop view leak.b"),
	leavesSeedBy("seed by a parameter", extended("select set_config($1, '0.5', $2)", "seed", "f")),
}
