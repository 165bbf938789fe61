package proxy

import (
	"fmt"
	"strconv"
	"time"

	"github.com/pgjay/pgjay/proxy/reactor"
	"github.com/pgjay/pgjay/proxy/wire"
)

// Control is what the console may tell the program to do. A nil function is refused.
type Control struct {
	Reload   func() error // reads the configuration again; the error says why nothing has changed
	Shutdown func()       // begins to end as SIGTERM does
}

// SetControl says what the console may do with the program.
func (srv *Server) SetControl(c Control) { srv.control.Store(&c) }

var (
	reload     = consoleCommand{words: "RELOAD", tag: "RELOAD", run: reloadConfig}
	shutdown   = consoleCommand{words: "SHUTDOWN", tag: "SHUTDOWN", run: shutDown}
	reconnect  = consoleCommand{words: "RECONNECT", takes: "[database]", tag: "RECONNECT", arguments: maybeName, run: reconnectBackends}
	killClient = consoleCommand{words: "KILL_CLIENT", takes: "id", tag: "KILL_CLIENT", arguments: oneName, run: killOne}
	killAll    = consoleCommand{words: "KILL", takes: "[database]", tag: "KILL", arguments: maybeName, run: killMany}
)

// maybeName takes a name, or nothing: then it is "".
func maybeName(words []consoleWord) ([]string, bool) {
	if len(words) == 0 {
		return []string{""}, true
	}
	return oneName(words)
}

func reloadConfig(call *consoleCall) (consoleAnswer, error) {
	c := call.control.Load()
	if c == nil || c.Reload == nil {
		return consoleAnswer{}, errUnsupported("RELOAD here", "Nothing was read from a file.")
	}
	call.log.Info("reload from the console", "user", call.user)
	if err := c.Reload(); err != nil {
		return consoleAnswer{}, &wire.Error{
			Severity: "ERROR", Code: "F0000", Message: "pgjay: the configuration was not reloaded: nothing has changed", Detail: err.Error(),
		}
	}
	return consoleAnswer{}, nil
}

func shutDown(call *consoleCall) (consoleAnswer, error) {
	c := call.control.Load()
	if c == nil || c.Shutdown == nil {
		return consoleAnswer{}, errUnsupported("SHUTDOWN here", "Send SIGTERM to the process.")
	}
	call.log.Info("shutdown from the console", "user", call.user)
	c.Shutdown()
	return consoleAnswer{}, nil
}

// reconnectBackends has backends replaced as they come free.
func reconnectBackends(call *consoleCall) (consoleAnswer, error) {
	database := call.arguments[0]
	if n := call.pools.Reconnect(database); n == 0 && database != "" {
		return consoleAnswer{}, noSuchDatabase(database)
	}
	call.log.Info("reconnect from the console", "user", call.user, "database", database)
	return consoleAnswer{}, nil
}

func noSuchDatabase(name string) *wire.Error {
	return &wire.Error{Severity: "ERROR", Code: "3D000", Message: fmt.Sprintf("pgjay: nobody has used database \"%s\"", name), Hint: "SHOW DATABASES lists them."}
}

func killOne(call *consoleCall) (consoleAnswer, error) {
	id, err := strconv.ParseUint(call.arguments[0], 10, 32)
	n := 0
	if err == nil {
		n = call.end(func(s *session) bool { return s.id == uint32(id) })
	}
	if n == 0 {
		return consoleAnswer{}, &wire.Error{Severity: "ERROR", Code: "42704", Message: fmt.Sprintf("pgjay: there is no client %s", quoteStart(call.arguments[0])),
			Hint: "SHOW CLIENTS has their numbers in column id."}
	}
	call.log.Info("client ended from the console", "user", call.user, "session", id)
	return consoleAnswer{}, nil
}

// killMany pauses a database, or all, and ends its clients: those that come then wait
// until it is resumed. The console's stay.
func killMany(call *consoleCall) (consoleAnswer, error) {
	database := call.arguments[0]
	notice, bad := call.pauseFor(database)
	if bad != nil {
		return consoleAnswer{}, bad
	}
	n := call.end(func(s *session) bool {
		return s.console == nil && (database == "" || s.key().Database == database)
	})
	call.log.Info("clients ended from the console", "user", call.user, "database", database, "clients", n)
	return notice, nil
}

// endClients ends the clients that are logged in and that which is true of, and
// returns how many. It looks twice: one that changes loops at that moment may be on
// neither of them.
func (sh *shared) endClients(which func(*session) bool) int {
	n := sh.endOnce(which)
	return n + sh.endOnce(which)
}

func (sh *shared) endOnce(which func(*session) bool) (n int) {
	answers := make(chan int, len(sh.stations))
	for _, st := range sh.stations {
		st.loop.Post(reactor.Func(func() { answers <- st.endOwn(which) }))
	}
	patience := time.After(surveyPatience)
	for range sh.stations {
		select {
		case some := <-answers:
			n += some
		case <-patience:
			return n
		}
	}
	return n
}

// endOwn is endClients for those of one loop.
func (st *station) endOwn(which func(*session) bool) (n int) {
	for s := range st.sessions {
		if s.present() && which(s) {
			n++
			s.killed()
		}
	}
	return n
}

// killed ends the session as pg_terminate_backend does.
func (s *session) killed() {
	defer s.endEvent()
	s.failAs(errKilled, closedByKill)
}
