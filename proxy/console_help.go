package proxy

import "strings"

// showHelp answers as PgBouncer does: with a notice.
var showHelp = consoleCommand{words: "SHOW HELP", tag: "SHOW", run: help}

func help(call *consoleCall) (consoleAnswer, error) {
	var lines strings.Builder
	for _, c := range call.commands {
		if !c.hidden {
			lines.WriteString("\n\t" + strings.TrimSpace(c.words+" "+c.takes))
		}
	}
	return consoleAnswer{notice: consoleNotice("Console usage", lines.String())}, nil
}
