package proxy_test

import (
	"testing"

	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// Rows are counted by command; how long a backend was held is, when it is given back.
func TestMetricsOfRowsAndCheckouts(t *testing.T) {
	p := startProxy(t, plain(t), nil)
	c := client(t, p.addr)
	for _, sql := range []string{
		"select generate_series(1, 7)", "begin", "create temp table counted (a int) on commit drop",
		"insert into counted select generate_series(1, 5)", "update counted set a = 1 where a < 4", "rollback",
	} {
		if _, err := c.Query(sql); err != nil {
			t.Fatal(err)
		}
	}
	expectMetric(t, p, `query_rows_total{database="postgres",command="select"}`, 7)
	expectMetric(t, p, `query_rows_total{database="postgres",command="insert"}`, 5)
	expectMetric(t, p, `query_rows_total{database="postgres",command="update"}`, 3)
	// A login may have a backend, too: how often one was had is not counted here.
	scraped := func(what string) float64 {
		return p.scrape(t)[sortLabels("pool_checkout_duration_seconds_"+what+"{@}")]
	}
	held := scraped("sum")
	value(t, c, "select pg_sleep(0.3)")
	eventually(t, "it is told how long the backend was held", func() bool { return scraped("sum")-held >= 0.3 })
	eventually(t, "no client has a backend", func() bool { return p.server.Pools().Stats()[0].Active == 0 })
	lost, count := client(t, p.addr), scraped("count")
	if err := lost.Send(pgtest.Query("select pg_terminate_backend(pg_backend_pid())")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a backend that was lost is counted", func() bool { return scraped("count") > count })
}

// Prepared statements are counted where they are, and whether a backend has had them.
func TestMetricsOfPreparedStatements(t *testing.T) {
	p := startProxy(t, plain(t), onlyOne)
	first, second := client(t, p.addr), client(t, p.addr)
	run := func(c *pgtest.Conn, name, sql string) {
		t.Helper()
		if err := c.Send(pgtest.Parse(name, sql), pgtest.Bind("", name), pgtest.Execute("", 0), pgtest.Sync); err != nil {
			t.Fatal(err)
		}
		if _, err := c.ReceiveUntil('Z'); err != nil {
			t.Fatal(err)
		}
	}
	run(first, "a", "select 1")
	run(second, "b", "select 1")
	run(second, "c", "select 2")
	expectMetric(t, p, `prepared_statement_lookups_total{@,result="miss"}`, 2)
	expectMetric(t, p, `prepared_statement_lookups_total{@,result="hit"}`, 4)
	expectMetric(t, p, `prepared_statements{scope="client"}`, 3)
	expectMetric(t, p, `prepared_statements{scope="server"}`, 2)
	expectMetric(t, p, `prepared_statement_evictions_total{@}`, 0)
	p.reload(t, func(c *proxy.Config) { c.Pool.MaxPreparedStatements = 1 })
	value(t, first, "select 3")
	expectMetric(t, p, `prepared_statement_evictions_total{@}`, 1)
	expectMetric(t, p, `prepared_statements{scope="server"}`, 1)
	second.Close()
	expectMetric(t, p, `prepared_statements{scope="client"}`, 1)
	p.server.Pools().Reconnect("postgres")
	expectMetric(t, p, `prepared_statements{scope="server"}`, 0)
}
