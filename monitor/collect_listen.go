package monitor

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/pgjay/pgjay/pool"
)

// listenCollector tells what the listeners say of themselves, at each scrape.
type listenCollector struct {
	page
	monitor *Monitor

	channels, sessions       *prometheus.Desc
	notifications, delivered *prometheus.Desc
	connects, losses         *prometheus.Desc
}

func newListenCollector(b *book, m *Monitor) *listenCollector {
	c := &listenCollector{page: page{book: b}, monitor: m}
	c.channels = c.desc("gauge", "listen_channels", "Channels that the backend that listens for all sessions of a database listens to.", "database")
	c.sessions = c.desc("gauge", "listen_sessions", "Sessions that listen, without a backend of their own for it.", "database")
	c.notifications = c.desc("counter", "listen_notifications_received_total", "Notifications that PostgreSQL has sent to the listening backend.", "database")
	c.delivered = c.desc("counter", "listen_notifications_delivered_total", "Notifications for sessions: one that several get counts several times.", "database")
	c.connects = c.desc("counter", "listen_connects_total", "Attempts to connect and log in to PostgreSQL in order to listen.", "database", "result")
	c.losses = c.desc("counter", "listen_sessions_ended_total", "Sessions ended as they may have missed a notification.", "database")
	return c
}

// Collect implements prometheus.Collector.
func (c *listenCollector) Collect(out chan<- prometheus.Metric) {
	stats := c.monitor.listeners.Load()
	if stats == nil {
		return
	}
	totals := make(map[string]*pool.ListenerStat)
	for _, s := range (*stats)() {
		database := c.monitor.pairs.databases.admit(s.Database)
		t := totals[database]
		if t == nil {
			t = &pool.ListenerStat{Database: database}
			totals[database] = t
		}
		t.Channels += s.Channels
		t.Subscriptions += s.Subscriptions
		t.Notifications += s.Notifications
		t.Delivered += s.Delivered
		t.Logins += s.Logins
		t.LoginFailures += s.LoginFailures
		t.Lost += s.Lost
	}
	for _, t := range totals {
		c.collect(out, t)
	}
}

func (c *listenCollector) collect(out chan<- prometheus.Metric, t *pool.ListenerStat) {
	tell := func(desc *prometheus.Desc, kind prometheus.ValueType, n int64, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc, kind, float64(n), append([]string{t.Database}, labels...)...)
	}
	tell(c.channels, prometheus.GaugeValue, t.Channels)
	tell(c.sessions, prometheus.GaugeValue, t.Subscriptions)
	tell(c.notifications, prometheus.CounterValue, t.Notifications)
	tell(c.delivered, prometheus.CounterValue, t.Delivered)
	tell(c.connects, prometheus.CounterValue, t.Logins, resultOK)
	tell(c.connects, prometheus.CounterValue, t.LoginFailures, resultFailed)
	tell(c.losses, prometheus.CounterValue, t.Lost)
}
