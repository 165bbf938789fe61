package monitor

import "github.com/prometheus/client_golang/prometheus"

// OffsetStat is what became of pages behind a deep OFFSET.
type OffsetStat struct {
	Pages                 map[string]uint64 // by the way in which they were got
	Repeated              map[string]uint64 // by the reason
	Samples               map[string]uint64 // by the result
	Lists, Bytes, Evicted int64
}

// offsetCollector tells what became of deep pages, at each scrape.
type offsetCollector struct {
	page
	monitor *Monitor

	pages, repeated, samples *prometheus.Desc
	lists, bytes, evicted    *prometheus.Desc
}

func newOffsetCollector(b *book, m *Monitor) *offsetCollector {
	c := &offsetCollector{page: page{book: b}, monitor: m}
	c.pages = c.desc("counter", "rewrite_offset_pages_total", "Pages behind a deep OFFSET, by how they were got: by the statement as it is, from a bookmark, or by keys found in an index.", "how")
	c.repeated = c.desc("counter", "rewrite_offset_repeated_total", "Pages that were got by the statement as it is after all, as it was in doubt that they were right.", "reason")
	c.samples = c.desc("counter", "rewrite_offset_samples_total", "Lists that were counted through for bookmarks.", "result")
	c.lists = c.desc("gauge", "rewrite_offset_lists", "Lists that there are bookmarks of.")
	c.bytes = c.desc("gauge", "rewrite_offset_bytes", "Memory that bookmarks take (rewrite.offset.memory_mb bounds it).")
	c.evicted = c.desc("counter", "rewrite_offset_evictions_total", "Lists that had to make room for others.")
	return c
}

// Collect implements prometheus.Collector.
func (c *offsetCollector) Collect(out chan<- prometheus.Metric) {
	stat := c.monitor.offset.Load()
	if stat == nil {
		return
	}
	s := (*stat)()
	for _, of := range []struct {
		desc   *prometheus.Desc
		counts map[string]uint64
	}{{c.pages, s.Pages}, {c.repeated, s.Repeated}, {c.samples, s.Samples}} {
		for label, n := range of.counts {
			out <- prometheus.MustNewConstMetric(of.desc, prometheus.CounterValue, float64(n), label)
		}
	}
	out <- prometheus.MustNewConstMetric(c.lists, prometheus.GaugeValue, float64(s.Lists))
	out <- prometheus.MustNewConstMetric(c.bytes, prometheus.GaugeValue, float64(s.Bytes))
	out <- prometheus.MustNewConstMetric(c.evicted, prometheus.CounterValue, float64(s.Evicted))
}
