package proxy

import (
	"fmt"
	"strconv"

	"github.com/pgjay/pgjay/monitor/explain"
	"github.com/pgjay/pgjay/proxy/wire"
)

// showPlans has the slow statements that were explained, the latest first.
var showPlans = consoleCommand{
	words: "SHOW PLANS", tag: "SHOW", run: planRows,
	columns: []wire.Column{
		int8Column("plan"), textColumn("at"), textColumn("shape"), textColumn("database"), textColumn("user"),
		int8Column("observed_us"), boolColumn("analyzed"), textColumn("reason"), textColumn("fingerprint"), boolColumn("flipped"),
		floatColumn("cost"), floatColumn("planning_ms"), floatColumn("execution_ms"), int8Column("findings"), textColumn("first_finding"),
		textColumn("source"), textColumn("statement"),
	},
}

func planRows(call *consoleCall) (consoleAnswer, error) {
	var rows [][]any
	for _, r := range call.monitor.Explainer().Results() {
		rows = append(rows, planRow(r))
	}
	return consoleAnswer{rows: rows}, nil
}

func planRow(r *explain.Result) []any {
	row := []any{
		int64(r.Number), shownTime(r.At), r.Shape.String(), r.Database, r.User, r.Observed.Microseconds(),
		false, r.Reason, nil, r.Flipped, nil, nil, nil, int64(len(r.Findings)), nil, r.Source(), shownText(r.Text),
	}
	if p := r.Plan; p != nil {
		row[6], row[8], row[10] = p.Analyzed, p.ID, p.Root.TotalCost
		if p.Analyzed {
			row[11], row[12] = p.Planning, p.Execution
		}
	}
	if len(r.Findings) > 0 {
		row[14] = r.Findings[0].Check + ": " + r.Findings[0].Message
	}
	return row
}

// showPlan has one of them: a row for each step, and for each finding where it is.
var showPlan = consoleCommand{
	words: "SHOW PLAN", takes: "number", tag: "SHOW", arguments: oneNumber, run: planLines,
	columns: []wire.Column{textColumn("QUERY PLAN")},
}

// oneNumber reads a number.
func oneNumber(words []consoleWord) (arguments []string, ok bool) {
	if len(words) != 1 || words[0].kind != consoleName {
		return nil, false
	}
	_, err := strconv.ParseUint(words[0].text, 10, 64)
	return []string{words[0].text}, err == nil
}

func planLines(call *consoleCall) (consoleAnswer, error) {
	number, _ := strconv.ParseUint(call.arguments[0], 10, 64) // oneNumber has looked at it
	r, ok := call.monitor.Explainer().Result(number)
	if !ok {
		return consoleAnswer{}, &wire.Error{Severity: "ERROR", Code: "42704", Message: fmt.Sprintf("there is no plan %d any more", number)}
	}
	var rows [][]any
	for _, line := range r.Lines() {
		rows = append(rows, []any{line})
	}
	return consoleAnswer{rows: rows}, nil
}
