package monitor

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pgjay/pgjay/pool"
)

// poolCollector tells what the pools say of themselves, at each scrape.
type poolCollector struct {
	page
	monitor *Monitor

	connections, limit, waiting, oldest *prometheus.Desc
	failing, connects, disconnects      *prometheus.Desc
}

func newPoolCollector(b *book, m *Monitor) *poolCollector {
	c := &poolCollector{page: page{book: b}, monitor: m}
	c.connections = c.desc("gauge", "pool_server_connections", "Backends of a pool, or outside it for one session (dedicated).", "database", "user", "state")
	c.limit = c.desc("gauge", "pool_server_connections_limit", "Backends that a pool may have at once (pool.size + pool.overflow).", "database", "user")
	c.waiting = c.desc("gauge", "pool_waiting_clients", "Clients that wait for a backend.", "database", "user")
	c.oldest = c.desc("gauge", "pool_oldest_waiter_seconds", "Time that the first in the queue for a backend has waited; 0 if nobody waits.", "database", "user")
	c.failing = c.desc("gauge", "pool_server_connect_failing", "1 if the last attempt to connect and log in to PostgreSQL failed.", "database", "user")
	c.connects = c.desc("counter", "pool_server_connects_total", "Attempts to connect and log in to PostgreSQL.", "database", "user", "result")
	c.disconnects = c.desc("counter", "pool_server_disconnects_total", "Backends closed.", "database", "user", "reason")
	return c
}

// Collect implements prometheus.Collector.
func (c *poolCollector) Collect(out chan<- prometheus.Metric) {
	totals := make(map[who]*poolTotal)
	for _, s := range c.monitor.pools() {
		w := c.monitor.pairs.admit(s.Key.Database, s.Key.User)
		if totals[w] == nil {
			totals[w] = &poolTotal{closed: make(map[string]int64)}
		}
		totals[w].add(&s, c.monitor.events.reasons)
	}
	for w, t := range totals {
		c.collect(out, w, t)
	}
}

// The states of a backend.
const (
	backendActive = iota
	backendIdle
	backendLogin
	backendTesting
	backendDraining // leased, and to be closed when it is released
	backendDedicated
	backendStates
)

var backendStateNames = [backendStates]string{"active", "idle", "login", "testing", "draining", "dedicated"}

// poolTotal is the sum of the pools that have the same labels: more than one
// where there was no room for a label of their own.
type poolTotal struct {
	states   [backendStates]int
	limit    int
	waiting  int
	oldest   time.Duration
	failing  bool
	connects int64
	failures int64
	closed   map[string]int64 // by reason
}

func (t *poolTotal) add(s *pool.Stat, reasons *boundedLabel) {
	t.states[backendActive] += s.Active - s.Retired
	t.states[backendIdle] += s.Idle
	t.states[backendLogin] += s.Login
	t.states[backendTesting] += s.Testing
	t.states[backendDraining] += s.Retired
	t.states[backendDedicated] += s.Dedicated
	t.limit += s.Settings.Size + s.Settings.Overflow
	t.waiting += s.Waiting
	t.oldest = max(t.oldest, s.OldestWait)
	t.failing = t.failing || s.LastError != nil
	t.connects += s.Connects
	t.failures += s.ConnectFailures
	for reason, n := range s.Closed {
		t.closed[reasons.admit(reason)] += n
	}
}

func (c *poolCollector) collect(out chan<- prometheus.Metric, w who, t *poolTotal) {
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		labels = append([]string{w.database, w.user}, labels...)
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	count := func(desc *prometheus.Desc, n int64, label string) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(n), w.database, w.user, label)
	}
	for state, n := range t.states {
		gauge(c.connections, float64(n), backendStateNames[state])
	}
	gauge(c.limit, float64(t.limit))
	gauge(c.waiting, float64(t.waiting))
	gauge(c.oldest, t.oldest.Seconds())
	gauge(c.failing, oneIf(t.failing))
	count(c.connects, t.connects, resultOK)
	count(c.connects, t.failures, resultFailed)
	for reason, n := range t.closed {
		count(c.disconnects, n, reason)
	}
}

func oneIf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
