package proxy

var showState = consoleCommand{
	words: "SHOW STATE", tag: "SHOW", columns: bouncerColumns("ss", "key", "value"),
	run: func(call *consoleCall) (consoleAnswer, error) {
		active, paused := "yes", "no"
		if call.pools.Paused("") {
			active, paused = paused, active
		}
		return consoleAnswer{rows: [][]any{{"active", active}, {"paused", paused}, {"suspended", "no"}}}, nil
	},
}
