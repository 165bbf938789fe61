package proxy_test

import (
	"testing"
	"time"
)

// The share of time pinned can be computed at any moment: both sums go on while a
// session is pinned, and while a client is there, wherever it has moved to.
func TestShareOfTimePinned(t *testing.T) {
	const clients, pinned = "client_seconds_total", `pinned_seconds_total{reason="temporary"}`
	backend := plain(t)
	began := time.Now()
	p, admin := startProxy(t, backend, nil), observer(t, backend)
	grows := func(name string) bool {
		before := p.scrape(t)[name]
		if err := admin.Exec("select pg_sleep(0.02)"); err != nil {
			t.Fatal(err)
		}
		n := p.scrape(t)[name] - before
		if n != 0 && n < 0.02 {
			t.Errorf("%s has grown by %v s in at least 0.02 s", name, n)
		}
		return n != 0
	}
	a, b := client(t, p.addr), client(t, p.addr)
	if value(t, b, "select 1"); !grows(clients) || grows(pinned) {
		t.Error("clients that are there are not counted, or one is pinned")
	}
	run(t, a, sql("create temp table kept (id int)"))
	if !grows(pinned) {
		t.Error("the time of a pinned session does not go on")
	}
	p.server.MoveSessions()
	run(t, a, sql("drop table kept"))
	expectMetric(t, p, `pinned_sessions{reason="temporary"}`, 0)
	if grows(pinned) || !grows(clients) {
		t.Error("a session that is not pinned any more is counted, or a client is not")
	}
	for range 10 {
		p.server.MoveSessions()
		value(t, b, "select 1")
	}
	a.Close()
	b.Close()
	expectMetric(t, p, state("idle"), 0)
	m, elapsed := p.scrape(t), time.Since(began).Seconds()
	if grows(clients) || m[pinned] <= 0 || m[pinned] > elapsed || m[clients] < m[pinned] || m[clients] > 2*elapsed {
		t.Errorf("%v s, of which pinned %v s, in %v s", m[clients], m[pinned], elapsed)
	}
}
