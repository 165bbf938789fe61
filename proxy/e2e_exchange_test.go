package proxy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgjay/pgjay/monitor"
	"github.com/pgjay/pgjay/monitor/digest"
	"github.com/pgjay/pgjay/monitor/explain"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// statement waits until something is known of a statement.
func statement(t *testing.T, p *running, part string) (found digest.Stat) {
	t.Helper()
	eventually(t, "it is recorded: "+part, func() bool {
		for _, s := range p.mon.Statements().Snapshot() {
			if strings.Contains(s.Text, part) {
				found = s
				return true
			}
		}
		return false
	})
	return found
}

// send sends statements as one exchange.
func send(t *testing.T, c *pgtest.Conn, texts ...string) {
	t.Helper()
	var all []pgproto3.FrontendMessage
	for _, sql := range texts {
		all = append(all, pgtest.Parse("", sql), pgtest.Bind("", ""), pgtest.Execute("", 0))
	}
	if err := c.Send(append(all, pgtest.Sync)...); err != nil {
		t.Fatal(err)
	}
}

func exchange(t *testing.T, c *pgtest.Conn, texts ...string) {
	t.Helper()
	send(t, c, texts...)
	if _, err := c.ReceiveUntil('Z'); err != nil {
		t.Fatal(err)
	}
}

// Pipelines of many statements do not push out what is known of others.
func TestPipelinesPushNothingOut(t *testing.T) {
	p := startObserving(t, plain(t), func(c *monitor.Config) { c.Explain = explain.Off; c.MaxStatements = 500 })
	c := client(t, p.addr)
	for i := range 60 {
		value(t, c, fmt.Sprintf("select 1 as real%d", i))
	}
	for i := range 25 {
		texts := make([]string, 200)
		for j := range texts {
			texts[j] = fmt.Sprintf("select 1 as a%d_%d", i, j)
		}
		exchange(t, c, texts...)
		p.mon.Statements().Snapshot()
	}
	known := 0
	for _, s := range p.mon.Statements().Snapshot() {
		if strings.Contains(s.Text, "as real") {
			known++
		}
	}
	if known != 60 {
		t.Errorf("%d of 60 statements are left: %+v", known, p.mon.Statements().Totals())
	}
}

// A statement that comes in one exchange with BEGIN, as drivers send the first one, has the
// time and is slow, and is explained.
func TestStatementBehindBegin(t *testing.T) {
	p := startObserving(t, plain(t), func(c *monitor.Config) {
		c.Explain, c.SlowThreshold, c.ExplainThreshold = explain.Plan, 100*time.Millisecond, 100*time.Millisecond
		c.Tags = []string{"action"}
	})
	c := client(t, p.addr)
	exchange(t, c, "BEGIN", "select pg_sleep(0.2), 'first' /*action='a'*/")
	exchange(t, c, "COMMIT")
	s := statement(t, p, "pg_sleep")
	if s.Slow != 1 || s.Backend < 190*time.Millisecond || s.FirstRow < 190*time.Millisecond || s.Rows != 1 {
		t.Errorf("%+v", s.Counts)
	}
	if begin := statement(t, p, "begin"); begin.Calls != 1 || begin.Total > 50*time.Millisecond || begin.Slow != 0 {
		t.Errorf("begin: %+v", begin.Counts)
	}
	slow := p.mon.Statements().Slow()
	if len(slow) != 1 || len(slow[0].Tags) != 1 || slow[0].Tags[0].Value != "a" {
		t.Errorf("%+v", slow)
	}
	if r := explained(t, p, "pg_sleep"); r.Plan == nil {
		t.Errorf("%+v", r)
	}
}

// A statement whose client goes while it runs is counted, with the time until then. After a
// Terminate it runs to its end.
func TestStatementOfOneWhoGoes(t *testing.T) {
	for _, c := range []struct {
		name, sql, code string
		terminate       bool
	}{
		{"killed", "select pg_sleep(60), 'killed' as one", "57014", false},
		{"polite", "select pg_sleep(0.5), 'polite' as two", "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			backend := plain(t)
			p := startObserving(t, backend, func(c *monitor.Config) { c.Explain = explain.Off; c.SlowThreshold = 50 * time.Millisecond })
			conn := client(t, p.addr)
			send(t, conn, c.sql)
			if err := observer(t, backend).Await("select count(*) = 1 from pg_stat_activity where state = 'active' and query like 'select pg_sleep(%" + c.name + "%' and now() - query_start > '100 ms'"); err != nil {
				t.Fatal(err)
			}
			if c.terminate {
				if err := conn.Send(&pgproto3.Terminate{}); err != nil {
					t.Fatal(err)
				}
			}
			conn.Close()
			s := statement(t, p, "pg_sleep")
			if s.Calls != 1 || (s.Errors == 1) != (c.code != "") || s.LastError != c.code || s.Slow != 1 || s.Total < 90*time.Millisecond || s.Total > 30*time.Second {
				t.Errorf("%+v", s.Counts)
			}
		})
	}
}
