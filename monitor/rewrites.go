package monitor

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// rewriteEvents are the metrics of rewriting, each by rule.
type rewriteEvents struct {
	used, compared, reruns, trips *prometheus.CounterVec
}

func newRewriteEvents(b *book) (e rewriteEvents) {
	e.used = b.counters("rewrites_total", "Statements that PostgreSQL was given in another form, and that did not fail.", "rule")
	e.compared = b.counters("rewrite_comparisons_total", "Statements that were run in both forms besides, and had equal answers.", "rule")
	e.reruns = b.counters("rewrite_reruns_total", "Statements that were run again as they were, because the other form failed.", "rule")
	e.trips = b.counters("rewrite_trips_total", "Times a rule was stopped for the statements of one shape.", "rule")
	return e
}

// Rewritten counts a statement that these rules were used for. Several rules are
// separated by commas.
func (m *Monitor) Rewritten(rules string) { m.events.eachRule(m.events.rewrites.used, rules) }

// RewriteCompared counts a comparison that was equal.
func (m *Monitor) RewriteCompared(rules string) { m.events.eachRule(m.events.rewrites.compared, rules) }

// RewriteRerun counts a statement that was run again as it was.
func (m *Monitor) RewriteRerun(rules string) { m.events.eachRule(m.events.rewrites.reruns, rules) }

// RewriteTripped counts rules that were stopped.
func (m *Monitor) RewriteTripped(rules string) { m.events.eachRule(m.events.rewrites.trips, rules) }

func (e *events) eachRule(c *prometheus.CounterVec, rules string) {
	for rule := range strings.SplitSeq(rules, ", ") {
		e.inc(c, rule)
	}
}
