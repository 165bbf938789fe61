package proxy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgjay/pgjay/monitor"
	"github.com/pgjay/pgjay/monitor/digest"
	"github.com/pgjay/pgjay/monitor/explain"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// Statements of a pipeline have the time and the rows that are theirs, and the one that
// fails has the error.
func TestStatementsOfAPipeline(t *testing.T) {
	p := startObserving(t, plain(t), func(c *monitor.Config) { c.Explain = explain.Off })
	c := client(t, p.addr)
	for _, sql := range []string{
		"select a as quick from generate_series(1, length('abcdefg')) a", "select pg_sleep(0.4) as slow", "select 5 as quicker", "select 1/0 as failing", "select 6 as never",
	} {
		if err := c.Send(pgtest.Parse("", sql), pgtest.Bind("", ""), pgtest.Execute("", 0), &pgproto3.Flush{}); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(sql, "failing") || strings.HasSuffix(sql, "never") {
			continue
		}
		if _, err := c.ReceiveUntil('C'); err != nil { // so that no two come in one event
			t.Fatal(err)
		}
	}
	if err := c.Send(pgtest.Sync); err != nil {
		t.Fatal(err)
	}
	if _, err := c.ReceiveUntil('Z'); err != nil {
		t.Fatal(err)
	}
	found := make(map[string]digest.Stat)
	eventually(t, "they are recorded", func() bool {
		for _, s := range p.mon.Statements().Snapshot() {
			found[s.Text] = s
		}
		return len(found) >= 4
	})
	slow, quick := found["select pg_sleep($1) as slow"], found["select a as quick from generate_series($1, length($2)) a"]
	quicker, failing := found["select $1 as quicker"], found["select $1/$2 as failing"]
	if slow.Backend < 350*time.Millisecond || quick.Backend+quicker.Backend > slow.Backend || slow.Total < slow.Backend {
		t.Errorf("slow %v of %v, quick %v, quicker %v", slow.Backend, slow.Total, quick.Backend, quicker.Backend)
	}
	if quick.Rows != 7 || slow.Rows != 1 || quicker.Rows != 1 || failing.Rows != 0 {
		t.Errorf("rows: %d, %d, %d, %d", quick.Rows, slow.Rows, quicker.Rows, failing.Rows)
	}
	if failing.LastError != "22012" || quick.Errors+slow.Errors+quicker.Errors != 0 {
		t.Errorf("errors: %q, %d, %d, %d", failing.LastError, quick.Errors, slow.Errors, quicker.Errors)
	}
}
