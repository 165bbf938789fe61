package monitor

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// nativeResetAfter is how long a native histogram of ours keeps all its
// buckets before it may start again because it has too many.
const nativeResetAfter = time.Hour

// events are the metrics of what happens less often than once per exchange.
type events struct {
	reasons *boundedLabel // of every label that is a reason, kind, method or result

	opened         prometheus.Counter
	closed         *prometheus.CounterVec
	rejected       *prometheus.CounterVec
	clientLimit    prometheus.Gauge
	authentication *prometheus.HistogramVec

	pins     *prometheus.CounterVec
	pinned   *prometheus.GaugeVec
	timeouts *prometheus.CounterVec
	cancels  *prometheus.CounterVec
	retries  *prometheus.CounterVec
	panics   prometheus.Counter
	connects *prometheus.HistogramVec

	rewrites rewriteEvents
	explains *prometheus.HistogramVec
	requests prometheus.Counter
	streams  prometheus.Gauge

	reloads    *prometheus.CounterVec
	reloadOK   prometheus.Gauge
	reloadTime prometheus.Gauge
}

func newEvents(b *book, reasons *boundedLabel) *events {
	e := &events{reasons: reasons}
	e.opened = b.counter("client_connections_opened_total", "Client connections accepted.")
	e.closed = b.counters("client_connections_closed_total", "Client connections ended, whether they had logged in or not.", "reason")
	e.rejected = b.counters("client_connections_rejected_total", "Client connections turned away before they had logged in.", "reason")
	e.clientLimit = b.gauge("client_connections_limit", "Client connections allowed at once (limits.max_clients).")
	e.authentication = b.durations("client_auth_duration_seconds", "Time clients took to prove who they are, in vain or not.", "method")
	e.pins = b.counters("pins_total", "Times a session had to keep its backend beyond the transaction.", "reason")
	e.pinned = b.gauges("pinned_sessions", "Sessions that keep their backend beyond the transaction.", "reason")
	e.timeouts = b.counters("timeouts_total", "Times a client ran into a timeout (timeouts.*).", "kind")
	e.cancels = b.counters("cancel_requests_total", "Cancel requests from clients.", "result")
	e.retries = b.counters("retries_total", "Exchanges sent again, to another backend, before the client had seen a reply.", "reason")
	e.panics = b.counter("session_panics_total", "Sessions closed because of an error in PgJay itself; the log says where. Please report it.")
	e.connects = b.durations("pool_server_connect_duration_seconds", "Time to connect and log in to PostgreSQL, when it succeeded.")
	e.rewrites = newRewriteEvents(b)
	e.explains = b.durations("explain_duration_seconds", "Time that it took to explain a statement, with all that is asked for it.", "mode")
	e.requests = b.counter("dashboard_requests_total", "Requests to the dashboard, with those that were refused.")
	e.streams = b.gauge("dashboard_streams", "Browsers that watch the dashboard's live figures.")
	e.reloads = b.counters("config_reloads_total", "Times the configuration was read again.", "result")
	e.reloadOK = b.gauge("config_last_reload_successful", "1 if the configuration in force is the one that was read last.")
	e.reloadTime = b.gauge("config_last_reload_success_timestamp_seconds", "When the configuration in force was read, in Unix time.")
	for _, result := range []string{resultOK, resultFailed} {
		e.reloads.WithLabelValues(result)
	}
	e.connects.WithLabelValues()
	return e
}

// The results of what can fail.
const (
	resultOK     = "ok"
	resultFailed = "failed"
)

// ClientOpened counts a client's connection that was accepted.
func (m *Monitor) ClientOpened() { m.events.opened.Inc() }

// ClientClosed counts a client's connection that has ended. It is called once
// for each ClientOpened.
func (m *Monitor) ClientClosed(reason string) { m.events.inc(m.events.closed, reason) }

// ClientRejected counts a client that was turned away before it had logged in.
// Its ClientClosed follows.
func (m *Monitor) ClientRejected(reason string) { m.events.inc(m.events.rejected, reason) }

// ClientAuthenticated notes how long a client took to prove who it is, or to
// fail at it.
func (m *Monitor) ClientAuthenticated(method string, took time.Duration) {
	m.events.authentication.WithLabelValues(m.events.reasons.admit(method)).Observe(took.Seconds())
}

// SetClientLimit notes how many clients may be connected at once.
func (m *Monitor) SetClientLimit(n int) { m.events.clientLimit.Set(float64(n)) }

// Pinned notes that a session has to keep its backend.
func (m *Monitor) Pinned(reason string) {
	reason = m.events.reasons.admit(reason)
	m.events.pins.WithLabelValues(reason).Inc()
	m.events.pinned.WithLabelValues(reason).Inc()
}

// Unpinned notes the end of what Pinned began. The reason is the same.
func (m *Monitor) Unpinned(reason string) {
	m.events.pinned.WithLabelValues(m.events.reasons.admit(reason)).Dec()
}

// TimedOut counts a client that ran into a timeout. Waiting in vain for a
// backend is Traffic.WaitTimedOut.
func (m *Monitor) TimedOut(kind string) { m.events.inc(m.events.timeouts, kind) }

// CancelRequested counts a client's cancel request.
func (m *Monitor) CancelRequested(result string) { m.events.inc(m.events.cancels, result) }

// Retried counts an exchange that was sent again.
func (m *Monitor) Retried(reason string) { m.events.inc(m.events.retries, reason) }

// SessionPanicked counts a session that was closed because of an error in
// PgJay.
func (m *Monitor) SessionPanicked() { m.events.panics.Inc() }

// DashboardAsked counts a request to the dashboard.
func (m *Monitor) DashboardAsked() { m.events.requests.Inc() }

// DashboardWatched notes how many browsers more, or less, watch the live figures.
func (m *Monitor) DashboardWatched(n int) { m.events.streams.Add(float64(n)) }

// BackendConnected notes how long a login to PostgreSQL took that succeeded.
func (m *Monitor) BackendConnected(took time.Duration) {
	m.events.connects.WithLabelValues().Observe(took.Seconds())
}

// explained notes how long it took to explain a statement.
func (e *events) explained(analyzed bool, took time.Duration) {
	mode := "plan"
	if analyzed {
		mode = "analyze"
	}
	e.explains.WithLabelValues(mode).Observe(took.Seconds())
}

// ConfigReloaded notes that the configuration was read again; err says why it
// changed nothing.
func (m *Monitor) ConfigReloaded(err error) {
	if err != nil {
		m.events.reloads.WithLabelValues(resultFailed).Inc()
		m.events.reloadOK.Set(0)
		return
	}
	m.events.reloads.WithLabelValues(resultOK).Inc()
	m.configLoaded()
}

func (m *Monitor) configLoaded() {
	m.events.reloadOK.Set(1)
	m.events.reloadTime.Set(float64(time.Now().UnixNano()) / 1e9)
}

func (e *events) inc(c *prometheus.CounterVec, label string) {
	c.WithLabelValues(e.reasons.admit(label)).Inc()
}
