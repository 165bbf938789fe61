package proxy_test

import (
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// Equal texts that mean something else are not the same statement: not for two
// clients, and not for one that changes its settings in between.
func TestStatementsMeanWhatTheyMeant(t *testing.T) {
	const text = "select (date '01/02/2024')::text || to_char(timestamptz '2024-06-01 12:00' at time zone 'UTC', ' HH24')"
	p := startProxy(t, plain(t), onlyOne)
	ask := func(c *pgtest.Conn, name, want string) {
		t.Helper()
		if err := c.Send(pgtest.Parse(name, text), pgtest.Bind("", name), pgtest.Execute("", 0), pgtest.CloseStatement(name), pgtest.Sync); err != nil {
			t.Fatal(err)
		}
		expect(t, c, "1", "2", "D "+want, "C SELECT 1", "3", "Z *")
	}
	run := func(c *pgtest.Conn, sql string) {
		t.Helper()
		if _, err := c.Query(sql); err != nil {
			t.Fatal(err)
		}
	}
	const monthFirst, dayFirst, elsewhere = "2024-01-02 12", "2024-02-01 12", "2024-01-02 16"
	a, b := client(t, p.addr), client(t, p.addr)
	run(a, "set timezone = 'UTC'; set datestyle = 'ISO, MDY'")
	run(b, "set timezone = 'UTC'")
	run(b, "set datestyle = 'ISO, DMY'")
	for _, name := range []string{"s", "s", "", ""} {
		ask(a, name, monthFirst)
		ask(b, name, dayFirst)
	}
	for _, change := range []string{
		"begin; set local datestyle = 'ISO, DMY'",
		"begin; set datestyle = 'ISO, DMY'",
		"begin; select set_config('DateStyle', 'ISO, DMY', true)",
		"begin; do $$ begin perform set_config('datestyle', 'ISO, DMY', true); end $$",
		"begin; do $$ begin set local datestyle = 'ISO, DMY'; end $$",
	} {
		run(a, change)
		ask(a, "s", dayFirst)
		run(a, "rollback")
		ask(a, "s", monthFirst)
	}
	run(a, "set time zone 'America/New_York'")
	ask(a, "s", elsewhere)
	run(a, "reset timezone")
	run(a, "set timezone = 'UTC'")
	ask(a, "s", monthFirst)

	// One that was prepared before has its meaning still.
	if err := a.Send(pgtest.Parse("kept", text), pgtest.Sync); err != nil {
		t.Fatal(err)
	}
	expect(t, a, "1", "Z I")
	run(a, "set datestyle = 'ISO, DMY'")
	if err := a.Send(pgtest.Bind("", "kept"), pgtest.Execute("", 0), pgtest.Sync); err != nil {
		t.Fatal(err)
	}
	expect(t, a, "2", "D "+monthFirst, "C SELECT 1", "Z I")
}

// A statement that moves to another backend means there what it meant when the client
// prepared it, whatever the client has set since.
func TestStatementsMeanElsewhereWhatTheyMeant(t *testing.T) {
	const text = "select (date '01/02/2024')::text || to_char(timestamptz '2024-06-01 12:00' at time zone 'UTC', ' HH24')"
	const monthFirst, dayFirst, newYork = "2024-01-02 12", "2024-02-01 12", "2024-01-02 16"
	p := startProxy(t, plain(t), func(c *proxy.Config) { c.Pool.Size, c.Pool.Overflow = 2, 0 })
	var crowd crowd
	defer crowd.leave()
	c := client(t, p.addr)
	run := func(sql string) {
		t.Helper()
		if _, err := c.Query(sql); err != nil {
			t.Fatal(err)
		}
	}
	send := func(m ...pgproto3.FrontendMessage) {
		t.Helper()
		if err := c.Send(append(m, pgtest.Sync)...); err != nil {
			t.Fatal(err)
		}
	}
	prepare := func(name string) {
		t.Helper()
		send(pgtest.Parse(name, text))
		expect(t, c, "1", "Z *")
	}
	run("set timezone = 'UTC'")
	run("set datestyle = 'ISO, MDY'")
	prepare("first")
	run("set timezone = 'America/New_York'")
	prepare("york")
	run("begin; set local datestyle = 'ISO, DMY'; set local timezone = 'UTC'")
	prepare("local")
	run("commit")
	run("begin")
	run("do $$ begin set local datestyle = 'ISO, DMY'; set local timezone = 'UTC'; end $$")
	prepare("code")
	run("rollback")
	run("select set_config('datestyle', 'ISO, YMD', false)")
	meant := map[string]string{"first": monthFirst, "york": newYork, "local": dayFirst, "code": dayFirst}
	check := func() {
		t.Helper()
		for name, want := range meant {
			send(pgtest.DescribeStatement(name), pgtest.Bind("", name), pgtest.Execute("", 0), pgtest.Parse("", "show datestyle"), pgtest.Bind("", ""), pgtest.Execute("", 0))
			expect(t, c, "t", "T *", "2", "D "+want, "C SELECT 1", "1", "2", "D ISO, YMD", "C SHOW", "Z *")
		}
		if style := value(t, c, "show datestyle"); style != "ISO, YMD" {
			t.Errorf("then datestyle is %s", style)
		}
	}
	crowd.push(t, p.addr, c, 0)
	check()
	crowd.push(t, p.addr, c, 1)
	run("begin; set local datestyle = 'ISO, YMD'")
	check()
	run("rollback")
	check()
	run("prepare by_sql as select 1") // gives the backend all of them by their names
	crowd.push(t, p.addr, c, 0)
	for name, want := range meant {
		if got := value(t, c, "execute "+name); got != want {
			t.Errorf("execute %s: %s, not %s", name, got, want)
		}
	}
	check()
}

// What a text says of the settings while the backend is being asked about the text
// before it counts, not what the answer says.
func TestMeaningChangesBehindAQuestion(t *testing.T) {
	const text = "select (date '01/02/2024')::text"
	server := newPostgres(t).Address() // no function in it has others asked for what their texts leave
	p := startProxy(t, server, func(c *proxy.Config) { c.Listen.Loops, c.Pool.Size, c.Pool.Overflow = 1, 2, 0 })
	locker, watch := observer(t, server), observer(t, server)
	a, b := client(t, p.addr), client(t, p.addr)
	ask := func(want string) {
		t.Helper()
		if err := a.Send(pgtest.Parse("", text), pgtest.Bind("", ""), pgtest.Execute("", 0), pgtest.Sync); err != nil {
			t.Fatal(err)
		}
		expect(t, a, "1", "2", "D "+want, "C SELECT 1", "Z *")
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	run := func(c *pgtest.Conn, sql string) {
		t.Helper()
		_, err := c.Query(sql)
		must(err)
	}
	run(a, "set datestyle = 'ISO, MDY'")
	for range 3 { // then it is shared
		ask("2024-01-02")
	}
	must(locker.Exec("begin; lock table pg_depend"))
	run(a, "do $$ begin perform 1; end $$")
	must(watch.Await("select count(*) = 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%pg_my_temp_schema%' and pid <> pg_backend_pid()"))
	must(a.Send(pgtest.Query("begin; select set_config('DateStyle', 'ISO, DMY', true)")))
	for range 2 { // then it has been read: both are on one loop
		run(b, "select 1")
	}
	must(locker.Exec("rollback"))
	expect(t, a, "C BEGIN", "T *", "D ISO, DMY", "C SELECT 1", "S DateStyle=ISO, DMY", "Z T")
	ask("2024-02-01")
}

// So does it when the text before it is still under way, whether that ends its own
// transaction or not.
func TestMeaningChangesBehindAnExchange(t *testing.T) {
	const text, local = "select (date '01/02/2024')::text", "select set_config('DateStyle', 'ISO, DMY', true)"
	p := startProxy(t, plain(t), onlyOne)
	c := client(t, p.addr)
	send := func(m ...pgproto3.FrontendMessage) {
		t.Helper()
		if err := c.Send(m...); err != nil {
			t.Fatal(err)
		}
	}
	ask := func() []pgproto3.FrontendMessage {
		return []pgproto3.FrontendMessage{pgtest.Parse("", text), pgtest.Bind("", ""), pgtest.Execute("", 0), pgtest.Sync}
	}
	if _, err := c.Query("set datestyle = 'ISO, MDY'"); err != nil {
		t.Fatal(err)
	}
	for range 3 { // then it is shared
		send(ask()...)
		expect(t, c, "1", "2", "D 2024-01-02", "C SELECT 1", "Z I")
	}
	send(pgtest.Query(local), pgtest.Query("begin; "+local))
	expect(t, c, "T *", "D ISO, DMY", "C SELECT 1", "Z I", "C BEGIN", "T *", "D ISO, DMY", "C SELECT 1", "S *", "Z T")
	send(ask()...)
	expect(t, c, "1", "2", "D 2024-02-01", "C SELECT 1", "Z T")
	send(pgtest.Query("rollback"))
	expect(t, c, "C ROLLBACK", "S *", "Z I")

	send(append([]pgproto3.FrontendMessage{pgtest.Parse("", local), pgtest.Bind("", ""), pgtest.Execute("", 0), pgtest.Parse("s", text), pgtest.Sync}, ask()...)...)
	expect(t, c, "1", "2", "D ISO, DMY", "C SELECT 1", "1", "Z I", "1", "2", "D 2024-01-02", "C SELECT 1", "Z I")
}

// What the settings are stays unknown when the backend could not say.
func TestMeaningIsUnknownWithoutAnAnswer(t *testing.T) {
	const text = "select (date '01/02/2024')::text"
	server := plain(t)
	p := startProxy(t, server, onlyOne)
	locker, c := observer(t, server), client(t, p.addr)
	run := func(sql string) {
		t.Helper()
		if _, err := c.Query(sql); err != nil {
			t.Fatal(err)
		}
	}
	ask := func(want string) {
		t.Helper()
		if err := c.Send(pgtest.Parse("", text), pgtest.Bind("", ""), pgtest.Execute("", 0), pgtest.Sync); err != nil {
			t.Fatal(err)
		}
		expect(t, c, "1", "2", "D "+want, "C SELECT 1", "Z I")
	}
	run("set datestyle = 'ISO, MDY'")
	run("set lock_timeout = '1ms'")
	for range 3 { // then it is shared
		ask("2024-01-02")
	}
	if err := locker.Exec("begin; lock table pg_depend"); err != nil {
		t.Fatal(err)
	}
	run("do $$ begin set datestyle = 'ISO, DMY'; end $$")
	run("select 1") // behind the question
	if err := locker.Exec("rollback"); err != nil {
		t.Fatal(err)
	}
	run("select 2")
	ask("2024-02-01")
	run("do $$ begin perform 1; end $$") // then it can say
	ask("2024-02-01")
	ask("2024-02-01")
}
