package proxy

import "github.com/pgjay/pgjay/proxy/wire"

var showVersion = consoleCommand{
	words: "SHOW VERSION", tag: "SHOW", run: showTheVersion,
	columns: []wire.Column{textColumn("version")},
}

func showTheVersion(call *consoleCall) (consoleAnswer, error) {
	return consoleAnswer{rows: [][]any{{"PgJay " + call.monitor.Version()}}}, nil
}
