package proxy

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/pgjay/pgjay/proxy/wire"
	"github.com/pgjay/pgjay/rewrite"
)

// showRewrites has a row for each rule and each shape of statements that it applies to,
// by user and database; with what has saved most at the top.
var showRewrites = consoleCommand{
	words: "SHOW REWRITES", tag: "SHOW", run: rewriteLines,
	columns: []wire.Column{
		textColumn("rule"), textColumn("statement"), textColumn("database"), textColumn("user"), textColumn("state"),
		int8Column("used"), int8Column("saved_us"), int8Column("original_us"), int8Column("rewritten_us"), floatColumn("cost_ratio"),
		textColumn("reason"), textColumn("becomes"),
	},
}

func rewriteLines(call *consoleCall) (consoleAnswer, error) {
	var rows [][]any
	for _, st := range call.databases.rewrites() {
		rows = append(rows, []any{
			st.Rule, shownText(st.Shape), st.Database, st.User, st.State.String(), int64(st.Used), st.SavedNS / int64(time.Microsecond),
			known(st.WasNS / int64(time.Microsecond)), known(st.IsNS / int64(time.Microsecond)), ratio(st.Ratio), strings.ToValidUTF8(st.Why, "?"),
			orNull(shownText(st.Form)),
		})
	}
	return consoleAnswer{rows: rows}, nil
}

func known(n int64) any {
	if n == 0 {
		return nil
	}
	return n
}

func ratio(r float64) any {
	if r == 0 {
		return nil
	}
	return r
}

// rewrites returns what each rule does to each shape.
func (all *databases) rewrites() (stats []rewrite.Stat) {
	for _, db := range all.all() {
		for _, shape := range db.shapes() {
			stats = append(stats, shape.Stats()...)
		}
	}
	slices.SortStableFunc(stats, func(a, b rewrite.Stat) int {
		return cmp.Or(cmp.Compare(b.SavedNS, a.SavedNS), cmp.Compare(b.Used, a.Used), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Shape, b.Shape))
	})
	return stats
}

// Rewrites returns what each rule does to each shape of statements.
func (srv *Server) Rewrites() []rewrite.Stat { return srv.databases.rewrites() }

// resetRewrites lets rules that have tripped begin again, in the shadow or on trial.
var resetRewrites = consoleCommand{words: "RESET REWRITES", tag: "RESET", run: func(call *consoleCall) (consoleAnswer, error) {
	for _, db := range call.databases.all() {
		for _, shape := range db.shapes() {
			shape.Reset()
		}
	}
	call.log.Info("rewrites that had tripped were reset", "user", call.user)
	return consoleAnswer{}, nil
}}
