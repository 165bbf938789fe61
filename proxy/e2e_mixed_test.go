package proxy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pgjay/pgjay/proxy"
)

// Statements that cannot be told from each other are counted together, and that is all:
// what they do one after the other says nothing of any of them.
func TestMixedShapes(t *testing.T) {
	backend := plain(t)
	admin := observer(t, backend)
	if err := admin.Exec("create table mixed as select generate_series(1, 20000) as a; analyze mixed"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = admin.Exec("drop table mixed") })
	watched := observing()
	watched.Advice.Rows = 20
	p := startObserved(t, backend, proxy.NewServer, watched, nil)
	c := client(t, p.addr)
	run := func(sql string) {
		if _, err := c.Query(sql); err != nil {
			t.Fatal(err)
		}
	}
	for i, sql := range []string{`select a, U&'\0041' from mixed where a = 5`, `select a, U&'\0041' from mixed`, "select count(*) from mixed where a > 1 and U&'x' = 'x'"} {
		run(sql)
		eventually(t, "it is explained", func() bool { return len(p.mon.Explainer().Results()) > i })
	}
	for i := range 35 {
		run(fmt.Sprintf(`select U&'\00%x', 1`, 65+i))
		run(fmt.Sprintf(`select U&'\00%x', 1, 2`, 65+i))
	}
	for _, a := range p.mon.Advice() {
		t.Errorf("it says %+v", a)
	}
	for _, s := range p.mon.Statements().Snapshot() {
		if strings.Contains(s.Text, "not to be read") && (!s.Mixed || s.Calls != 73 || s.Streaks+s.SameStreaks > 0 || len(s.Plans) > 0) {
			t.Errorf("counted: %+v", s)
		}
	}
	for _, s := range consoleRows(t, consoleConn(t, p), "show statements") {
		if strings.Contains(fmt.Sprint(s), "0041") {
			t.Errorf("shown: %v", s)
		}
	}
}
