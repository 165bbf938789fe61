package proxy

import (
	"time"

	"github.com/pgjay/pgjay/cache"
	"github.com/pgjay/pgjay/proxy/wire"
)

// showCacheTotals has the counters of the whole cache, since the start.
var showCacheTotals = consoleCommand{
	words: "SHOW CACHE TOTALS", tag: "SHOW", run: ifCached(cacheTotals),
	columns: []wire.Column{textColumn("name"), int8Column("value")},
}

func cacheTotals(call *consoleCall) (consoleAnswer, error) {
	st := call.databases.cache.Stat()
	rows := [][]any{
		{"entries", st.Entries}, {"bytes", st.Bytes}, {"evicted", st.Evicted},
		{"hits", st.Hits()}, {"misses", st.Misses()}, {"saved_us", st.SavedNS / int64(time.Microsecond)},
		{"compressed_from", st.PackedIn}, {"compressed_to", st.PackedOut},
		{"verified", st.Verified}, {"mismatches", st.Mismatches},
	}
	for o, n := range st.Outcomes {
		rows = append(rows, []any{"outcome_" + cache.Outcome(o).String(), n})
	}
	for r, n := range st.Refused {
		if reason := cache.Reason(r); reason != cache.NoReason {
			rows = append(rows, []any{"refused_" + reason.String(), n})
		}
	}
	for r, n := range st.Warmed {
		rows = append(rows, []any{"warmed_" + cache.WarmResult(r).String(), n})
	}
	for b, n := range st.Bypassed {
		if why := cache.Bypass(b); why != cache.NoBypass {
			rows = append(rows, []any{"bypassed_" + why.String(), n})
		}
	}
	return consoleAnswer{rows: rows}, nil
}
