package proxy_test

import (
	"slices"
	"testing"

	"github.com/pgjay/pgjay/proxy/pgtest"
)

// limit is a state that is known to leak, or to be lost by the client that made
// it: it is named in the README's limits or in docs/status.md.
type limit struct {
	leakState
	reason string
	setup  string // SQL for the lane's database
}

// TestLimitsOfLeaks proves that each of the limits is one: as soon as one of them
// does not leak any more, it belongs to leakStates.
func TestLimitsOfLeaks(t *testing.T) {
	prepareForLeaks(t)
	l := newLane(t, "postgres", "leak_limits")
	for _, limit := range notYet {
		t.Run(limit.name, func(t *testing.T) {
			if limit.setup != "" {
				if err := l.admin.Exec(limit.setup); err != nil {
					t.Fatal(err)
				}
			}
			if !l.leaks(t, limit.leakState) {
				t.Errorf("it leaks no more, although %s: let it be one of leakStates", limit.reason)
			}
		})
	}
}

// leaks reports whether any of some ways to leave shows a difference.
func (l *lane) leaks(t *testing.T, s leakState) bool {
	t.Helper()
	s = l.complete(s)
	want := l.twin(t, s)
	return slices.ContainsFunc(partings[:2], func(p parting) bool {
		defer l.terminate(t) // what is left there is not for the next one
		return l.leak(t, s, want, p) != ""
	})
}

const (
	belowText     = "what a statement does by a view, trigger, default, domain, operator or cast is not in its text"
	beyondDiscard = "neither can a backend be asked for it, nor does DISCARD ALL take it away"
	unaskable     = "a backend cannot be asked for it"
	unremovable   = "nothing but the end of a backend takes it away"
)

var notYet = []limit{
	// Below the text.
	{leakState{name: "set_config in a view", steps: sql("select * from leak.sets")}, belowText,
		"create view leak.sets as select set_config('work_mem', '6MB', false)"},
	{leakState{name: "set_config in a trigger", steps: sql("insert into leak.triggered values (1)")}, belowText, `
		create table leak.triggered (id int);
		create function leak.trigger() returns trigger language plpgsql as
			$$ begin perform set_config('work_mem', '6MB', false); return new; end $$;
		create trigger t before insert on leak.triggered for each row execute function leak.trigger()`},
	{leakState{name: "set_config in a default", steps: sql("insert into leak.defaulted default values")}, belowText,
		"create table leak.defaulted (v text default set_config('work_mem', '6MB', false))"},
	{leakState{name: "set_config in a domain", steps: sql("select 'x'::leak.checked")}, belowText,
		"create domain leak.checked as text check (set_config('work_mem', '6MB', false) is not null)"},
	{leakState{name: "set_config in an operator", steps: sql("select 'work_mem' operator(leak.===) '6MB'")}, belowText,
		"create operator leak.=== (leftarg = text, rightarg = text, function = leak.set)"},
	{leakState{name: "set_config in a rule", steps: sql("update leak.ruled set v = '6MB'")}, belowText, `
		create view leak.ruled as select ''::text as v;
		create rule r as on update to leak.ruled do instead select set_config('work_mem', new.v, false)`},
	{leakState{name: "advisory lock in a view", steps: sql("select * from leak.locks")}, belowText,
		"create view leak.locks as select pg_try_advisory_lock(4712)"},
	{leakState{name: "LISTEN in a view", steps: sql("select * from leak.listens")}, belowText,
		"create view leak.listens as select leak.run('listen left_behind') is null"},
	{leakState{name: "temporary table in a view", steps: sql("select * from leak.makes")}, belowText,
		"create view leak.makes as select leak.run('create temp table left_behind (id int)') is null"},
	{leakState{name: "search_path of a parameter", steps: []leakStep{{pgtest.Query("begin")},
		extended("select set_config('search_path', $1, true)", "pg_temp"),
		{pgtest.Query("create table left_behind (id int)")}, {pgtest.Query("commit")}}}, belowText, ""},

	// In code that was seen to run.
	{leakState{name: "library by DO", user: "postgres", steps: sql("do $$ begin load 'auto_explain'; end $$")}, beyondDiscard, ""},
	{leavesSeed("seed by DO", "do $$ begin perform setseed(0.5); end $$"), beyondDiscard, ""},
	{leavesSeed("seed by a function", "select leak.run('select setseed(0.5)')"), beyondDiscard, ""},

	{leavesSeedBy("seed by a parameter", extended("select set_config($1, '0.5', $2)", "seed", "f")), beyondDiscard, ""},
	{leakState{name: "composed name by DO", steps: sql("do $$ begin perform set_config('app.' || 'x', 'left', false); end $$")}, unaskable, ""},
	{leakState{name: "name in an argument of a function", steps: sql("select leak.set('app.x', 'left')")}, unaskable, ""},
	{leakState{name: "name in an argument of a procedure", steps: sql("call leak.call('app.x', 'left')")}, unaskable, ""},
	{leakState{name: "name in a text that cannot be read", steps: sql(`select U&"set\005fconfig"('app.x', 'left', false)`)}, unaskable, ""},
	{leakState{name: "composed name by a function", steps: sql("select leak.set('app.' || 'x', 'left')")}, unaskable, ""},

	// Traces.
	{leakState{name: "setting of an application, reset", steps: sql("set app.x = 'left'"), probe: "select current_setting('app.x', true) is null"}, unremovable, ""},
	{leakState{name: "local setting of an application", steps: sql("begin; set local app.x = 'left'; commit"), probe: "select current_setting('app.x', true) is null"}, unremovable, ""},
	{leakState{name: "schema of temporary objects", steps: sql("create temp table left_behind (id int)"), probe: "select pg_my_temp_schema() = 0"}, unremovable, ""},
	{leakState{name: "temp_buffers after a temporary table", steps: sql("create temp table left_behind as select 1 as id"), probe: "set temp_buffers = 200"}, unremovable, ""},
}
