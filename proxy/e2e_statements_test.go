package proxy_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/pgjay/pgjay/monitor"
	"github.com/pgjay/pgjay/monitor/explain"
	"github.com/pgjay/pgjay/proxy"
)

// observing is a configuration with which everything is slow.
func observing() monitor.Config {
	c := monitor.DefaultConfig()
	c.SlowThreshold, c.ExplainThreshold = time.Nanosecond, time.Nanosecond
	c.ExplainRate, c.ExplainCooldown, c.ExplainRetry = 100_000, time.Nanosecond, time.Nanosecond
	c.ExplainSuperuser = true
	return c
}

func startObserving(t testing.TB, backend string, change func(*monitor.Config)) *running {
	t.Helper()
	c := observing()
	if change != nil {
		change(&c)
	}
	return startObserved(t, backend, proxy.NewServer, c, nil)
}

// explained waits until the latest explanation of a statement is there whose text
// contains part.
func explained(t testing.TB, p *running, part string) (r *explain.Result) {
	t.Helper()
	eventually(t, "it is explained: "+part, func() bool {
		for _, r = range p.mon.Explainer().Results() {
			if strings.Contains(r.Text, part) {
				return true
			}
		}
		return false
	})
	return r
}

func TestShowStatements(t *testing.T) {
	p := startObserving(t, plain(t), func(c *monitor.Config) { c.Explain = explain.Off })
	conn, console := dial(t, p.addr), consoleOf(t, p)
	ctx := context.Background()
	for _, sql := range []string{"select 1 as secret_one", "SELECT  2 as secret_one -- comment", "select 3 as secret_one from nothing"} {
		_, _ = conn.Exec(ctx, sql).ReadAll()
	}
	for _, n := range []string{"10", "20"} {
		if r := conn.ExecParams(ctx, "select i from generate_series(1, $1::int) i where i <> 3", [][]byte{[]byte(n)}, nil, nil, nil).Read(); r.Err != nil {
			t.Fatal(r.Err)
		}
	}
	rows := rowsOf(t, console, "show statements")
	for _, c := range []struct {
		statement             string
		calls, errors, result string
	}{
		{"select $1 as secret_one", "2", "0", "2"},
		{"select $1 as secret_one from nothing", "1", "1", "0"},
		{"select i from generate_series($2, $1::int) i where i <> $3", "2", "0", "28"},
	} {
		var found map[string]string
		for _, row := range rows {
			if row["statement"] == c.statement {
				found = row
			}
		}
		if found["calls"] != c.calls || found["errors"] != c.errors || found["rows"] != c.result || found["database"] != "postgres" || found["p95_us"] == "0" {
			t.Errorf("%s: %v", c.statement, found)
		}
	}
}

func TestSlowLog(t *testing.T) {
	p := startObserving(t, plain(t), func(c *monitor.Config) { c.Explain = explain.Off; c.SlowThreshold = 50 * time.Millisecond })
	conn, console := dial(t, p.addr), consoleOf(t, p)
	for _, sql := range []string{"select 'quick'", "select pg_sleep(0.1), 'hidden' /*controller='a%20b',password='hidden'*/"} {
		if _, err := conn.Exec(context.Background(), sql).ReadAll(); err != nil {
			t.Fatal(err)
		}
	}
	rows := rowsOf(t, console, "show slow")
	if len(rows) != 1 || rows[0]["tags"] != "controller=a b" || rows[0]["statement"] != "select pg_sleep($1), $2" {
		t.Errorf("SHOW SLOW has %v", rows)
	}
	if log := p.log.String(); !strings.Contains(log, "slow statement") || !strings.Contains(log, `tag_controller="a b"`) || strings.Contains(log, "hidden") {
		t.Errorf("the log:\n%s", log)
	}
}

func TestSlowStatementIsExplained(t *testing.T) {
	p := startObserving(t, plain(t), nil)
	conn := dial(t, p.addr)
	if r := conn.ExecParams(context.Background(), "select count(*) from generate_series(1, $1::int) g where g > 5", [][]byte{[]byte("1000")}, nil, nil, nil).Read(); r.Err != nil {
		t.Fatal(r.Err)
	}
	r := explained(t, p, "generate_series")
	if r.Plan == nil || !r.Plan.Analyzed || r.Reason != "" {
		t.Fatalf("explained: %+v", r)
	}
	if rows := r.Plan.Root.Children[0].Rows; rows != 995 {
		t.Errorf("it found %v rows", rows)
	}
	t.Log(strings.Join(r.Lines(), "\n"))
}
