package monitor

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pgjay/pgjay/cache"
)

// cacheCollector tells what the cache says of itself, at each scrape.
type cacheCollector struct {
	page
	monitor *Monitor

	lookups, refusals, outdated *prometheus.Desc
	bypassed, warmed            *prometheus.Desc
	entries, bytes, limit       *prometheus.Desc
	evictions, saved            *prometheus.Desc
	verified, mismatches        *prometheus.Desc
	packedIn, packedOut         *prometheus.Desc
}

func newCacheCollector(b *book, m *Monitor) *cacheCollector {
	c := &cacheCollector{page: page{book: b}, monitor: m}
	c.lookups = c.desc("counter", "cache_lookups_total", "Statements that were looked up in the cache.", "outcome")
	c.refusals = c.desc("counter", "cache_refusals_total", "Statements whose answers were not remembered, or not even looked up.", "reason")
	c.bypassed = c.desc("counter", "cache_bypassed_total", "Statements that were not looked up in the cache for what their sessions are or do.", "reason")
	c.warmed = c.desc("counter", "cache_warmed_total", "Statements of cache.warm that were executed, by what became of their answers.", "result")
	c.outdated = c.desc("counter", "cache_outdated_total", "Times that all answers of a database were outdated at once.", "cause")
	c.entries = c.desc("gauge", "cache_entries", "Answers in the cache, with those that are outdated.")
	c.bytes = c.desc("gauge", "cache_bytes", "Memory that answers in the cache take.")
	c.limit = c.desc("gauge", "cache_limit_bytes", "Memory that answers may take (cache.size).")
	c.evictions = c.desc("counter", "cache_evictions_total", "Answers that had to make room for others, or were purged.")
	c.saved = c.desc("counter", "cache_saved_seconds_total", "Time that PostgreSQL and the way to it would have taken for what the cache has answered.")
	c.verified = c.desc("counter", "cache_verified_total", "Answers of the cache that were compared with PostgreSQL's (cache.verify_sample).")
	c.mismatches = c.desc("counter", "cache_mismatches_total", "Answers of the cache that were another than PostgreSQL's though nothing was known to have changed.")
	c.packedIn = c.desc("counter", "cache_compression_input_bytes_total", "Bytes of answers that are kept compressed (cache.compress_over).")
	c.packedOut = c.desc("counter", "cache_compression_output_bytes_total", "Bytes that answers that are kept compressed have become.")
	return c
}

// Collect implements prometheus.Collector.
func (c *cacheCollector) Collect(out chan<- prometheus.Metric) {
	stat := c.monitor.cache.Load()
	if stat == nil {
		return
	}
	s := (*stat)()
	tell := func(desc *prometheus.Desc, kind prometheus.ValueType, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc, kind, value, labels...)
	}
	count := func(desc *prometheus.Desc, n int64, labels ...string) {
		tell(desc, prometheus.CounterValue, float64(n), labels...)
	}
	for o, n := range s.Outcomes {
		count(c.lookups, n, cache.Outcome(o).String())
	}
	for r, n := range s.Refused {
		if n > 0 {
			count(c.refusals, n, cache.Reason(r).String())
		}
	}
	for b, n := range s.Bypassed {
		if why := cache.Bypass(b); why != cache.NoBypass {
			count(c.bypassed, n, why.String())
		}
	}
	for r, n := range s.Warmed {
		count(c.warmed, n, cache.WarmResult(r).String())
	}
	count(c.outdated, s.Outdated.Global, "unknown")
	count(c.outdated, s.Outdated.Schema, "schema")
	count(c.outdated, s.Outdated.ACL, "rights")
	tell(c.entries, prometheus.GaugeValue, float64(s.Entries))
	tell(c.bytes, prometheus.GaugeValue, float64(s.Bytes))
	tell(c.limit, prometheus.GaugeValue, float64(s.Limit))
	count(c.evictions, s.Evicted)
	tell(c.saved, prometheus.CounterValue, time.Duration(s.SavedNS).Seconds())
	count(c.verified, s.Verified)
	count(c.mismatches, s.Mismatches)
	count(c.packedIn, s.PackedIn)
	count(c.packedOut, s.PackedOut)
}
