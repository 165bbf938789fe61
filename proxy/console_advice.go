package proxy

import "github.com/pgjay/pgjay/proxy/wire"

// showAdvice has what there is to be done, what saves most first.
var showAdvice = consoleCommand{
	words: "SHOW ADVICE", tag: "SHOW", run: adviceRows,
	columns: []wire.Column{
		textColumn("kind"), textColumn("state"), textColumn("database"), textColumn("user"), textColumn("shape"), textColumn("table"),
		textColumn("extension"), textColumn("ddl"), textColumn("why"), textColumn("cost"), floatColumn("cost_before"), floatColumn("cost_after"),
		int8Column("saved_us_per_hour"), int8Column("before_us"), int8Column("after_us"), int8Column("seen"),
		textColumn("first_seen"), textColumn("last_seen"), textColumn("statement"),
	},
}

func adviceRows(call *consoleCall) (consoleAnswer, error) {
	var rows [][]any
	for _, a := range call.monitor.Advice() {
		rows = append(rows, []any{
			string(a.Kind), string(a.State), a.Database, a.User, a.Statement, a.Table,
			a.Extension, a.DDL, a.Why, a.Cost, a.CostBefore, a.CostAfter,
			a.Saved.Microseconds(), a.Before.Microseconds(), a.After.Microseconds(), int64(a.Seen),
			shownTime(a.First), shownTime(a.Last), shownText(a.Text),
		})
	}
	return consoleAnswer{rows: rows}, nil
}
