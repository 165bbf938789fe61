package monitor

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/pgjay/pgjay/monitor/advice"
	"github.com/pgjay/pgjay/monitor/explain"
	"github.com/pgjay/pgjay/monitor/plan"
)

// statementCollector tells what is known of statements and their plans, at each scrape.
// Which statements these are the console and the dashboard tell: they are no labels.
type statementCollector struct {
	page
	monitor *Monitor
	inquiry *inquiry

	shapes, limit, forgotten, dropped, slow *prometheus.Desc
	offers, runs, queue                     *prometheus.Desc
	findings, advice                        *prometheus.Desc
	skips, changes                          *prometheus.Desc
	spans                                   *prometheus.Desc
}

func newStatementCollector(b *book, m *Monitor) *statementCollector {
	c := &statementCollector{page: page{book: b}, monitor: m, inquiry: m.inquiry}
	c.shapes = c.desc("gauge", "fingerprints", "Shapes of statements that are told apart.")
	c.limit = c.desc("gauge", "fingerprints_limit", "Shapes that may be told apart (monitor.max_statements).")
	c.forgotten = c.desc("counter", "fingerprint_evictions_total", "Shapes that were forgotten to make room for others.")
	c.dropped = c.desc("counter", "statement_records_dropped_total", "Exchanges that were not counted by shape, as too many ended at once.")
	c.slow = c.desc("counter", "slow_queries_total", "Statements that took monitor.slow_threshold or longer.")
	c.offers = c.desc("counter", "explain_requests_total", "Slow statements that were to be explained.")
	c.runs = c.desc("counter", "explain_runs_total", "Explanations of slow statements.", "mode", "result")
	c.queue = c.desc("gauge", "explain_queue_length", "Slow statements that wait to be explained.")
	c.skips = c.desc("counter", "explain_skips_total", "Slow statements that were not executed for their plan, or not explained at all.", "reason")
	c.changes = c.desc("counter", "plan_changes_total", "Times that a statement was explained and had another plan than the time before.", "database", "direction")
	c.spans = c.desc("counter", "trace_spans_total", "Statements of which the OpenTelemetry collector was to be told.", "result")
	c.findings = c.desc("gauge", "plan_findings", "What was found in the plans that are kept.", "check", "severity")
	c.advice = c.desc("gauge", "index_advice", "Indexes that would help, or have helped.", "status")
	return c
}

// Collect implements prometheus.Collector.
func (c *statementCollector) Collect(out chan<- prometheus.Metric) {
	gauge := func(desc *prometheus.Desc, n int, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(n), labels...)
	}
	count := func(desc *prometheus.Desc, n uint64, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(n), labels...)
	}
	t := c.inquiry.table.Totals()
	gauge(c.shapes, t.Shapes)
	gauge(c.limit, t.Max)
	count(c.forgotten, t.Pruned)
	count(c.dropped, t.Dropped+t.Lost)
	count(c.slow, t.Slow)
	e := c.inquiry.explainer.Counts()
	count(c.offers, e.Offered)
	count(c.runs, e.Analyzed, "analyze", resultOK)
	count(c.runs, e.Planned, "plan", resultOK)
	count(c.runs, e.Told, "auto_explain", resultOK)
	count(c.runs, e.Failed, "any", resultFailed)
	gauge(c.queue, e.Queued)
	for _, skip := range explain.AllSkips() {
		count(c.skips, e.Skips[skip], string(skip))
	}
	var sent, dropped uint64
	if tracer := c.inquiry.tracer; tracer != nil {
		sent, dropped = tracer.Counts()
	}
	count(c.spans, sent, "sent")
	count(c.spans, dropped, "dropped")
	c.collectChanges(out, e.Changes)
	found := c.found()
	for _, check := range plan.Checks() {
		for _, severity := range []plan.Severity{plan.Low, plan.Medium, plan.High} {
			gauge(c.findings, found[findingKind{check, severity}], check, severity.String())
		}
	}
	states := map[advice.State]int{advice.Unverified: 0, advice.Verified: 0, advice.Adopted: 0}
	for _, a := range c.inquiry.explainer.Advice() {
		if _, told := states[a.State]; told && a.Kind == advice.Index {
			states[a.State]++
		}
	}
	for state, n := range states {
		gauge(c.advice, n, string(state))
	}
}

// collectChanges adds up the changes of databases that have the same label. Each that has
// clients has its series.
func (c *statementCollector) collectChanges(out chan<- prometheus.Metric, changes map[explain.Change]uint64) {
	sums := make(map[explain.Change]uint64)
	_, databases := c.monitor.totals()
	for database := range databases {
		for _, direction := range []string{explain.Cheaper, explain.Dearer, explain.Same} {
			sums[explain.Change{Database: database, Direction: direction}] = 0
		}
	}
	for change, n := range changes {
		change.Database = c.monitor.pairs.databases.admit(change.Database)
		sums[change] += n
	}
	for change, n := range sums {
		out <- prometheus.MustNewConstMetric(c.changes, prometheus.CounterValue, float64(n), change.Database, change.Direction)
	}
}

// findingKind is what findings are counted by.
type findingKind struct {
	check    string
	severity plan.Severity
}

func (c *statementCollector) found() map[findingKind]int {
	found := make(map[findingKind]int)
	for _, r := range c.inquiry.explainer.Results() {
		for _, f := range r.Findings {
			found[findingKind{f.Check, f.Severity}]++
		}
	}
	return found
}
