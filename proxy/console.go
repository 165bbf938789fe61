package proxy

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/pgjay/pgjay/proxy/wire"
)

// The console is a database that the proxy plays itself, to be asked and told things
// with psql and any driver. A session in it has no pool and never a backend. Its
// commands run one at a time, each in a goroutine: they look at what all loops share.

// consoleDatabase is the name of the console. No other database of this name can be
// reached.
const consoleDatabase = "pgjay"

// consoleVersion is the server_version that clients are told: one of PostgreSQL, as
// they conclude from it what they may ask, and so old that none expects much.
const consoleVersion = "10.0/pgjay"

// maxConsoleFrame bounds a message in bytes. What is longer is refused, and dropped.
const maxConsoleFrame = 8 << 10

// console is a session's part in the console.
type console struct {
	status     byte // of the transaction that the client thinks it is in
	user       string
	statements map[string]*consolePrepared
	portals    map[string]*consolePortal
	// todo are the commands of a Query that are still to run.
	todo []consoleStatement
	busy bool // a command is running
	// interrupt ends the command that is running, if it waits for something.
	interrupt context.CancelCauseFunc
	// unsynced is set when extended messages were sent since the last Sync.
	unsynced bool
}

// consoleStatement is a command with its arguments.
type consoleStatement struct {
	command   *consoleCommand // nil: there is nothing in the text
	arguments []string
}

// openConsole greets a client of the console, if it may be there.
func (s *session) openConsole() {
	l := s.login
	settings := s.settings()
	if !settings.admits(l.user) {
		s.fail(&wire.Error{
			Code: "28000", Message: fmt.Sprintf("pgjay: user \"%s\" may not use the console", l.user),
			Hint: "Add the user to auth.admins in pgjay's configuration. \"" + consoleDatabase + "\" is the console's name; no other database can have it.",
		})
		return
	}
	s.console = &console{
		status: wire.StatusIdle, user: l.user,
		statements: make(map[string]*consolePrepared), portals: make(map[string]*consolePortal),
	}
	s.cancels.add(s, s.pidTold, 4)
	s.toClient(s.consoleGreeting())
	s.setState(stateConsole)
	s.recordConsole()
	s.clock.clear(timeoutLogin)
	s.clock.set(s, timeoutClientIdle, settings.timeouts.ClientIdle)
	if s.draining {
		s.failAs(errShutdown, closedByShutdown)
		return
	}
	s.proceed()
}

// consoleGreeting is what ends start-up.
func (s *session) consoleGreeting() []byte {
	out := s.scratch[:0]
	for _, p := range [...]wire.Param{
		{Name: "server_version", Value: consoleVersion}, {Name: "server_encoding", Value: "UTF8"}, {Name: "client_encoding", Value: "UTF8"},
		{Name: "DateStyle", Value: "ISO, MDY"}, {Name: "IntervalStyle", Value: "postgres"}, {Name: "TimeZone", Value: "UTC"},
		{Name: "integer_datetimes", Value: "on"}, {Name: "standard_conforming_strings", Value: "on"}, {Name: "is_superuser", Value: "off"},
		{Name: "session_authorization", Value: s.console.user},
	} {
		out = wire.AppendParameterStatus(out, p.Name, p.Value)
	}
	out = wire.AppendBackendKeyData(out, s.who.pid, []byte(s.who.secret))
	return wire.AppendReadyForQuery(out, s.console.status)
}

// admits reports whether a user who has logged in may use the console.
func (st *settings) admits(user string) bool {
	if len(st.auth.Admins) == 0 {
		return st.local && st.auth.Method == AuthTrust
	}
	return slices.Contains(st.auth.Admins, user)
}

// recordConsole ends the login.
func (s *session) recordConsole() {
	s.recorder.ClientCame()
	s.logins.remove(s.login.address)
	s.log.Debug("client logged in to the console", "session", s.id, "user", s.login.user, "client", s.login.address)
	s.login = nil
}

// consoleFrame handles the frame that p begins with, if it is there, and returns how
// many bytes of p it took. A client that does not read its answers gets no others.
func (s *session) consoleFrame(p []byte) int {
	n, ok := wire.FrameLen(p)
	if !ok || s.client.paused&pausedClient != 0 {
		return 0
	}
	if n < 0 || !wire.IsFrontend(p[0]) || p[0] == wire.Password {
		s.fail(badFrontendFrame(p[0], n < 0))
		return 0
	}
	have := min(n, len(p))
	if have < min(n, maxConsoleFrame) {
		return 0
	}
	s.client.rest, s.client.restDropped = n-have, true
	s.clock.set(s, timeoutClientIdle, s.settings().timeouts.ClientIdle)
	var bad *wire.Error
	if n > maxConsoleFrame {
		bad = &wire.Error{Code: "54000", Message: fmt.Sprintf("pgjay: the console takes messages of up to %d bytes", maxConsoleFrame)}
	}
	s.consoleMessage(p[0], p[wire.HeaderLen:have], bad)
	return have
}

// consoleMessage handles one message. bad is what is wrong with it already.
func (s *session) consoleMessage(typ byte, body []byte, bad *wire.Error) {
	switch {
	case typ == wire.Terminate:
		s.leave(closedByTerminate)
	case typ == wire.CopyData, typ == wire.CopyDone, typ == wire.CopyFail: // PostgreSQL ignores them, too
	case typ == wire.Sync:
		s.client.skipping = false
		if bad == nil && len(body) > 0 {
			bad = badConsoleMessage
		}
		s.endConsoleExchange(bad)
	case s.client.skipping:
	case typ == wire.Query:
		s.consoleQuery(body, bad)
	case typ == wire.FunctionCall:
		s.endConsoleExchange(&wire.Error{Code: "0A000", Message: "pgjay: the console has no functions"})
	default:
		s.console.unsynced = true
		if bad == nil {
			bad = s.consoleExtended(typ, body)
		}
		if bad != nil {
			s.consoleError(bad)
			s.client.skipping = true
		}
	}
}

// badConsoleMessage is said of a message that is not as the protocol has it.
var badConsoleMessage = &wire.Error{Code: "08P01", Message: "invalid message format"}

// consoleQuery begins with the commands of a Query.
func (s *session) consoleQuery(body []byte, bad *wire.Error) {
	c := s.console
	delete(c.statements, "")
	delete(c.portals, "")
	text, rest, ok := wire.CString(body)
	if bad == nil && (!ok || len(rest) > 0) {
		bad = badConsoleMessage
	}
	if bad == nil {
		c.todo, bad = allConsoleCommands.parse(string(text))
	}
	if bad != nil {
		s.endConsoleExchange(bad)
		return
	}
	if len(c.todo) == 0 {
		s.toClient(wire.AppendEmpty(s.scratch[:0], wire.EmptyQueryResponse))
	}
	s.nextConsoleCommand()
}

// nextConsoleCommand goes on with a Query.
func (s *session) nextConsoleCommand() {
	c := s.console
	if len(c.todo) == 0 {
		s.endConsoleExchange(nil)
		return
	}
	st := c.todo[0]
	c.todo = c.todo[1:]
	s.runConsole(st, func(a consoleAnswer, bad *wire.Error) {
		if bad != nil {
			s.endConsoleExchange(bad)
			return
		}
		var out []byte
		if st.command.columns != nil {
			out = wire.AppendRowDescription(out, st.command.columns)
		}
		for _, row := range a.rows {
			out = appendConsoleRow(out, st.command.columns, row)
		}
		s.toClient(wire.AppendCommandComplete(out, s.completed(st.command)))
		s.nextConsoleCommand()
	})
}

// runConsole has a command run, and calls then with what came of it, at once or later.
// Meanwhile the client is not read.
func (s *session) runConsole(st consoleStatement, then func(consoleAnswer, *wire.Error)) {
	c := s.console
	if bad := c.aborted(st.command); bad != nil || st.command.run == nil {
		then(consoleAnswer{}, bad)
		return
	}
	ctx, interrupt := context.WithCancelCause(context.Background())
	call := &consoleCall{s.shared, ctx, allConsoleCommands, c.user, st.arguments, s.shared.endClients}
	c.busy, c.interrupt = true, interrupt
	s.pauseClient(pausedWaiting)
	s.clock.clear(timeoutClientIdle)
	s.work(func() {
		var a consoleAnswer
		err := s.elsewhere(func() (err error) {
			a, err = st.command.run(call)
			return err
		})
		interrupt(nil)
		s.post(func() { s.consoleRan(a, err, then) })
	})
}

// consoleRan continues when a command has run.
func (s *session) consoleRan(a consoleAnswer, err error, then func(consoleAnswer, *wire.Error)) {
	if s.gone {
		return
	}
	s.console.busy = false
	s.clock.set(s, timeoutClientIdle, s.settings().timeouts.ClientIdle)
	if a.notice != nil {
		s.toClient(a.notice.AppendNotice(s.scratch[:0]))
	}
	var bad *wire.Error
	switch {
	case err == nil:
	case errors.Is(err, errPanic):
		s.failAs(errPanic, closedByPanic)
		return
	case !errors.As(err, &bad):
		bad = &wire.Error{Code: "XX000", Message: "pgjay: " + err.Error()}
	}
	then(a, bad)
	if !s.console.busy {
		s.proceed()
	}
}

// aborted refuses a command in a transaction that has failed, unless it ends that.
func (c *console) aborted(command *consoleCommand) *wire.Error {
	if c.status != wire.StatusError || command.status == wire.StatusIdle {
		return nil
	}
	return &wire.Error{Code: "25P02", Message: "current transaction is aborted, commands ignored until end of transaction block"}
}

// completed notes that a command was carried out, and returns its tag.
func (s *session) completed(command *consoleCommand) string {
	c := s.console
	failed := c.status == wire.StatusError
	if command.status != 0 {
		c.status = command.status
	}
	if failed {
		return "ROLLBACK"
	}
	return command.tag
}

// consoleError tells the client what is wrong.
func (s *session) consoleError(bad *wire.Error) {
	e := *bad
	e.Severity = "ERROR"
	s.toClient(e.Append(s.scratch[:0]))
	s.console.todo = nil
	if s.console.status == wire.StatusTransaction {
		s.console.status = wire.StatusError
	}
}

// endConsoleExchange ends an exchange, with an error if bad is one. A proxy that shuts
// down waits for nothing more.
func (s *session) endConsoleExchange(bad *wire.Error) {
	if bad != nil {
		s.consoleError(bad)
	}
	c := s.console
	c.unsynced = false
	if c.status == wire.StatusIdle {
		clear(c.portals)
	}
	s.toClient(wire.AppendReadyForQuery(s.scratch[:0], c.status))
	if s.draining {
		s.failAs(errShutdown, closedByShutdown)
	}
}

// interruptConsole ends a command that waits for something.
func (s *session) interruptConsole(why error) {
	if s.console != nil && s.console.busy {
		s.console.interrupt(why)
	}
}

// resting reports whether the client waits for nothing.
func (c *console) resting() bool { return c != nil && !c.busy && !c.unsynced }
