package proxy

import (
	"github.com/pgjay/pgjay/proxy/wire"
)

// showPins says which clients keep their backend beyond the transaction, and why. The
// statement is the one that was blamed first, without its literals.
var showPins = consoleCommand{
	words: "SHOW PINS", tag: "SHOW", run: pinRows,
	columns: []wire.Column{
		int8Column("id"), textColumn("user"), textColumn("database"), textColumn("application_name"),
		textColumn("reason"), floatColumn("seconds"), int8Column("remote_pid"), textColumn("statement"),
	},
}

func pinRows(call *consoleCall) (consoleAnswer, error) {
	clients, err := call.Clients()
	if err != nil {
		return consoleAnswer{}, err
	}
	var rows [][]any
	for i := range clients {
		c := &clients[i]
		if c.Pin.Reason == "" {
			continue
		}
		var statement any
		if c.Pin.Statement != "" {
			statement = shown(c.Pin.Statement)
		}
		rows = append(rows, []any{
			int64(c.ID), shown(c.Key.User), shown(c.Key.Database), shown(c.Application),
			c.Pin.Reason, c.Pin.Held.Seconds(), int64(c.Backend), statement,
		})
	}
	return consoleAnswer{rows: rows}, nil
}
