package proxy

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/pgjay/pgjay/cache"
	"github.com/pgjay/pgjay/proxy/wire"
)

// showCache has a row for each normalised text: statements that differ in literals,
// users or databases are counted together.
var showCache = consoleCommand{
	words: "SHOW CACHE", tag: "SHOW", run: ifCached(cachedShapes),
	columns: []wire.Column{
		textColumn("statement"), int8Column("hits"), int8Column("misses"), floatColumn("hit_ratio"),
		int8Column("entries"), int8Column("bytes"), int8Column("saved_us"), boolColumn("off"), textColumn("why"),
		textColumn("fingerprint"),
	},
}

// cacheLine is a row of SHOW CACHE.
type cacheLine struct {
	name string
	cache.Counts
	off bool   // for some of the statements, as it costs more than it saves
	why string // some of them are not cached
}

func cachedShapes(call *consoleCall) (consoleAnswer, error) {
	lines := cacheLines(call.databases.cache.Shapes())
	var rows [][]any
	for i := range lines {
		rows = append(rows, lines[i].row())
	}
	return consoleAnswer{rows: rows}, nil
}

// cacheLines sums up by text, with what has saved most at the top.
func cacheLines(shapes []cache.ShapeStat) []*cacheLine {
	byName := make(map[string]*cacheLine)
	var lines []*cacheLine
	for i := range shapes {
		st := &shapes[i]
		line := byName[st.Name]
		if line == nil {
			line = &cacheLine{name: st.Name}
			byName[st.Name], lines = line, append(lines, line)
		}
		line.add(st)
	}
	slices.SortStableFunc(lines, func(a, b *cacheLine) int {
		return cmp.Or(cmp.Compare(b.SavedNS, a.SavedNS), cmp.Compare(b.Misses(), a.Misses()), cmp.Compare(a.name, b.name))
	})
	return lines
}

func (l *cacheLine) add(st *cache.ShapeStat) {
	for i, n := range st.Outcomes {
		l.Outcomes[i] += n
	}
	for i, n := range st.Refused {
		l.Refused[i] += n
	}
	l.SavedNS += st.SavedNS
	l.Entries += st.Entries
	l.Bytes += st.Bytes
	l.off = l.off || st.Off
	l.why = cmp.Or(l.why, st.Why)
}

// maxShownText is how much of a text is shown, in bytes.
const maxShownText = 2000

func (l *cacheLine) row() []any {
	var ratio any
	if asked := l.Hits() + l.Misses(); asked > 0 {
		ratio = float64(l.Hits()*1000/asked) / 1000
	}
	name := strings.ToValidUTF8(l.name, "?")
	if len(name) > maxShownText {
		name = strings.ToValidUTF8(name[:maxShownText], "") + "..."
	}
	var why any
	if sentence := l.whyNot(); sentence != "" {
		why = strings.ToValidUTF8(sentence, "?")
	}
	return []any{name, l.Hits(), l.Misses(), ratio, l.Entries, l.Bytes, l.SavedNS / int64(time.Microsecond), l.off, why, cache.Fingerprint(l.name)}
}

// whyNot says why statements are not cached: the sentence about them, or else, while
// nothing is remembered, what has happened most often.
func (l *cacheLine) whyNot() string {
	switch {
	case l.why != "":
		return l.why
	case l.off:
		return refusals[cache.RefusedCost]
	case l.Entries > 0:
		return ""
	}
	most := cache.NoReason
	for r, n := range l.Refused {
		if n > l.Refused[most] {
			most = cache.Reason(r)
		}
	}
	return refusals[most]
}

// refusals are the reasons in sentences.
var refusals = map[cache.Reason]string{
	cache.DroppedMoved:     "what it reads was changed while it was executed",
	cache.DroppedLarge:     "its answer is longer than max_entry",
	cache.DroppedExpired:   "its answer was too old when it came",
	cache.DroppedFull:      "the cache could not take it at the moment",
	cache.RefusedStatement: "a literal or parameter in it may name the time",
	cache.RefusedInFlight:  "a change of what it reads was on its way",
	cache.RefusedReply:     "its reply had a notice or an error, or was cut off",
	cache.RefusedRule:      "a rule says never",
	cache.RefusedHint:      "a hint says nocache",
	cache.RefusedCost:      "caching it costs more than it saves",
	cache.RefusedWrites:    "a table that it reads is written too often",
}
