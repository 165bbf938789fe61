package proxy

var showState = consoleCommand{
	words: "SHOW STATE", tag: "SHOW", columns: bouncerColumns("ss", "key", "value"),
	run: func(*consoleCall) (consoleAnswer, error) {
		return consoleAnswer{rows: [][]any{{"active", "yes"}, {"paused", "no"}, {"suspended", "no"}}}, nil
	},
}
