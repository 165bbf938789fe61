package proxy

import (
	"slices"
	"strings"

	"github.com/pgjay/pgjay/proxy/wire"
)

// showOffsets has the statements with OFFSET that were looked at, and whether their
// pages are got from bookmarks.
var showOffsets = consoleCommand{
	words: "SHOW OFFSETS", tag: "SHOW", run: offsetLines,
	columns: []wire.Column{textColumn("statement"), textColumn("database"), textColumn("bookmarks"), textColumn("index"), textColumn("reason")},
}

func offsetLines(call *consoleCall) (consoleAnswer, error) {
	var rows [][]any
	for _, db := range call.databases.all() {
		for name, f := range db.paged() {
			rows = append(rows, []any{shortText(name), db.name, yesNo(f.deep != nil), yesNo(f.visible), strings.ToValidUTF8(f.why+f.shallow, "?")})
		}
	}
	slices.SortFunc(rows, func(a, b []any) int { return strings.Compare(a[0].(string), b[0].(string)) })
	return consoleAnswer{rows: rows}, nil
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

// shortText is a text as it is shown.
func shortText(text string) string {
	text = strings.ToValidUTF8(text, "?")
	if len(text) > maxShownText {
		return strings.ToValidUTF8(text[:maxShownText], "") + "..."
	}
	return text
}

// paged returns what was found out about statements that may have a deep OFFSET.
func (db *database) paged() map[string]*findings {
	db.mu.Lock()
	defer db.mu.Unlock()
	found := make(map[string]*findings)
	for _, v := range db.verdicts {
		if f := v.findings.Load(); f != nil && (f.deep != nil || f.shallow != "") {
			found[v.shape.Name()] = f
		}
	}
	return found
}
