package pgtest

import "strings"

// simpleScripts are simple queries.
var simpleScripts = []Script{
	{Name: "simple/one row", Steps: []Step{
		Send(Query("select 1 as n")).Expect("T n:int4", "D 1", "C SELECT 1", "Z I"),
	}},
	{Name: "simple/empty", Steps: []Step{
		Send(Query("")).Expect("I", "Z I"),
		Send(Query("   ")).Expect("I", "Z I"),
		Send(Query(";;")).Expect("I", "Z I"),
	}},
	{Name: "simple/only comments", Steps: []Step{
		Send(Query("-- nothing")).Expect("I", "Z I"),
		Send(Query("/* nothing /* at */ all */")).Expect("I", "Z I"),
		Send(Query("/* first */ select 1 as n -- last")).Expect("T n:int4", "D 1", "C SELECT 1", "Z I"),
	}},
	{Name: "simple/several statements", Steps: []Step{
		Send(Query("select 1 as a; select 2 as b, 3 as c;; select 'x' as d;")).Expect(
			"T a:int4", "D 1", "C SELECT 1",
			"T b:int4 c:int4", "D 2|3", "C SELECT 1",
			"T d:text", "D x", "C SELECT 1", "Z I"),
	}},
	{Name: "simple/error in the middle", Steps: []Step{
		Send(Query("select 1 as a; select 1/0; select 3 as c")).Expect(
			"T a:int4", "D 1", "C SELECT 1", "E ERROR 22012 division by zero", "Z I"),
		ask("select 4", "4"),
	}},
	{Name: "simple/syntax error runs nothing", Steps: []Step{
		Send(Query("select 1; selec 2")).Expect(`E ERROR 42601 syntax error at or near "selec"`, "Z I"),
	}},
	{Name: "simple/comment not closed", Steps: []Step{
		Send(Query("select 1 /* open")).Expect("E ERROR 42601 unterminated /* comment*", "Z I"),
		Send(Query("select 'open")).Expect("E ERROR 42601 unterminated quoted string*", "Z I"),
	}},
	{Name: "simple/unknown table", Steps: []Step{
		Send(Query("select * from wire.nothing")).Expect(`E ERROR 42P01 relation "wire.nothing" does not exist`, "Z I"),
	}},
	{Name: "simple/errors one after the other", Steps: []Step{
		Send(Query("select 1/0")).Expect("E ERROR 22012*", "Z I"),
		Send(Query("select 'x'::int")).Expect("E ERROR 22P02*", "Z I"),
		Send(Query("select wire.fail()")).Expect("T *", "E ERROR P0042 sorry", "Z I"),
		ask("select 'alive'", "alive"),
	}},
	{Name: "simple/error in row three", Steps: []Step{
		Send(Query("select 1/(3-i) as n from generate_series(1,5) i")).Expect(
			"T n:int4", "D 0", "D 1", "E ERROR 22012 division by zero", "Z I"),
	}},
	{Name: "simple/notices", Steps: []Step{
		Send(Query("do $$ begin raise notice 'hello %', 1; raise warning 'beware'; end $$")).Expect(
			"N NOTICE 00000 hello 1", "N WARNING 01000 beware", "C DO", "Z I"),
	}},
	{Name: "simple/notices between rows", Steps: []Step{
		Send(Query("select wire.noisy(i) as n from generate_series(1,3) i")).Expect(
			"T n:int4", "N NOTICE 00000 row 1", "D 1", "N NOTICE 00000 row 2", "D 2", "N NOTICE 00000 row 3", "D 3",
			"C SELECT 3", "Z I"),
	}},
	{Name: "simple/notice and error", Steps: []Step{
		Send(Query("do $$ begin raise notice 'first'; raise exception 'then'; end $$")).Expect(
			"N NOTICE 00000 first", "E ERROR P0001 then", "Z I"),
	}},
	{Name: "simple/changes", Setup: resetSink, Steps: []Step{
		do("insert into wire.sink values (1,'a'),(2,'b'),(3,'c')", "INSERT 0 3"),
		do("update wire.sink set name = 'z' where id > 1", "UPDATE 2"),
		do("delete from wire.sink where id = 1", "DELETE 1"),
		Send(Query("insert into wire.sink values (4,'d') returning id, name")).Expect(
			"T id:int4 name:text", "D 4|d", "C INSERT 0 1", "Z I"),
		ask("select count(*) from wire.sink", "3"),
	}},
	{Name: "simple/merge", Setup: resetSink, Steps: []Step{
		do("merge into wire.sink s using (values (1,'m')) v(id,name) on s.id = v.id when not matched then insert values (v.id, v.name)", "MERGE 1"),
	}},
	{Name: "simple/constraint violation", Steps: []Step{
		Send(Query("insert into wire.item values (1, 'again', 0)")).Expect(
			`E ERROR 23505 duplicate key value violates unique constraint "item_pkey"`, "Z I"),
		Send(Query("insert into wire.item values (-1, null, 0)")).Expect("E ERROR 23502*", "Z I"),
	}},
	{Name: "simple/definitions", Steps: []Step{
		do("create table wire.made (id int)", "CREATE TABLE"),
		do("alter table wire.made add name text", "ALTER TABLE"),
		do("create index on wire.made (id)", "CREATE INDEX"),
		do("drop table wire.made", "DROP TABLE"),
		Send(Query("drop table if exists wire.made")).Expect("N NOTICE 00000*", "C DROP TABLE", "Z I"),
	}},
	{Name: "simple/utility results", Steps: []Step{
		Send(Query("explain (costs off) select 1")).Expect("T QUERY PLAN:text", "D Result", "C EXPLAIN", "Z I"),
		Send(Query("show server_encoding")).Expect("T server_encoding:text", "D UTF8", "C SHOW", "Z I"),
		Send(Query("values (1), (2)")).Expect("T column1:int4", "D 1", "D 2", "C SELECT 2", "Z I"),
	}},
	{Name: "simple/vacuum and analyze", Steps: []Step{
		do("vacuum wire.item", "VACUUM"),
		do("analyze wire.item", "ANALYZE"),
		Send(Query("select 1; vacuum wire.item")).Expect("T *", "D 1", "C SELECT 1", "E ERROR 25001*", "Z I"),
	}},
	{Name: "simple/text that is not UTF-8", Steps: []Step{
		Send(Message('Q', "select '\xff'\x00")).Expect("E ERROR 22021 invalid byte sequence*", "Z I"),
	}},
	{Name: "simple/text with accents", Steps: []Step{
		Send(Query("select 'für Łódź, 日本' as city")).Expect("T city:text", "D für Łódź, 日本", "C SELECT 1", "Z I"),
	}},
	{Name: "simple/long text", Steps: []Step{
		ask("select length('"+strings.Repeat("x", 300_000)+"')", "300000"),
	}},
	{Name: "simple/many statements", Steps: []Step{
		Send(Query(strings.Repeat("select 1;", 500))).Expect(append(repeat(500, "T *", "D 1", "C SELECT 1"), "Z I")...),
	}},
}

// resultScripts are about what rows may look like.
var resultScripts = []Script{
	{Name: "result/null and empty", Steps: []Step{
		Send(Query("select null::int as a, '' as b, 'x' as c, null::text as d")).Expect(
			"T a:int4 b:text c:text d:text", "D NULL|''|x|NULL", "C SELECT 1", "Z I"),
	}},
	{Name: "result/no rows", Steps: []Step{
		Send(Query("select id from wire.item where false")).Expect("T id:int4", "C SELECT 0", "Z I"),
	}},
	{Name: "result/no columns", Steps: []Step{
		Send(Query("select from wire.item limit 2")).Expect("T", "D", "D", "C SELECT 2", "Z I"),
	}},
	{Name: "result/types", Steps: []Step{
		Send(Query(`select true b, 1::int2 s, 2::int8 l, 1.5::float8 f, 2.50 n, 'x'::varchar v, '\x00ff'::bytea y, `+
			`'{"a": 1}'::jsonb j, date '2024-02-29' d, '{1,2}'::int4[] a`)).Expect(
			"T b:bool s:int2 l:int8 f:float8 n:numeric v:varchar y:bytea j:jsonb d:date a:int4[]",
			`D t|1|2|1.5|2.50|x|\\x00ff|{"a": 1}|2024-02-29|{1,2}`, "C SELECT 1", "Z I"),
	}},
	{Name: "result/table columns", Steps: []Step{
		Send(Query("select * from wire.item where id = 7")).Expect(
			"T id:int4 name:text price:numeric", "D 7|item 7|10.5", "C SELECT 1", "Z I"),
	}},
	{Name: "result/huge", Steps: []Step{
		Send(Query("select i, repeat('x', 100) from generate_series(1, 20000) i")).Expect(
			"T *", "20000x D *|xxxx*", "C SELECT 20000", "Z I"),
	}},
	{Name: "result/huge row", Steps: []Step{
		Send(Query("select repeat('y', 5000000)")).Expect("T *", "D yyyy*", "C SELECT 1", "Z I"),
		ask("select 1", "1"),
	}},
	{Name: "result/many columns", Steps: []Step{
		Send(Query("select "+strings.Repeat("1, ", 1599)+"1")).Expect("T *", "D 1|1|*", "C SELECT 1", "Z I"),
	}},
	{Name: "result/rows of all sizes", Steps: []Step{
		// Around the sizes of buffers, so that frames end and begin everywhere in them.
		Send(Query("select repeat('z', i) from generate_series(4000, 4200) i")).Expect("T *", "201x D zzz*", "C SELECT 201", "Z I"),
		Send(Query("select repeat('z', i) from generate_series(16300, 16500, 3) i")).Expect("T *", "67x D zzz*", "C SELECT 67", "Z I"),
		Send(Query("select repeat('z', i) from generate_series(65400, 65600, 7) i")).Expect("T *", "29x D zzz*", "C SELECT 29", "Z I"),
	}},
}
