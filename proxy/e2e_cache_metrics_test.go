package proxy_test

import (
	"testing"
	"time"

	"github.com/pgjay/pgjay/cache"
	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// What the cache has answered is told apart from what PostgreSQL has, and from what
// another client had just asked for.
func TestMetricsOfCache(t *testing.T) {
	backend := plain(t)
	newCacheWorld(t, backend)
	p := startProxy(t, backend, func(c *proxy.Config) {
		withCache(c)
		c.Cache.CoalesceMaxWait = time.Minute
		c.Cache.VerifySample = 2
	})
	conn := dial(t, p.addr)
	cached(t, p, conn, "select v from t where id = 1")
	m := p.scrape(t)
	hits, asked := m[`cache_lookups_total{outcome="hit"}`], m[`queries_total{command="select",database="postgres",source="cache",user="postgres"}`]
	for range 4 {
		answerOf(t, conn, "select v from t where id = 1")
	}
	answerOf(t, conn, "select s from t where id = 1 for update")
	expectMetric(t, p, `cache_lookups_total{outcome="hit"}`, hits+4)
	expectMetric(t, p, `queries_total{@,command="select",source="cache"}`, asked+2) // the others were compared
	verified := p.scrape(t)["cache_verified_total"]
	if verified < 2 {
		t.Errorf("%g answers were compared", verified)
	}
	expectMetric(t, p, "cache_mismatches_total", 0)
	expectMetric(t, p, "cache_limit_bytes", float64(256*cache.MB))
	m = p.scrape(t)
	for _, name := range []string{"cache_entries", "cache_bytes", "cache_saved_seconds_total"} {
		if m[name] <= 0 {
			t.Errorf("%s is %g", name, m[name])
		}
	}
	eventually(t, "a refusal is counted", func() bool {
		answerOf(t, conn, "select s from t where id = 1 for update")
		return p.scrape(t)[`cache_refusals_total{reason="statement"}`] > 0
	})
	outdated := m[`cache_outdated_total{cause="schema"}`]
	answerOf(t, conn, "create table one_more ()")
	expectMetric(t, p, `cache_outdated_total{cause="schema"}`, outdated+1)
}

func TestMetricsOfCoalescing(t *testing.T) {
	backend := plain(t)
	newCacheWorld(t, backend)
	p := startProxy(t, backend, func(c *proxy.Config) {
		withCache(c)
		c.Cache.CoalesceMaxWait = time.Minute
	})
	cached(t, p, dial(t, p.addr), "select v from c.t where id = 1")
	first, second, lock := client(t, p.addr, "search_path", "c,public"), client(t, p.addr, "search_path", "c,public"), observer(t, backend)
	absent := p.scrape(t)[`cache_lookups_total{outcome="absent"}`]
	if err := lock.Exec("begin; lock table c.t"); err != nil {
		t.Fatal(err)
	}
	for i, c := range []*pgtest.Conn{first, second} {
		if err := c.Send(pgtest.Query("select v from c.t where id = 2")); err != nil {
			t.Fatal(err)
		}
		expectMetric(t, p, `cache_lookups_total{outcome="absent"}`, absent+float64(i)+1)
	}
	if err := lock.Exec("commit"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*pgtest.Conn{first, second} {
		expect(t, c, "T *", "D *", "C SELECT 1", "Z I")
	}
	expectMetric(t, p, `queries_total{@,command="select",source="coalesced"}`, 1)
}
