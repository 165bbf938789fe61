package monitor

import "github.com/prometheus/client_golang/prometheus"

// SpoolStat is what is kept of the results of clients that take them slowly.
type SpoolStat struct {
	Clients, Memory, Files int64
	Total, Failures        uint64
}

// spoolCollector tells what is kept for slow clients, at each scrape.
type spoolCollector struct {
	page
	monitor *Monitor

	clients, memory, files, total, failures *prometheus.Desc
}

func newSpoolCollector(b *book, m *Monitor) *spoolCollector {
	c := &spoolCollector{page: page{book: b}, monitor: m}
	c.clients = c.desc("gauge", "spool_clients", "Clients that are slower than their results, of which the rest is kept (pool.spool).")
	c.memory = c.desc("gauge", "spool_memory_bytes", "Memory that is kept for them.")
	c.files = c.desc("gauge", "spool_file_bytes", "What their files take (pool.spool.size_mb bounds it).")
	c.total = c.desc("counter", "spool_bytes_total", "Bytes that were kept.")
	c.failures = c.desc("counter", "spool_failures_total", "Files that could not be made or written, after which clients hold their backends, or read, which ends a client's connection.")
	return c
}

// Collect implements prometheus.Collector.
func (c *spoolCollector) Collect(out chan<- prometheus.Metric) {
	stat := c.monitor.spool.Load()
	if stat == nil {
		return
	}
	s := (*stat)()
	out <- prometheus.MustNewConstMetric(c.clients, prometheus.GaugeValue, float64(s.Clients))
	out <- prometheus.MustNewConstMetric(c.memory, prometheus.GaugeValue, float64(s.Memory))
	out <- prometheus.MustNewConstMetric(c.files, prometheus.GaugeValue, float64(s.Files))
	out <- prometheus.MustNewConstMetric(c.total, prometheus.CounterValue, float64(s.Total))
	out <- prometheus.MustNewConstMetric(c.failures, prometheus.CounterValue, float64(s.Failures))
}
