package proxy

import (
	"context"

	"github.com/pgjay/pgjay/proxy/wire"
)

// consoleCommand is something that the console can be told to do. Each has a file of
// its own, apart from those that do nothing.
type consoleCommand struct {
	words string // how it begins
	takes string // what follows, as SHOW HELP and errors say it
	// hidden keeps it out of SHOW HELP.
	hidden bool
	// arguments reads what follows; nil: nothing may.
	arguments func([]consoleWord) (arguments []string, ok bool)
	columns   []wire.Column // of its rows; nil: it has none
	tag       string
	// status is the transaction status that it leads to; 0: what there was.
	status byte
	// run does it, in a goroutine; nil: there is nothing to do.
	run func(*consoleCall) (consoleAnswer, error)
}

// consoleCommands are the commands, in the order in which SHOW HELP has them.
type consoleCommands []*consoleCommand

var allConsoleCommands = consoleCommands{
	&showHelp, &showVersion,
	&showConfig, &showDatabases, &showPools, &showClients, &showServers, &showUsers,
	&showPeers, &showPeerPools, &showFDs, &showSockets, &showActiveSockets, &showLists, &showMem, &showState,
	&showDNSHosts, &showDNSZones, &showStats, &showStatsTotals, &showStatsAverages, &showTotals,
	&showPins, &showCache, &showCacheTotals, &showRewrites, &showOffsets, &explainRewrite, &resetRewrites,
	&showStatements, &showSlow, &showPlans, &showPlan, &showAdvice,
	&reload, &reconnect, &killClient, &killAll, &shutdown, &pause, &resume, &disable, &enable, &suspend, &waitClose,
	&purgeCache, &purgeCacheAll, &purgeCacheTable, &purgeCacheTag,
	// What drivers and tools say by themselves.
	showParameter("client_encoding", "UTF8"), showParameter("standard_conforming_strings", "on"), showParameter("datestyle", "ISO, MDY"),
	showParameter("timezone", "UTC"), showParameter("default_transaction_isolation", "read committed"),
	&setParameter,
	{words: "BEGIN", hidden: true, arguments: anyWords, tag: "BEGIN", status: wire.StatusTransaction},
	{words: "START TRANSACTION", hidden: true, arguments: anyWords, tag: "START TRANSACTION", status: wire.StatusTransaction},
	{words: "COMMIT", hidden: true, arguments: anyWords, tag: "COMMIT", status: wire.StatusIdle},
	{words: "ROLLBACK", hidden: true, arguments: anyWords, tag: "ROLLBACK", status: wire.StatusIdle},
	{words: "DISCARD ALL", hidden: true, tag: "DISCARD ALL"},
	&setSearchPath,
}

// consoleCall is a command that is to run. The function that runs it may use anything
// of shared, and nothing of the session.
type consoleCall struct {
	*shared
	ctx       context.Context // ends when its client does not wait any more
	commands  consoleCommands
	user      string
	arguments []string
	// end is endClients.
	end func(which func(*session) bool) int
}

// consoleAnswer is what comes of a command. A value is nil (NULL), or a string, int64,
// float64 or bool, as the type of its column.
type consoleAnswer struct {
	notice *wire.Error // nil: none
	rows   [][]any
}

// Types of columns.
const (
	oidBool    = 16
	oidBytea   = 17
	oidInt8    = 20
	oidInt4    = 23
	oidText    = 25
	oidFloat8  = 701
	oidNumeric = 1700
)

func textColumn(name string) wire.Column  { return wire.Column{Name: name, Type: oidText, Size: -1} }
func int8Column(name string) wire.Column  { return wire.Column{Name: name, Type: oidInt8, Size: 8} }
func floatColumn(name string) wire.Column { return wire.Column{Name: name, Type: oidFloat8, Size: 8} }
func boolColumn(name string) wire.Column  { return wire.Column{Name: name, Type: oidBool, Size: 1} }

// bouncerColumns makes the columns of a table of PgBouncer's. There is a letter for
// each as in its source: s and T text (T is a time), i int4, q int8, N numeric, b bytea.
func bouncerColumns(types string, names ...string) []wire.Column {
	columns := make([]wire.Column, len(names))
	for i, name := range names {
		switch types[i] {
		case 's', 'T':
			columns[i] = textColumn(name)
		case 'i':
			columns[i] = wire.Column{Name: name, Type: oidInt4, Size: 4}
		case 'q':
			columns[i] = int8Column(name)
		case 'b':
			columns[i] = wire.Column{Name: name, Type: oidBytea, Size: -1}
		case 'N':
			columns[i] = wire.Column{Name: name, Type: oidNumeric, Size: -1}
		}
	}
	return columns
}

// consoleNotice is something to be told besides the rows.
func consoleNotice(message, detail string) *wire.Error {
	return &wire.Error{Severity: "NOTICE", Code: "00000", Message: message, Detail: detail}
}
