package proxy

import (
	"slices"

	"github.com/pgjay/pgjay/proxy/wire"
)

// setSearchPath is the SELECT that tools begin with to be safe from what is in a
// search path.
var setSearchPath = consoleCommand{
	words: "SELECT", hidden: true, tag: "SELECT 1", arguments: searchPathCall,
	columns: []wire.Column{textColumn("set_config")},
	run:     func(*consoleCall) (consoleAnswer, error) { return consoleAnswer{rows: [][]any{{""}}}, nil },
}

var searchPathWords, _ = scanConsole("pg_catalog.set_config('search_path', '', false)")

func searchPathCall(words []consoleWord) ([]string, bool) {
	return nil, slices.Equal(words, searchPathWords[0]) || slices.Equal(words, searchPathWords[0][2:])
}
