package proxy_test

import (
	"strings"
	"testing"
)

// Each pin has a reason, and ends, also that of a table of which it is not known whether it
// is temporary: DDL before it in the transaction may have more run than is in the texts.
func TestPinsHaveReasons(t *testing.T) {
	p := startProxy(t, plain(t), nil)
	c := client(t, p.addr)
	for _, sql := range []string{"begin", "create view only_mine_too as select 1 as a", "select 1", "create table only_mine (a int)", "rollback"} {
		value(t, c, sql)
	}
	value(t, c, "discard all")
	value(t, c, "select 1")
	for name := range p.scrape(t) {
		if strings.Contains(name, `reason="none"`) {
			t.Errorf("there is %s", name)
		}
	}
}
