package proxy

import (
	"slices"
	"time"

	"github.com/pgjay/pgjay/monitor"
	"github.com/pgjay/pgjay/proxy/wire"
)

// The four tables of counters. Times are in microseconds. Averages are over the last
// minute, or what there was of it: of time for each transaction, query or lease, of
// everything else for each second.
var (
	showStats = consoleCommand{
		words: "SHOW STATS", tag: "SHOW", columns: statsColumns(prefixed("total_", shortStats), prefixed("avg_", averageStats)),
		run: statsRows(func(total, average bouncerStats) []any { return append(total.values(), average.values()...) }),
	}
	showStatsTotals = consoleCommand{
		words: "SHOW STATS_TOTALS", tag: "SHOW", columns: statsColumns(longStats),
		run: statsRows(func(total, _ bouncerStats) []any { return total.values() }),
	}
	showStatsAverages = consoleCommand{
		words: "SHOW STATS_AVERAGES", tag: "SHOW", columns: statsColumns(longStats[:8], prefixed("avg_", longStats[8:])),
		run: statsRows(func(_, average bouncerStats) []any { return average.values() }),
	}
	showTotals = consoleCommand{
		words: "SHOW TOTALS", tag: "SHOW", run: totalRows,
		columns: bouncerColumns("sN", "name", "value"),
	}
)

// The names of bouncerStats: PgBouncer has several for some.
var (
	longStats = []string{
		"server_assignment_count", "xact_count", "query_count", "bytes_received", "bytes_sent", "xact_time", "query_time", "wait_time",
		"client_parse_count", "server_parse_count", "bind_count", "client_login_count",
	}
	shortStats   = renamed("received", "sent")
	averageStats = renamed("recv", "sent")
	totalStats   = []string{
		"server_assignment_count", "xact_count", "query_count", "client_bytes", "server_bytes", "xact_time", "query_time", "wait_time",
		"ps_client_parse_count", "ps_server_parse_count", "ps_bind_count", "client_login_count",
	}
)

// renamed returns the names with others for bytes received and sent.
func renamed(received, sent string) []string {
	names := slices.Clone(longStats)
	names[3], names[4] = received, sent
	return names
}

func prefixed(prefix string, names []string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = prefix + name
	}
	return out
}

func statsColumns(names ...[]string) []wire.Column {
	all := slices.Concat(append([][]string{{"database"}}, names...)...)
	return bouncerColumns("sNNNNNNNNNNNNNNNNNNNNNNNN"[:len(all)], all...)
}

// bouncerStats are PgBouncer's counters, in its order.
type bouncerStats [12]int64

func newBouncerStats(t *monitor.Tally) bouncerStats {
	us := func(ns uint64) int64 { return int64(ns / uint64(time.Microsecond)) }
	return bouncerStats{
		int64(t.Leases), int64(t.Transactions), int64(t.Queries), int64(t.Received), int64(t.Sent),
		us(t.TransactionNS), us(t.BackendNS), us(t.WaitNS),
		int64(t.ClientParses), int64(t.ServerParses), int64(t.Binds), int64(t.Logins),
	}
}

func (b bouncerStats) values() []any {
	out := make([]any, len(b))
	for i, n := range b {
		out[i] = n
	}
	return out
}

// countOf has, for each time, the counter that it is divided by.
var countOf = map[int]int{5: 1, 6: 2, 7: 0}

// average returns what has been added since before, for each second or count.
func (b bouncerStats) average(before bouncerStats, ago time.Duration) (out bouncerStats) {
	for i := range b {
		per := ago.Seconds()
		if count, isTime := countOf[i]; isTime {
			per = float64(b[count] - before[count])
		}
		if per > 0 {
			out[i] = max(int64(float64(b[i]-before[i])/per), 0)
		}
	}
	return out
}

func (b bouncerStats) plus(other bouncerStats) bouncerStats {
	for i, n := range other {
		b[i] += n
	}
	return b
}

// databaseStats are the counters of a database, now and about a minute ago.
type databaseStats struct {
	name        string
	now, before bouncerStats
}

// allStats returns the counters of all databases, and how long ago before was.
func allStats(m *monitor.Monitor) (all []databaseStats, ago time.Duration) {
	earlier, ago := m.Earlier()
	before := make(map[string]bouncerStats)
	for i := range earlier {
		before[earlier[i].Database] = newBouncerStats(&earlier[i])
	}
	for _, t := range m.Tallies() {
		all = append(all, databaseStats{t.Database, newBouncerStats(&t), before[t.Database]})
	}
	return all, ago
}

func statsRows(values func(total, average bouncerStats) []any) func(*consoleCall) (consoleAnswer, error) {
	return func(call *consoleCall) (consoleAnswer, error) {
		all, ago := allStats(call.monitor)
		var rows [][]any
		for _, d := range all {
			rows = append(rows, append([]any{d.name}, values(d.now, d.now.average(d.before, ago))...))
		}
		return consoleAnswer{rows: rows}, nil
	}
}

func totalRows(call *consoleCall) (consoleAnswer, error) {
	all, ago := allStats(call.monitor)
	var now, before bouncerStats
	for _, d := range all {
		now, before = now.plus(d.now), before.plus(d.before)
	}
	var rows [][]any
	average := now.average(before, ago)
	for i, name := range prefixed("total_", totalStats) {
		rows = append(rows, []any{name, now[i]})
	}
	for i, name := range prefixed("avg_", totalStats) {
		rows = append(rows, []any{name, average[i]})
	}
	return consoleAnswer{rows: rows}, nil
}
