package proxy

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/pgjay/pgjay/monitor"
	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy/reactor"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// ClientStat is a snapshot of one client that is logged in.
type ClientStat struct {
	ID             uint32
	Key            pool.Key // the console's clients have its name as their database
	Application    string
	State          monitor.ClientState
	Remote, Local  endpoint
	Connected      time.Time
	LastUsed       time.Time     // when an exchange has begun or ended; zero: never
	Waiting        time.Duration // for a backend
	TLS            string
	Replication    bool
	Prepared       int    // statements that it has by name
	Server         string // of the backend that it has
	Backend        uint32 // its process ID; 0: it has none
	Cancels        int    // cancel requests on their way to its backend
	CancelsWaiting int    // that wait until something can be cancelled
	Pin            PinStat
}

// PinStat says why a client keeps its backend beyond the transaction.
type PinStat struct {
	Reason    string        // empty: it does not
	Held      time.Duration // for how long
	Statement string        // to blame, without literals; empty: none was, or it is not known
}

// surveyPatience bounds the wait for a loop that is busy or has ended.
const surveyPatience = 5 * time.Second

var errBusy = errors.New("the event loops do not answer")

// Clients returns a snapshot of each client that is logged in, by number. Each loop
// describes its own: one that moves between two of them at that moment is missing.
func (sh *shared) Clients() ([]ClientStat, error) {
	answers := make(chan []ClientStat, len(sh.stations))
	for _, st := range sh.stations {
		st.loop.Post(reactor.Func(func() { answers <- st.clientStats() }))
	}
	patience := time.After(surveyPatience)
	var all []ClientStat
	for range sh.stations {
		select {
		case some := <-answers:
			all = append(all, some...)
		case <-patience:
			return nil, errBusy
		}
	}
	slices.SortFunc(all, func(a, b ClientStat) int { return cmp.Compare(a.ID, b.ID) })
	return all, nil
}

// clientStats describes the sessions of the loop.
func (st *station) clientStats() []ClientStat {
	all := make([]ClientStat, 0, len(st.sessions))
	now := time.Now()
	for s := range st.sessions {
		if s.present() {
			all = append(all, s.stat(now))
		}
	}
	return all
}

// present reports whether the client is logged in.
func (s *session) present() bool {
	return !s.gone && (s.state == stateReady || s.state == stateTunnel || s.state == stateConsole)
}

func (s *session) stat(now time.Time) ClientStat {
	at := func(ns int64) time.Time { return now.Add(-time.Duration(s.loop.Now() - ns)) }
	st := ClientStat{
		ID: s.id, Key: s.key(), State: s.activity(), Replication: s.state == stateTunnel,
		Prepared: len(s.client.statements.named), Pin: s.pinStat(),
	}
	st.Application, _ = s.who.params.Get("application_name")
	if o := s.origin; o != nil {
		st.Remote, st.Connected, st.TLS = o.remote, o.connected, o.tls
	}
	if c, ok := s.client.conn.(*reactor.Conn); ok {
		st.Local = newEndpoint(c.LocalAddr(), st.Remote.port)
	}
	if s.console != nil {
		st.State = monitor.ClientIdle
		if s.console.busy {
			st.State = monitor.ClientActive
		}
	}
	switch {
	case s.sample.start != 0:
		st.LastUsed = at(s.sample.start)
	case s.meter.clock != 0:
		st.LastUsed = at(s.meter.clock)
	}
	if st.State == monitor.ClientWaiting && s.sample.asked != 0 {
		st.Waiting = time.Duration(s.loop.Now() - s.sample.asked)
	}
	if s.back.lease != nil {
		st.Server, st.Backend, st.Cancels = s.back.lease.Server(), s.back.lease.PID, s.cancel.inFlight
	}
	if s.cancel.due {
		st.CancelsWaiting = 1
	}
	return st
}

// key is the client's database and user.
func (s *session) key() pool.Key {
	if s.console != nil {
		return pool.Key{Database: consoleDatabase, User: s.console.user}
	}
	return s.who.pool.Key()
}

// pinStat describes the pin.
func (s *session) pinStat() PinStat {
	if s.tx.pin == sqlparse.ReasonNone {
		return PinStat{}
	}
	return PinStat{s.tx.pin.Label(), time.Duration(s.loop.Now() - s.tx.pinnedAt), sqlparse.Redact([]byte(s.tx.pinText))}
}

// maxPinText bounds what is kept of the text of a statement that pins, in bytes.
const maxPinText = 2000
