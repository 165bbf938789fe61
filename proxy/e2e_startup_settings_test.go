package proxy_test

import (
	"slices"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// startUp are settings of a start-up packet.
var startUp = []string{"timezone", "Asia/Tokyo", "options", "-c work_mem=7MB -c app.x=st -c search_path=s1,public"}

// each sends the texts one by one.
func each(sql ...string) (steps []pgtest.Step) {
	for _, text := range sql {
		steps = append(steps, together(text)...)
	}
	return steps
}

// together sends the texts at once: nothing may get in between.
func together(sql ...string) []pgtest.Step {
	var messages []pgproto3.FrontendMessage
	var patterns []string
	for _, text := range sql {
		messages = append(messages, pgtest.Query(text))
		patterns = append(patterns, "...", "Z *")
	}
	return []pgtest.Step{pgtest.Send(messages...).Expect(patterns...)}
}

// byBind prepares a statement and executes it with a value.
func byBind(sql, value string) []pgtest.Step {
	return []pgtest.Step{
		pgtest.Send(pgtest.Parse("s", sql), pgtest.Sync).Expect("...", "Z *"),
		pgtest.Send(pgtest.Bind("", "s", value), pgtest.Execute("", 0), pgtest.Sync).Expect("...", "Z *"),
	}
}

func unnamed(sql string) []pgtest.Step {
	return []pgtest.Step{pgtest.Send(pgtest.Parse("", sql), pgtest.Bind("", ""), pgtest.Execute("", 0), pgtest.Sync).Expect("...", "Z *")}
}

const (
	configNull    = "select set_config('work_mem', null, false)"
	configBound   = "select set_config('work_mem', $1, false)"
	createResets  = "create or replace function public.startup_new() returns void language plpgsql as 'begin reset work_mem; end'"
	createConfigs = "create or replace function public.startup_new() returns void language plpgsql as $$ begin perform set_config('search_path', null, false); end $$"
)

// startupScripts put settings of the start-up packet back to what that says.
var startupScripts = map[string][]pgtest.Step{
	"NULL":                           each(configNull),
	"NULL after a SET":               each("set work_mem = '6MB'", configNull),
	"NULL, of the application":       each("select set_config('app.x', null, false)"),
	"NULL, cast":                     each("select set_config('timezone', null::text, false)"),
	"NULL, an expression":            each("select set_config('work_mem', nullif('a', 'a'), false), set_config('timezone', 'UTC', false)"),
	"NULL, read behind it":           each(configNull + "; show work_mem"),
	"NULL, a name that is not told":  each("select set_config(name, null, false) from pg_settings where name = 'work_mem'"),
	"NULL, unseen, in a transaction": each("begin", "select 1", "select set_config('work_mem', null, false) is null", "commit"),
	"NULL, at once behind a SET":     together("set work_mem = '6MB'", configNull),
	"NULL by Parse":                  unnamed(configNull),
	"NULL by Bind":                   byBind(configBound, pgtest.Null),
	"NULL by Bind, after a SET":      slices.Concat(each("set work_mem = '6MB'"), byBind(configBound, pgtest.Null)),
	"no NULL by Bind":                byBind(configBound, "6MB"),
	"NULL by PREPARE":                each("prepare p as "+configBound, "execute p(null)"),
	"NULL by EXECUTE":                slices.Concat([]pgtest.Step{pgtest.Send(pgtest.Parse("s", configBound, 25), pgtest.Sync).Expect("1", "Z I")}, each("execute s(null)")),
	"pg_settings":                    each("update pg_settings set setting = null where name = 'work_mem'"),
	"pg_settings, the default":       each("update pg_settings set setting = default where name = 'work_mem'"),
	"pg_settings, a value":           each("update pg_settings set setting = '6MB' where name = 'work_mem'"),

	"local":                         each("begin", "set local work_mem to default", "show work_mem", "commit"),
	"local, of the application":     each("begin", "set local app.x to default", "show app.x", "commit"),
	"local, time zone":              each("begin", "set local time zone local", "show timezone", "commit"),
	"local, time zone, after a SET": each("set time zone 'UTC'", "begin", "set local time zone default", "show timezone", "commit"),
	"local, rolled back":            each("begin", "savepoint a", "set local work_mem = default", "rollback to a", "show work_mem", "rollback"),
	"local, after a SET":            each("set work_mem = '6MB'", "begin", "set local work_mem = default", "show work_mem", "commit"),
	"local, in one text":            each("set local work_mem = default; show work_mem"),
	"local, outside":                each("set work_mem = '6MB'", "set local work_mem = default"),
	"local, by Parse":               slices.Concat(each("begin"), unnamed("set local work_mem = default"), each("show work_mem", "commit")),
	"local, and others":             each("begin", "reset work_mem", "set local timezone to default; reset search_path", "show timezone", "show search_path", "commit"),

	"RESET at once behind a SET":           together("set work_mem = '6MB'", "reset work_mem; show work_mem"),
	"DO at once behind a SET":              together("set work_mem = '6MB'", "do $$ begin reset work_mem; perform set_config('app.x', current_setting('work_mem'), false); end $$"),
	"RESET behind a SET":                   each("set work_mem = '6MB'", "reset work_mem; show work_mem"),
	"RESET at once behind a function":      together("select startup_harmless()", "reset work_mem; show work_mem"),
	"RESET in a new function, all at once": together(createResets, "select public.startup_new()", "show work_mem"),
	"RESET in a new function":              each(createResets, "select public.startup_new()", "show work_mem"),
	"NULL in a new function":               each(createConfigs, "select public.startup_new()", "show search_path"),
}

// A start-up setting goes back to what the client's start-up packet said, as with
// PostgreSQL itself.
func TestStartupSettings(t *testing.T) {
	backend := plain(t)
	dropAfter(t, backend, "drop function startup_harmless()", "drop function if exists startup_new()")
	if err := observer(t, backend).Exec(`create or replace function startup_harmless() returns int language plpgsql as 'begin return 1; end'`); err != nil {
		t.Fatal(err)
	}
	see := each("show work_mem", "show timezone", "show app.x", "show search_path")
	scripts := make(map[string][]pgtest.Step)
	for name, steps := range startupScripts {
		scripts[name] = slices.Concat([]pgtest.Step{pgtest.Connect("a", startUp...)}, steps, see)
	}
	differ(t, backend, "postgres", 1, nil, scripts)
}

// Where set_config is given NULL on a backend that the session cannot leave, its own answer
// is the server's default, and the setting is the client's.
func TestNullOnSharedBackend(t *testing.T) {
	backend := plain(t)
	p := startProxy(t, backend, func(c *proxy.Config) { c.Pool.Size = 1 })
	bound := []pgtest.Step{pgtest.Send(pgtest.Parse("", configBound), pgtest.Bind("", "", pgtest.Null), pgtest.Execute("", 0), pgtest.Sync).Expect("...", "Z *")}
	const local = "select set_config('work_mem', null, true)"
	for name, steps := range map[string][]pgtest.Step{
		"in a transaction":       each("begin", "set work_mem = '6MB'", configNull),
		"committed":              each("begin", "set work_mem = '6MB'", configNull, "commit"),
		"local":                  each("set work_mem = '6MB'", "begin", "select 1", local),
		"local, rolled back to":  each("begin", "savepoint a", "set local work_mem = '6MB'", local, "savepoint b", "set local work_mem = '5MB'", "rollback to b"),
		"the value comes late":   slices.Concat(each("set work_mem = '6MB'"), bound),
		"late, in a transaction": slices.Concat(each("begin", "set work_mem = '6MB'"), bound),
		"several, after the end": each("begin", "set work_mem = '6MB'", "select set_config('work_mem', null, false), 1/1", "commit"),
	} {
		t.Run(name, func(t *testing.T) {
			show := pgtest.Send(pgtest.Query("show work_mem")).Expect("T *", "D 7MB", "C SHOW", "Z *")
			pgtest.Check(t, pgtest.Target{Address: p.addr, User: "postgres", Database: "postgres"},
				&pgtest.Script{Name: name, Steps: slices.Concat([]pgtest.Step{pgtest.Connect("a", startUp...)}, steps, []pgtest.Step{show})})
		})
	}
}

// The backend is being asked what an earlier statement has left when a function resets a
// setting: the next statement waits for what is found out of that function.
func TestResetBehindQuestion(t *testing.T) {
	backend := plain(t)
	admin := observer(t, backend)
	dropAfter(t, backend, "drop function startup_new()")
	if err := admin.Exec(createResets); err != nil {
		t.Fatal(err)
	}
	p := startProxy(t, backend, onlyOne)
	c := client(t, p.addr, "work_mem", "7MB")
	defer c.Close()
	if err := admin.Exec("begin; lock pg_depend in access exclusive mode"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Query("select pg_advisory_lock(7)"); err != nil {
		t.Fatal(err)
	}
	if err := admin.Await("select count(*) = 1 from pg_locks where not granted"); err != nil {
		t.Fatal(err)
	}
	if err := c.Send(pgtest.Query("select public.startup_new()"), pgtest.Query("show work_mem")); err != nil {
		t.Fatal(err)
	}
	if err := admin.Exec("commit"); err != nil {
		t.Fatal(err)
	}
	expect(t, c, "T *", "D *", "C SELECT 1", "Z I", "T *", "D 7MB", "C SHOW", "Z I")
}
