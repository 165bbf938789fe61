package proxy_test

import (
	"testing"

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
