package monitor

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/pgjay/pgjay/pool"
)

// backendCollector tells of each server whether it can be reached, at each scrape.
type backendCollector struct {
	page
	monitor *Monitor
	up      *prometheus.Desc
}

func newBackendCollector(b *book, m *Monitor) *backendCollector {
	c := &backendCollector{page: page{book: b}, monitor: m}
	c.up = c.desc("gauge", "backend_up", "0 if no login to this server succeeds because it does not answer, or takes no sessions.", "backend", "role")
	return c
}

// Collect implements prometheus.Collector. A server is up if it is so for one of its
// pools.
func (c *backendCollector) Collect(out chan<- prometheus.Metric) {
	type server struct {
		up   bool
		role string
	}
	servers := make(map[string]server)
	for _, st := range c.monitor.pools() {
		address := c.monitor.pairs.servers.admit(st.Server)
		known, there := servers[address]
		if !there {
			known.role = "unknown"
		}
		known.up = known.up || !st.Unreachable()
		if role := roleOf(&st); role != "unknown" {
			known.role = role
		}
		servers[address] = known
	}
	for address, s := range servers {
		out <- prometheus.MustNewConstMetric(c.up, prometheus.GaugeValue, oneIf(s.up), address, s.role)
	}
}

func roleOf(st *pool.Stat) string {
	switch {
	case st.Standby == nil:
		return "unknown"
	case *st.Standby:
		return "standby"
	}
	return "primary"
}
