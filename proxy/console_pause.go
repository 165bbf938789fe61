package proxy

import (
	"errors"
	"fmt"

	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy/wire"
)

// PgBouncer's commands that hold a database back. A database that is paused or disabled
// stays so until the console says otherwise, or the process ends.
var (
	pause     = consoleCommand{words: "PAUSE", takes: "[database]", tag: "PAUSE", arguments: maybeName, run: pauseAndWait}
	resume    = consoleCommand{words: "RESUME", takes: "[database]", tag: "RESUME", arguments: maybeName, run: resumeDatabase}
	disable   = consoleCommand{words: "DISABLE", takes: "database", tag: "DISABLE", arguments: oneName, run: disableDatabase}
	enable    = consoleCommand{words: "ENABLE", takes: "database", tag: "ENABLE", arguments: oneName, run: enableDatabase}
	waitClose = consoleCommand{words: "WAIT_CLOSE", takes: "[database]", tag: "WAIT_CLOSE", arguments: maybeName, run: waitClosed}
	suspend   = consoleCommand{words: "SUSPEND", hidden: true, tag: "SUSPEND", arguments: anyWords, run: refuseSuspend}
)

// errPaused is said of what is paused, and of what cannot be done until it is resumed.
var errPaused = &wire.Error{Severity: "ERROR", Code: "55000", Message: "pgjay: already paused", Hint: "All databases are: RESUME ends that."}

// pauseAndWait pauses a database, or all, and waits until no backend is left. If that is
// cancelled, nothing is paused.
func pauseAndWait(call *consoleCall) (consoleAnswer, error) {
	database := call.arguments[0]
	notice, bad := call.pauseFor(database)
	if bad != nil {
		return consoleAnswer{}, bad
	}
	call.log.Info("paused from the console", "user", call.user, "database", database)
	err := call.pools.AwaitPaused(call.ctx, database)
	switch {
	case errors.Is(err, errCanceled):
		call.pools.Resume(database)
		call.log.Info("resumed, as PAUSE was cancelled", "user", call.user, "database", database)
	case errors.Is(err, pool.ErrResumed):
		err = &wire.Error{Severity: "ERROR", Code: "55000", Message: "pgjay: " + err.Error()}
	}
	return notice, err
}

// pauseFor pauses a database, or all. There is a notice if nobody has used it.
func (call *consoleCall) pauseFor(database string) (notice consoleAnswer, bad error) {
	if err := notTheConsole(database); err != nil {
		return notice, err
	}
	notice = call.unused(database)
	if !call.pools.Pause(database) {
		return consoleAnswer{}, errPaused
	}
	return notice, nil
}

func resumeDatabase(call *consoleCall) (consoleAnswer, error) {
	database := call.arguments[0]
	if !call.pools.Resume(database) {
		return consoleAnswer{}, notPaused(database, call.pools.Paused(""))
	}
	call.log.Info("resumed from the console", "user", call.user, "database", database)
	return consoleAnswer{}, nil
}

func notPaused(database string, all bool) error {
	e := &wire.Error{Severity: "ERROR", Code: "55000", Message: "pgjay: not paused", Hint: "RESUME with a name ends the pause of one database."}
	if database != "" {
		e.Message, e.Hint = fmt.Sprintf("pgjay: database %s is not paused", quoteStart(database)), ""
	}
	if all {
		e.Hint = "All databases are paused: RESUME without a name ends that."
	}
	return e
}

func disableDatabase(call *consoleCall) (consoleAnswer, error) { return call.disable(true) }

func enableDatabase(call *consoleCall) (consoleAnswer, error) { return call.disable(false) }

// disable says whether a database takes new clients. Those that it has stay.
func (call *consoleCall) disable(disabled bool) (consoleAnswer, error) {
	database := call.arguments[0]
	if err := notTheConsole(database); err != nil {
		return consoleAnswer{}, err
	}
	notice := call.unused(database)
	call.pools.Disable(database, disabled)
	call.log.Info("a database was disabled or enabled from the console", "user", call.user, "database", database, "disabled", disabled)
	return notice, nil
}

// waitClosed waits until the backends are closed that RECONNECT or RELOAD has replaced.
func waitClosed(call *consoleCall) (consoleAnswer, error) {
	database := call.arguments[0]
	if err := notTheConsole(database); err != nil {
		return consoleAnswer{}, err
	}
	return call.unused(database), call.pools.AwaitClosed(call.ctx, database)
}

// refuseSuspend says what to do instead: SUSPEND is for PgBouncer's way to hand its
// sockets to another process.
func refuseSuspend(*consoleCall) (consoleAnswer, error) {
	return consoleAnswer{}, errUnsupported("SUSPEND", "No socket is handed to another process. PAUSE holds statements back; SHUTDOWN lets clients finish.")
}

// notTheConsole refuses the console, which is no database of a server's.
func notTheConsole(database string) error {
	if database != consoleDatabase {
		return nil
	}
	return &wire.Error{Severity: "ERROR", Code: "42501", Message: "pgjay: this cannot be done to the console"}
}

// unused says that nobody has used a database: its name may be wrong.
func (call *consoleCall) unused(database string) consoleAnswer {
	if database == "" {
		return consoleAnswer{}
	}
	for _, d := range call.pools.Databases() {
		if d.Name == database {
			return consoleAnswer{}
		}
	}
	return consoleAnswer{notice: consoleNotice(fmt.Sprintf("pgjay: nobody has used database %s yet", quoteStart(database)), "")}
}

// notAccepting is what a client of a disabled database is told, as PostgreSQL says it
// of one that does not allow connections.
func notAccepting(database string) *wire.Error {
	return &wire.Error{
		Severity: "FATAL", Code: "55000", Message: fmt.Sprintf("database \"%s\" is not currently accepting connections", database),
		Hint: "It was disabled from pgjay's console; ENABLE ends that.",
	}
}
