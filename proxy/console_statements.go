package proxy

import (
	"strings"
	"time"

	"github.com/pgjay/pgjay/monitor/digest"
	"github.com/pgjay/pgjay/proxy/wire"
)

// showStatements has a row for each kind of statement, what has taken most time first.
var showStatements = consoleCommand{
	words: "SHOW STATEMENTS", tag: "SHOW", run: statementRows,
	columns: []wire.Column{
		textColumn("shape"), textColumn("database"), textColumn("user"), textColumn("statement"),
		int8Column("calls"), int8Column("errors"), int8Column("rows"), int8Column("bytes"),
		int8Column("total_us"), int8Column("mean_us"), int8Column("p50_us"), int8Column("p95_us"), int8Column("p99_us"), int8Column("max_us"),
		int8Column("wait_us"), int8Column("backend_us"), int8Column("proxy_us"), int8Column("first_row_us"), int8Column("stalled_us"),
		floatColumn("cache_share"), floatColumn("rewrite_share"), int8Column("slow"),
		textColumn("first_seen"), textColumn("last_seen"), textColumn("plans"),
	},
}

func statementRows(call *consoleCall) (consoleAnswer, error) {
	table := call.monitor.Statements()
	var rows [][]any
	for _, s := range table.Snapshot() {
		rows = append(rows, statementRow(&s))
	}
	answer := consoleAnswer{rows: rows}
	if t := table.Totals(); t.Max == 0 {
		answer.notice = consoleNotice("statements are not recorded", "monitor.max_statements is 0.")
	}
	return answer, nil
}

func statementRow(s *digest.Stat) []any {
	var plans []string
	for _, p := range s.Plans {
		plans = append(plans, p.Plan)
	}
	return []any{
		s.ID.String(), s.Database, s.User, shownText(s.Text),
		int64(s.Calls), int64(s.Errors), int64(s.Rows), int64(s.Bytes),
		s.Total.Microseconds(), s.Mean().Microseconds(),
		s.Quantile(0.5).Microseconds(), s.Quantile(0.95).Microseconds(), s.Quantile(0.99).Microseconds(), s.Max.Microseconds(),
		s.Wait.Microseconds(), s.Backend.Microseconds(), s.Proxy.Microseconds(), s.FirstRow.Microseconds(), s.Stalled.Microseconds(),
		thousandths(s.CacheShare()), thousandths(s.RewriteShare()), int64(s.Slow),
		shownTime(s.First), shownTime(s.Last), strings.Join(plans, " "),
	}
}

// shownText is as much of a text as is shown.
func shownText(text string) string {
	text = strings.ToValidUTF8(text, "?")
	if len(text) > maxShownText {
		text = strings.ToValidUTF8(text[:maxShownText], "") + "..."
	}
	return text
}

func shownTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }

func thousandths(f float64) float64 { return float64(int64(f*1000+0.5)) / 1000 }

// showSlow has the latest slow statements, the newest first.
var showSlow = consoleCommand{
	words: "SHOW SLOW", tag: "SHOW", run: slowRows,
	columns: []wire.Column{
		textColumn("at"), textColumn("shape"), textColumn("database"), textColumn("user"), int8Column("session"),
		int8Column("total_us"), int8Column("wait_us"), int8Column("backend_us"), int8Column("first_row_us"), int8Column("stalled_us"),
		int8Column("rows"), int8Column("bytes"),
		textColumn("code"), textColumn("tags"), textColumn("statement"),
	},
}

func slowRows(call *consoleCall) (consoleAnswer, error) {
	var rows [][]any
	for _, s := range call.monitor.Statements().Slow() {
		var tags []string
		for _, tag := range s.Tags {
			tags = append(tags, tag.Name+"="+tag.Value)
		}
		rows = append(rows, []any{
			shownTime(s.At), s.Shape.String(), s.Database, s.User, int64(s.Session),
			s.Total.Microseconds(), s.Wait.Microseconds(), s.Backend.Microseconds(), s.FirstRow.Microseconds(), s.Stalled.Microseconds(),
			int64(s.Rows), int64(s.Bytes),
			s.Code, strings.Join(tags, " "), shownText(s.Text),
		})
	}
	return consoleAnswer{rows: rows}, nil
}
