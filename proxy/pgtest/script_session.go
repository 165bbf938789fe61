package pgtest

// intruder takes whatever backend is free and keeps it, so that the next
// statement of "a" would run on another one if "a" did not have its own.
var intruder = []Step{within("begin", "BEGIN").On("b")}

// sessionScripts are session state that must live on from one transaction to
// the next although another client works in between.
var sessionScripts = []Script{
	livesOn("SET", []Step{do("set work_mem = '6MB'", "SET")}, ask("show work_mem", "6MB")),
	livesOn("SET twice", []Step{do("set work_mem = '6MB'; set geqo = off", "SET").also("C SET")},
		ask("select current_setting('work_mem') || current_setting('geqo')", "6MBoff")),
	livesOn("SET in the extended protocol", []Step{Send(once("set work_mem = '6MB'")...).Expect("1", "2", "n", "C SET", "Z I")}, ask("show work_mem", "6MB")),
	livesOn("set_config", []Step{ask("select set_config('work_mem', '6MB', false)", "6MB")}, ask("show work_mem", "6MB")),
	livesOn("SET of a placeholder", []Step{do("set my.own = 'x'", "SET")}, ask("show my.own", "x")),
	livesOn("search_path", []Step{do("set search_path = wire", "SET")}, ask("select name from item where id = 2", "item 2")),
	livesOn("role", []Step{Send(Query("set role wire_reader")).Expect("...", "Z I")}, ask("select current_user", "wire_reader")),
	livesOn("session authorization", []Step{Send(Query("set session authorization wire_reader")).Expect("...", "Z I")}, ask("select session_user", "wire_reader")),
	livesOn("session characteristics", []Step{do("set session characteristics as transaction isolation level serializable", "SET")},
		ask("show transaction_isolation", "serializable")),
	livesOn("RESET", []Step{do("set work_mem = '6MB'", "SET"), do("reset work_mem", "RESET")}, ask("show work_mem", "4MB")),
	livesOn("DISCARD ALL", []Step{do("set work_mem = '6MB'", "SET"), do("discard all", "DISCARD ALL")}, ask("show work_mem", "4MB")),
	livesOn("temporary table", []Step{do("create temp table mine (id int)", "CREATE TABLE"), do("insert into mine values (7)", "INSERT 0 1")}, ask("select id from mine", "7")),
	livesOn("temporary table of a query", []Step{do("select 7 as id into temp mine", "SELECT 1")}, ask("select id from mine", "7")),
	livesOn("temporary view", []Step{do("create temp view mine as select 7 as id", "CREATE VIEW")}, ask("select id from mine", "7")),
	livesOn("temporary sequence", []Step{do("create temp sequence mine", "CREATE SEQUENCE")}, ask("select nextval('mine')", "1")),
	livesOn("temporary table by schema", []Step{do("create table pg_temp.mine as select 7 as id", "SELECT 1")}, ask("select id from mine", "7")),
	livesOn("temporary function", []Step{do("create function pg_temp.mine() returns int language sql as 'select 7'", "CREATE FUNCTION")}, ask("select pg_temp.mine()", "7")),
	livesOn("SQL PREPARE", []Step{do("prepare mine as select 7", "PREPARE")}, ask("execute mine", "7")),
	livesOn("Parse", []Step{Send(Parse("mine", "select 7 as n"), Sync).Expect("1", "Z I")}, Send(Bind("", "mine"), Execute("", 0), Sync).Expect("2", "D 7", "C SELECT 1", "Z I")),
	livesOn("advisory lock", []Step{ask("select pg_advisory_lock(4711)", "''")}, ask("select pg_advisory_unlock(4711)", "t")),
	livesOn("advisory lock tried", []Step{ask("select pg_try_advisory_lock(4711)", "t")}, ask("select pg_advisory_unlock(4711)", "t")),
	livesOn("cursor WITH HOLD", []Step{
		Send(Query("begin; declare mine cursor with hold for select generate_series(1,9) as n; commit")).Expect("C BEGIN", "C DECLARE CURSOR", "C COMMIT", "Z I"),
		ask("fetch 1 from mine", "1"),
	}, ask("fetch 1 from mine", "2")),
	livesOn("LISTEN", []Step{do("listen mine", "LISTEN")}, ask("select * from pg_listening_channels()", "mine")),
	livesOn("DO", []Step{do("do $$ begin perform set_config('work_mem', '6MB', false); end $$", "DO")}, ask("show work_mem", "6MB")),
	livesOn("sequence position", append(readsSequences, ask("select nextval('wire.ticket') is not null", "t")), ask("select currval('wire.ticket') is not null", "t")),
	livesOn("random seed", []Step{ask("select setseed(0.25)", "''")}, ask("select random() = (select r from (select setseed(0.25), random() as r offset 0) s)", "*")),
}

// readsSequences has a client ask for what nextval has left: until one does a proxy
// may think that nobody will.
var readsSequences = []Step{
	Connect("reader"), Send(Query("select lastval()")).On("reader").Expect("...", "E ERROR 55000 *", "Z I"), Drop("reader"),
}

// also adds a reply in front of the last expected ones.
func (s Step) also(pattern string) Step {
	s.want = append([]string{pattern}, s.want...)
	return s
}

// livesOn makes a script: "a" makes some state, "b" takes a backend, and the
// state must still be there for "a".
func livesOn(name string, make []Step, probe Step) Script {
	steps := append([]Step(nil), make...)
	steps = append(steps, intruder...)
	steps = append(steps, probe, do("commit", "COMMIT").On("b"), probe.again())
	return Script{Name: "session/" + name, Blocks: true, Backends: 2, Steps: steps}
}

// again is the same step where asking twice gives the same answer; for probes
// that use something up it is a step that does nothing.
func (s Step) again() Step {
	if len(s.want) > 1 && s.want[1] != "D t" && s.want[1] != "D 1" && s.want[1] != "D 2" {
		return s
	}
	return Send(Sync).Expect("Z I")
}
