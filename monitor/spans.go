package monitor

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// spans adds up for how long something was so in the sessions of a loop, up to the
// moment when it is asked for. The loop writes, a scrape reads: nobody else locks.
type spans struct {
	started time.Time // immutable; of the monitor

	mu      sync.Mutex
	clients span            // guarded by mu; clients that are logged in
	pinned  map[string]span // guarded by mu; pinned sessions, by reason
}

// span is the sum of times that have passed, each less when it has begun if it goes
// on: of n that go on each lacks the present moment.
type span struct {
	n   int64
	sum time.Duration
}

func (s span) begin(now time.Duration) span { return span{s.n + 1, s.sum - now} }

func (s span) end(now time.Duration) span { return span{s.n - 1, s.sum + now} }

func (s span) until(now time.Duration) time.Duration { return s.sum + time.Duration(s.n)*now }

// now is when it is, since the monitor has begun.
func (s *spans) now() time.Duration { return time.Since(s.started) }

// ClientCame says that a client has logged in, or has come from another loop.
func (r *Recorder) ClientCame() {
	r.spans.mu.Lock()
	defer r.spans.mu.Unlock()
	r.spans.clients = r.spans.clients.begin(r.spans.now())
}

// ClientWent ends what ClientCame has begun.
func (r *Recorder) ClientWent() {
	r.spans.mu.Lock()
	defer r.spans.mu.Unlock()
	r.spans.clients = r.spans.clients.end(r.spans.now())
}

// PinBegins says that a session has to keep its backend. It stays on the loop until
// PinEnds.
func (r *Recorder) PinBegins(reason string) {
	r.spans.mu.Lock()
	defer r.spans.mu.Unlock()
	r.spans.pinned[reason] = r.spans.pinned[reason].begin(r.spans.now())
}

// PinEnds ends what PinBegins has begun. The reason is the same.
func (r *Recorder) PinEnds(reason string) {
	r.spans.mu.Lock()
	defer r.spans.mu.Unlock()
	r.spans.pinned[reason] = r.spans.pinned[reason].end(r.spans.now())
}

// addTo adds what there is up to now.
func (s *spans) addTo(clients *time.Duration, pinned map[string]time.Duration, label func(string) string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	*clients += s.clients.until(now)
	for reason, sp := range s.pinned {
		pinned[label(reason)] += sp.until(now)
	}
}

// spanCollector adds up the spans of all loops, at each scrape.
type spanCollector struct {
	page
	monitor         *Monitor
	clients, pinned *prometheus.Desc
}

func newSpanCollector(b *book, m *Monitor) *spanCollector {
	c := &spanCollector{page: page{book: b}, monitor: m}
	c.pinned = c.desc("counter", "pinned_seconds_total", "Time for which sessions have kept their backend beyond the transaction, up to now.", "reason")
	c.clients = c.desc("counter", "client_seconds_total", "Time for which clients have been logged in, up to now.")
	return c
}

// Collect implements prometheus.Collector.
func (c *spanCollector) Collect(out chan<- prometheus.Metric) {
	var clients time.Duration
	pinned := make(map[string]time.Duration)
	for _, r := range c.monitor.recorders {
		r.spans.addTo(&clients, pinned, c.monitor.events.reasons.admit)
	}
	out <- prometheus.MustNewConstMetric(c.clients, prometheus.CounterValue, clients.Seconds())
	for reason, time := range pinned {
		out <- prometheus.MustNewConstMetric(c.pinned, prometheus.CounterValue, time.Seconds(), reason)
	}
}
