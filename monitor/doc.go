// Package monitor says what happened: it observes and never decides. This
// first version counts and times, for Prometheus, and answers health checks.
//
// There are two ways in:
//
//   - The hot path is a Recorder for each event loop. A session asks it once,
//     at login, for the Traffic of its database and user, and reports every
//     exchange there. Only the loop writes, so a counter is a load and a
//     store; no line of memory is written by two loops; nothing locks or
//     allocates. A scrape reads all recorders and adds them up.
//   - What happens less often than once per exchange is a method of Monitor
//     (ClientOpened, TimedOut, ...), which any goroutine may call.
//
// What other packages count themselves is read from their snapshots at the
// time of a scrape (pool.Stat): they know no Prometheus.
//
// Labels are bounded: a database, user or reason beyond Options.MaxLabelValues
// is counted as "other". Query text, client addresses and application names
// are never labels. docs/metrics.md lists every metric.
//
// Not in scope: serving HTTP (cmd listens; Handler only answers), logging, and
// deciding anything about a session.
package monitor
