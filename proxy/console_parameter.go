package proxy

import "github.com/pgjay/pgjay/proxy/wire"

// showParameter makes the SHOW of a setting that drivers ask about.
func showParameter(name, value string) *consoleCommand {
	return &consoleCommand{
		words: "SHOW " + name, hidden: true, tag: "SHOW", columns: []wire.Column{textColumn(name)},
		run: func(*consoleCall) (consoleAnswer, error) { return consoleAnswer{rows: [][]any{{value}}}, nil },
	}
}
