package pgtest

import "strings"

// residue is state that one client leaves behind and no other may see.
type residue struct {
	name  string
	make  Step
	probe string // asks for the state
	dirty string // the answer where it is
	clean string // the answer where it is not, or the error
}

// gone is the step that proves that "b" sees nothing.
func (r residue) gone() Step {
	if strings.HasPrefix(r.clean, "E ") {
		return Send(Query(r.probe)).On("b").Expect("...", r.clean, "Z I")
	}
	return ask(r.probe, r.clean).On("b")
}

var residues = []residue{
	{"setting", do("set work_mem = '6MB'", "SET"), "show work_mem", "6MB", "4MB"},
	{"setting by function", ask("select set_config('work_mem', '6MB', false)", "6MB"), "show work_mem", "6MB", "4MB"},
	{"setting by DO", do("do $$ begin perform set_config('work_mem', '6MB', false); end $$", "DO"), "show work_mem", "6MB", "4MB"},
	{"reported setting", Send(Query("set application_name = 'left'")).Expect("...", "Z I"), "show application_name", "left", "''"},
	{"placeholder", do("set my.own = 'left'", "SET"), "select coalesce(current_setting('my.own', true), '')", "left", "''"},
	{"search_path", do("set search_path = wire", "SET"), "show search_path", "wire", `"$user", public`},
	{"role", Send(Query("set role wire_reader")).Expect("...", "Z I"), "select current_user <> session_user", "t", "f"},
	{"session authorization", Send(Query("set session authorization wire_reader")).Expect("...", "Z I"), "select session_user = 'wire_reader'", "t", "f"},
	{"session characteristics", Send(Query("set session characteristics as transaction read only")).Expect("...", "Z I"), "show default_transaction_read_only", "on", "off"},
	{"temporary table", do("create temp table left_behind (id int)", "CREATE TABLE"), "select to_regclass('pg_temp.left_behind') is not null", "t", "f"},
	{"temporary view", do("create temp view left_behind as select 1 as n", "CREATE VIEW"), "select to_regclass('pg_temp.left_behind') is not null", "t", "f"},
	{"SQL PREPARE", do("prepare left_behind as select 1", "PREPARE"), "select count(*) from pg_prepared_statements", "1", "0"},
	{"Parse", Send(Parse("left_behind", "select 1"), Sync).Expect("1", "Z I"), "select count(*) from pg_prepared_statements", "1", "0"},
	{"advisory lock", ask("select pg_advisory_lock(4712)", "''"), "select count(*) from pg_locks where locktype = 'advisory'", "1", "0"},
	{"shared advisory lock", ask("select pg_advisory_lock_shared(4712)", "''"), "select count(*) from pg_locks where locktype = 'advisory'", "1", "0"},
	{"cursor WITH HOLD", Send(Query("begin; declare left_behind cursor with hold for select 1; commit")).Expect("C *", "C *", "C *", "Z I"),
		"select count(*) from pg_cursors where name = 'left_behind'", "1", "0"},
	{"LISTEN", do("listen left_behind", "LISTEN"), "select count(*) from pg_listening_channels()", "1", "0"},
	{"sequence position", ask("select nextval('wire.ticket') is not null", "t"),
		"select currval('wire.ticket') is not null", "t", "E ERROR 55000 *"},
}

// farewell is a way to leave.
type farewell struct {
	name  string
	steps []Step
	// transaction says that it needs a transaction block.
	transaction bool
}

var farewells = []farewell{
	{name: "Terminate", steps: []Step{Send(Terminate).Expect("EOF")}},
	{name: "dropped socket", steps: []Step{Drop("a")}},
	{name: "dropped in mid-query", steps: []Step{
		Send(Query("select pg_sleep(600) /* left */")),
		Await("select count(*) = 1 from pg_stat_activity where query like '%/* left */' and wait_event = 'PgSleep'"),
		Drop("a"), bury("left"),
	}},
	{name: "dropped in a transaction", transaction: true, steps: []Step{within("begin", "BEGIN"), Drop("a")}},
	{name: "dropped in a failed transaction", transaction: true, steps: []Step{
		within("begin", "BEGIN"), Send(Query("select 1/0")).Expect("E *", "Z E"), Drop("a"),
	}},
	{name: "dropped while rows come", steps: []Step{
		Send(Query("select generate_series(1, 100000000), repeat('x', 1000) /* left rows */")).Expect("T *", "10x D *"),
		Drop("a"),
	}},
}

// bury ends a query whose client is gone when there is no proxy to do that:
// PostgreSQL by itself notices only when it writes.
func bury(mark string) Step {
	return Step{name: "bury " + mark, act: func(r *run) error {
		if r.to.Address != r.to.Admin.Address {
			return nil
		}
		return r.to.Admin.Exec("select pg_terminate_backend(pid, 10000) from pg_stat_activity where state = 'active' and query like '%/* " + mark + " */'")
	}}
}

// residueScripts combine what can be left behind with how one can leave. They
// are worth something on a pool of size 1, where "b" gets the backend of "a".
func residueScripts() []Script {
	var scripts []Script
	for _, r := range residues {
		for _, f := range farewells {
			steps := append([]Step{r.make, ask(r.probe, r.dirty)}, f.steps...)
			// Directly, the backend of "a" may live a moment longer than its client.
			steps = append(steps, Await("select count(*) = 0 from pg_locks where locktype = 'advisory'"))
			steps = append(steps, r.gone())
			scripts = append(scripts, Script{Name: "residue/" + r.name + "/" + f.name, Steps: steps, Blocks: f.transaction})
		}
	}
	return scripts
}
