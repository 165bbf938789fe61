package proxy_test

import (
	"testing"

	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// Functions that are declared harmless never pin; what a stateful one is called by
// is asked about each time. A reload counts for the next statement, in sessions that
// are there, too.
func TestDeclaredFunctions(t *testing.T) {
	const database = "declared_functions"
	p, c := habitsDatabase(t, database, `
		create schema app;
		create function app.total(n int) returns int language sql as 'select n';
		create procedure app.work(n int) language plpgsql as 'begin perform n; end'`)
	texts := []string{"select app.total(1)", "select App.Total(2)", "call app.work(3)"}
	pinned := func(n int) int {
		before := pins(t, p, "function") + pins(t, p, "call")
		for range n {
			for _, text := range texts {
				run(t, c, []leakStep{{pgtest.Query(text)}})
				givenBack(t, p)
				run(t, c, []leakStep{extended(text)})
				givenBack(t, p)
			}
		}
		return pins(t, p, "function") + pins(t, p, "call") - before
	}
	if n := pinned(10); n == 0 || n > 40 {
		t.Errorf("nothing is declared: pinned %d times in 60 runs", n)
	}
	for i, step := range []struct {
		change func(*proxy.Config)
		want   int
	}{
		{func(c *proxy.Config) { c.Pool.HarmlessFunctions = []string{"app.total", "work"} }, 0},
		{func(c *proxy.Config) { c.Pool.StatefulFunctions = []string{"total", "app.work"} }, 60},
		{func(c *proxy.Config) {
			c.Pool.StatefulFunctions = []string{"total", "work"}
			c.Pool.Databases = []pool.Override{{Name: database, HarmlessFunctions: []string{"app.total", "app.work"}, StatefulFunctions: []string{}}}
		}, 0},
		{func(c *proxy.Config) {
			c.Pool.HarmlessFunctions = []string{"app.total", "app.work"}
			c.Pool.Users = []pool.Override{{Name: "postgres", StatefulFunctions: []string{"app.total", "app.work"}}}
		}, 60},
	} {
		p.reload(t, step.change)
		if n := pinned(10); n != step.want {
			t.Errorf("%d: pinned %d times in 60 runs, not %d", i, n, step.want)
		}
	}
}
