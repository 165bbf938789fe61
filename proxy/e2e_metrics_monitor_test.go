package proxy_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/pgjay/pgjay/monitor"
	"github.com/pgjay/pgjay/monitor/explain"
	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// What came of slow statements is counted: explanations, why there was none, what was
// found, and when a plan was another.
func TestMetricsOfExplanations(t *testing.T) {
	backend := plain(t)
	admin := observer(t, backend)
	if err := admin.Exec("drop table if exists changing; create table changing (a int); insert into changing select generate_series(1, 20000); analyze changing"); err != nil {
		t.Fatal(err)
	}
	p := startObserving(t, backend, nil)
	c := client(t, p.addr)
	slow := 0
	run := func(sql, runs string, n float64) {
		t.Helper()
		expectMetric(t, p, "explain_runs_total{"+runs+"}", n-1)
		if err := admin.Exec("begin; lock changing"); err != nil { // so the explanation has time enough
			t.Fatal(err)
		}
		if err := c.Send(pgtest.Query(sql)); err != nil {
			t.Fatal(err)
		}
		if err := admin.Exec("select pg_sleep(0.3); commit"); err != nil {
			t.Fatal(err)
		}
		if _, err := c.ReceiveUntil('Z'); err != nil {
			t.Fatal(err)
		}
		slow++
		expectMetric(t, p, "explain_runs_total{"+runs+"}", n)
		expectMetric(t, p, "explain_requests_total", float64(slow))
		expectMetric(t, p, "slow_queries_total", float64(slow))
	}
	const sql, analyzed = "select a from changing where a = 5", `mode="analyze",result="ok"`
	run(sql, analyzed, 1)
	expectMetric(t, p, `plan_findings{check="slow scan",severity="high"}`, 1)
	expectMetric(t, p, `index_advice{status="unverified"}`, 1)
	for i, c := range []struct{ ddl, direction string }{
		{"create index changing_a on changing (a)", explain.Cheaper}, {"drop index changing_a", explain.Dearer},
	} {
		if err := admin.Exec(c.ddl); err != nil {
			t.Fatal(err)
		}
		expectMetric(t, p, `plan_changes_total{database="postgres",direction="`+c.direction+`"}`, 0)
		run(sql, analyzed, float64(2+i))
		expectMetric(t, p, `plan_changes_total{database="postgres",direction="`+c.direction+`"}`, 1)
	}
	expectMetric(t, p, `plan_changes_total{database="postgres",direction="same"}`, 0)
	run("select a from changing limit 1 for update", `mode="plan",result="ok"`, 1)
	expectMetric(t, p, `explain_skips_total{reason="text"}`, 1)
	expectMetric(t, p, `explain_duration_seconds_count{mode="analyze"}`, 3)
	expectMetric(t, p, `explain_duration_seconds_count{mode="plan"}`, 1)
	run("create temp table only_mine (a int)", `mode="any",result="failed"`, 1) // a plan of it is nothing that PostgreSQL has
	expectMetric(t, p, `explain_skips_total{reason="text"}`, 2)
}

// What waits to be explained is counted while it does, and what cools down is left alone.
func TestMetricsOfTheQueue(t *testing.T) {
	p := startObserving(t, plain(t), func(c *monitor.Config) { c.ExplainRate, c.ExplainCooldown = 1, time.Hour })
	c := client(t, p.addr)
	for _, sql := range []string{"select 1 as first", "select 2 as second", "select 3 as third"} {
		value(t, c, sql)
		eventually(t, "the first is explained", func() bool {
			n := p.mon.Explainer().Counts()
			return n.Analyzed+n.Planned+n.Failed == 1
		})
	}
	expectMetric(t, p, "explain_queue_length", 2)
	value(t, c, "select 4 as first")
	expectMetric(t, p, `explain_skips_total{reason="cooldown"}`, 1)
	expectMetric(t, p, "explain_requests_total", 3)
}

// Shapes are counted, and those that had to go.
func TestMetricsOfShapes(t *testing.T) {
	p := startObserving(t, plain(t), func(c *monitor.Config) { c.Explain, c.MaxStatements = explain.Off, 100 })
	c := client(t, p.addr)
	for i := range 90 {
		value(t, c, fmt.Sprintf("select 1 as shape_%d", i))
	}
	expectMetric(t, p, "fingerprints", 90)
	expectMetric(t, p, "fingerprints_limit", 100)
	expectMetric(t, p, "fingerprint_evictions_total", 0)
	for i := range 5 {
		value(t, c, fmt.Sprintf("select 2 as more_%d", i))
	}
	expectMetric(t, p, "fingerprint_evictions_total", 10) // a tenth, when there is room for a twentieth
	expectMetric(t, p, "fingerprints", 85)
}

// Messages, logins and transactions are counted by who sent them.
func TestMetricsOfMessages(t *testing.T) {
	p := startProxy(t, plain(t), onlyOne)
	a, b := client(t, p.addr), client(t, p.addr)
	expectMetric(t, p, "client_logins_total{@}", 2)
	expectMetric(t, p, "pool_server_connections_limit{@}", 1)
	for _, c := range []*pgtest.Conn{a, b, b} {
		if err := c.Send(pgtest.Parse("", "select 1"), pgtest.Bind("", ""), pgtest.Execute("", 0), pgtest.Bind("", ""), pgtest.Execute("", 0), pgtest.Sync); err != nil {
			t.Fatal(err)
		}
		if _, err := c.ReceiveUntil('Z'); err != nil {
			t.Fatal(err)
		}
	}
	expectMetric(t, p, `parses_total{@,side="client"}`, 3)
	expectMetric(t, p, `parses_total{@,side="server"}`, 2) // the first time, and as a shared one
	expectMetric(t, p, "binds_total{@}", 6)
	sum := sortLabels(`transaction_duration_seconds_sum{database="postgres"}`)
	before := p.scrape(t)[sum]
	value(t, a, "begin")
	value(t, a, "select pg_sleep(0.2)")
	if err := b.Send(pgtest.Query("select 1")); err != nil {
		t.Fatal(err)
	}
	expectMetric(t, p, "pool_waiting_clients{@}", 1)
	eventually(t, "it is told for how long somebody waits", func() bool {
		return p.scrape(t)[sortLabels("pool_oldest_waiter_seconds{@}")] > 0.05
	})
	value(t, a, "commit")
	if _, err := b.ReceiveUntil('Z'); err != nil {
		t.Fatal(err)
	}
	expectMetric(t, p, "pool_oldest_waiter_seconds{@}", 0)
	if took := p.scrape(t)[sum] - before; took < 0.2 || took > 5 {
		t.Errorf("transactions took %g s", took)
	}
}

// Who is turned away is counted by the reason, and what is sent again.
func TestMetricsOfRejectionsAndRetries(t *testing.T) {
	backend := plain(t)
	admin := observer(t, backend)
	if err := admin.Exec("drop table if exists changing; create table changing as select 1 as a"); err != nil {
		t.Fatal(err)
	}
	p := startProxy(t, backend, func(c *proxy.Config) {
		onlyOne(c)
		c.Limits.MaxClients = 1
	})
	c := client(t, p.addr)
	second, err := pgtest.Dial(p.addr, "second", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if err := second.Start(3<<16, "user", "postgres"); err == nil {
		t.Error("a second client has got in")
	}
	expectMetric(t, p, `client_connections_rejected_total{reason="max_clients"}`, 1)
	expectMetric(t, p, "client_logins_total{@}", 1)
	for i := range 3 {
		if i == 2 { // it is prepared on the backend now
			if err := admin.Exec("alter table changing add b int"); err != nil {
				t.Fatal(err)
			}
		}
		expectMetric(t, p, `retries_total{reason="stale_statement"}`, 0)
		if err := c.Send(pgtest.Parse("", "select * from changing"), pgtest.Bind("", ""), pgtest.Execute("", 0), pgtest.Sync); err != nil {
			t.Fatal(err)
		}
		expect(t, c, "1", "2", "D *", "C SELECT 1", "Z I")
	}
	expectMetric(t, p, `retries_total{reason="stale_statement"}`, 1)
}

// Notifications are counted where they come in.
func TestMetricsOfListening(t *testing.T) {
	backend := plain(t)
	p := startProxy(t, backend, nil)
	c := client(t, p.addr)
	value(t, c, "listen counted")
	expectMetric(t, p, `listen_connects_total{database="postgres",result="ok"}`, 1)
	if err := observer(t, backend).Exec("notify counted; notify counted, 'again'; notify other"); err != nil {
		t.Fatal(err)
	}
	expectMetric(t, p, `listen_notifications_received_total{database="postgres"}`, 2)
}
