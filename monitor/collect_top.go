package monitor

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pgjay/pgjay/monitor/digest"
)

// topCollector tells how often the statements were run that take most time, and for how
// long, at each scrape. A shape that has a place keeps it until it is forgotten, so that
// series do not come and go.
type topCollector struct {
	page
	monitor          *Monitor
	calls, durations *prometheus.Desc

	mu     sync.Mutex
	places map[digest.ID]digest.Sum // guarded by mu; what each had counted when it got its place
}

func newTopCollector(b *book, m *Monitor) *topCollector {
	c := &topCollector{page: page{book: b}, monitor: m, places: make(map[digest.ID]digest.Sum)}
	c.calls = c.desc("counter", "statement_calls_total", "Executions of the statements that take most time (monitor.top_statements).", "fingerprint", "database")
	c.durations = c.desc("counter", "statement_duration_seconds_total", "Time of the statements that take most time, as clients saw it.", "fingerprint", "database")
	return c
}

// Collect implements prometheus.Collector.
func (c *topCollector) Collect(out chan<- prometheus.Metric) {
	top := int(c.monitor.inquiry.top.Load())
	if top <= 0 {
		return
	}
	stats, rest := c.monitor.inquiry.table.SnapshotSum()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.choose(stats, top)
	for i := range stats {
		sum, has := c.since(&stats[i])
		if !has {
			continue
		}
		rest.Calls -= sum.Calls
		rest.Total -= sum.Total
		c.tell(out, sum, stats[i].ID.String(), c.monitor.pairs.databases.admit(stats[i].Database))
	}
	c.tell(out, rest, otherLabel, otherLabel)
}

func (c *topCollector) tell(out chan<- prometheus.Metric, s digest.Sum, labels ...string) {
	out <- prometheus.MustNewConstMetric(c.calls, prometheus.CounterValue, float64(s.Calls), labels...)
	out <- prometheus.MustNewConstMetric(c.durations, prometheus.CounterValue, s.Total.Seconds(), labels...)
}

// choose gives free places to the statements that take most time. stats begin with
// these.
func (c *topCollector) choose(stats []digest.Stat, top int) {
	there := make(map[digest.ID]bool, len(stats))
	for i := range stats {
		there[stats[i].ID] = true
	}
	for id := range c.places {
		if !there[id] || len(c.places) > top {
			delete(c.places, id)
		}
	}
	for i := range stats {
		if len(c.places) >= top {
			return
		}
		if _, has := c.places[stats[i].ID]; !has {
			c.places[stats[i].ID] = digest.Sum{Calls: stats[i].Calls, Total: stats[i].Total}
		}
	}
}

// since returns what was counted since the shape has its place: what was before belongs
// to the others.
func (c *topCollector) since(s *digest.Stat) (sum digest.Sum, has bool) {
	base, has := c.places[s.ID]
	if s.Calls < base.Calls { // the table was reset
		base = digest.Sum{}
		c.places[s.ID] = base
	}
	return digest.Sum{Calls: s.Calls - base.Calls, Total: s.Total - base.Total}, has
}
