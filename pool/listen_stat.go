package pool

import "sync/atomic"

// ListenerStat is a snapshot of the shared listening backend of one database.
type ListenerStat struct {
	Database string

	Channels      int64 // that somebody listens to
	Subscriptions int64 // sessions that listen to any

	Notifications int64 // that PostgreSQL has sent
	Delivered     int64 // the same, for each session once
	Logins        int64
	LoginFailures int64
	Reconnects    int64 // logins after a backend was lost
	Lost          int64 // subscriptions that were told that they may have missed something
}

// listenCounts is what a listener counts. Only its loop writes.
type listenCounts struct {
	channels, subscriptions                                      atomic.Int64
	notifications, delivered, logins, failures, reconnects, lost atomic.Int64
}

// Stat returns a snapshot. It may be called on any goroutine.
func (l *Listener) Stat() ListenerStat {
	c := &l.counts
	return ListenerStat{
		Database:      l.database,
		Channels:      c.channels.Load(),
		Subscriptions: c.subscriptions.Load(),
		Notifications: c.notifications.Load(),
		Delivered:     c.delivered.Load(),
		Logins:        c.logins.Load(),
		LoginFailures: c.failures.Load(),
		Reconnects:    c.reconnects.Load(),
		Lost:          c.lost.Load(),
	}
}

// ListenerStats returns a snapshot of the listener of each database that has
// one, sorted by name.
func (s *Set) ListenerStats() (stats []ListenerStat) {
	for _, l := range s.listeners() {
		stats = append(stats, l.Stat())
	}
	return stats
}

// listeners returns the listeners, sorted by database.
func (s *Set) listeners() (all []*Listener) {
	for _, d := range s.bases() {
		d.mu.Lock()
		if d.listener != nil {
			all = append(all, d.listener)
		}
		d.mu.Unlock()
	}
	return all
}
