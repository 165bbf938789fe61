package proxy

// PgBouncer's commands that PgJay does not have, with what to do instead.
var (
	pause     = refusedCommand("PAUSE", "RECONNECT replaces the backends; while the server restarts, clients wait for pool.acquire_timeout.")
	resume    = refusedCommand("RESUME", "Nothing is ever paused.")
	disable   = refusedCommand("DISABLE", "KILL ends a database's clients; auth.users says who may come back.")
	enable    = refusedCommand("ENABLE", "Nothing is ever disabled.")
	suspend   = refusedCommand("SUSPEND", "Nothing is handed to another process.")
	waitClose = refusedCommand("WAIT_CLOSE", "SHOW SERVERS has close_needed for those that are to be replaced.")
)

// refusedCommand is a command that says that it is none.
func refusedCommand(words, hint string) consoleCommand {
	return consoleCommand{
		words: words, hidden: true, tag: words, arguments: anyWords,
		run: func(*consoleCall) (consoleAnswer, error) { return consoleAnswer{}, errUnsupported(words, hint) },
	}
}
