package proxy

import (
	"bytes"
	"context"
	"log/slog"
	"time"

	"github.com/pgjay/pgjay/cache"
	"github.com/pgjay/pgjay/monitor"
	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy/wire"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// exchangeSample is what is measured of the exchange that is under way: the
// oldest that has not been answered. Times are the loop's, of the beginning of
// the event, unless it says otherwise.
type exchangeSample struct {
	start  int64 // of the first frontend message; 0: no exchange is under way
	asked  int64 // when the backend was asked for
	waited int64 // ns until it came
	// sent is when the first message had been passed on, by the clock; 0: it
	// has not.
	sent       int64
	lost       int64 // ns that backends had it that were lost
	command    sqlparse.Command
	rolledBack bool
	source     monitor.Source
	shape      *cache.Shape // that is to be told how long it takes; nil: none
	code       [2]byte      // class of the SQLSTATE of the first error
	observed   observed
}

// meter is what the monitor was told of a session, and what it was not yet.
type meter struct {
	shown        monitor.ClientState
	bytes        monitor.Bytes
	event, clock int64 // the clock was last read in this event
}

// setCode notes the SQLSTATE of an error. The first one counts.
func (x *exchangeSample) setCode(sqlstate []byte) {
	if x.code == [2]byte{} && len(sqlstate) == 5 {
		x.code = [2]byte{sqlstate[0], sqlstate[1]}
		x.observed.state = [5]byte(sqlstate)
	}
}

// setTag notes the tag of a CommandComplete. It says what was executed where
// no text does: an Execute of a statement that was prepared before.
func (x *exchangeSample) setTag(tag []byte) {
	x.observed.setRows(tag)
	if end := bytes.IndexAny(tag, " \x00"); end >= 0 {
		tag = tag[:end]
	}
	switch string(tag) {
	case "ROLLBACK": // also what COMMIT of a failed transaction says
		x.rolledBack = true
	case "COMMIT":
		x.rolledBack = false
	}
	if x.command == sqlparse.CommandNone {
		x.command = commandOfTag(tag)
	}
}

// commandOfTag returns the command that has a tag of this first word.
func commandOfTag(word []byte) sqlparse.Command {
	switch string(word) {
	case "SELECT":
		return sqlparse.CommandSelect
	case "INSERT":
		return sqlparse.CommandInsert
	case "UPDATE":
		return sqlparse.CommandUpdate
	case "DELETE":
		return sqlparse.CommandDelete
	case "MERGE":
		return sqlparse.CommandMerge
	case "COPY":
		return sqlparse.CommandCopy
	case "BEGIN", "START", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE":
		return sqlparse.CommandBegin
	}
	return sqlparse.CommandUnknown
}

// readClock returns the time by the clock, which is read once per event.
func (s *session) readClock() int64 {
	m := &s.meter
	if now := s.loop.Now(); m.event != now {
		m.event, m.clock = now, s.loop.Clock()
	}
	return m.clock
}

// markSent notes that the first message of an exchange has been passed on.
func (s *session) markSent() {
	if x := &s.sample; x.start != 0 && x.sent == 0 && s.back.lease != nil {
		x.sent = s.readClock()
	}
}

// record hands an exchange that has ended to the monitor.
func (s *session) record() {
	x := &s.sample
	if x.start == 0 {
		return
	}
	sample := monitor.Sample{
		Duration: s.readClock() - x.start,
		Wait:     x.waited,
		Backend:  x.lost,
		Command:  commandOf(x.command),
		Code:     x.code,
		Source:   x.source,
		Rows:     x.observed.rows,
	}
	if x.sent != 0 {
		sample.Backend += max(s.loop.Now()-x.sent, 0)
	}
	s.traffic.Exchange(&sample)
	s.tx.exchanges++
	s.tx.work += sample.Duration
	if x.observed.n > 0 {
		s.recordStatements(&sample)
	}
	s.portals.ends(s.back.status == wire.StatusIdle)
	s.clock.clear(timeoutQuery)
	s.cancel.due, s.cancel.insisted = false, false
	*x = exchangeSample{}
}

// recordFailed does the same for an exchange that the proxy answers with an
// error. One that still waits for a backend has not begun otherwise.
func (s *session) recordFailed(e *wire.Error) {
	s.dropFill()
	s.dropPage()
	x := &s.sample
	if s.back.lease == nil && x.asked != 0 && x.sent == 0 {
		x.waited += s.loop.Now() - x.asked
	}
	if x.start == 0 {
		x.start = s.loop.Now() - x.waited
	}
	x.setCode([]byte(e.Code))
	s.record()
}

// transferAt is from how many bytes on an exchange that is under way is
// counted as far as it has gone.
const transferAt = 64 << 10

// observe tells the monitor at the end of an event what the client does now,
// and how many bytes have gone through.
func (s *session) observe() {
	if s.traffic == nil {
		return
	}
	m := &s.meter
	if now := s.activity(); now != m.shown {
		s.traffic.Move(m.shown, now)
		m.shown = now
	}
	b := &m.bytes
	if s.sample.start == 0 || b.ClientReceived+b.ClientSent+b.ServerReceived > transferAt {
		s.traffic.Transfer(b)
		*b = monitor.Bytes{}
	}
}

// activity says what the client is doing.
func (s *session) activity() monitor.ClientState {
	switch {
	case s.gone:
		return monitor.ClientGone
	case s.back.lease == nil && s.client.paused&pausedWaiting != 0:
		return monitor.ClientWaiting
	case s.sample.start != 0 || s.state == stateTunnel:
		return monitor.ClientActive
	case s.back.lease != nil && s.back.status != wire.StatusIdle, s.begin.text != "":
		return monitor.ClientIdleInTransaction
	}
	return monitor.ClientIdle
}

// commandOf sorts the scanner's commands into the monitor's.
func commandOf(c sqlparse.Command) monitor.Command {
	switch c {
	case sqlparse.CommandSelect, sqlparse.CommandValues:
		return monitor.CommandSelect
	case sqlparse.CommandInsert:
		return monitor.CommandInsert
	case sqlparse.CommandUpdate:
		return monitor.CommandUpdate
	case sqlparse.CommandDelete:
		return monitor.CommandDelete
	case sqlparse.CommandMerge:
		return monitor.CommandMerge
	case sqlparse.CommandCopy:
		return monitor.CommandCopy
	case sqlparse.CommandBegin, sqlparse.CommandCommit, sqlparse.CommandRollback, sqlparse.CommandSavepoint,
		sqlparse.CommandTwoPhase:
		return monitor.CommandTx
	}
	return monitor.CommandUtility
}

// transactionResult says how a transaction has ended that ends with the
// exchange that is under way.
func (s *session) transactionResult() monitor.TransactionResult {
	if s.sample.code != [2]byte{} || s.sample.rolledBack {
		return monitor.TransactionRolledBack
	}
	return monitor.TransactionCommitted
}

// recordLost counts a transaction whose client or backend has gone.
func (s *session) recordLost() {
	if s.tx.began != 0 {
		s.traffic.Transaction(monitor.TransactionLost, s.loop.Now()-s.tx.began)
		s.tx.began = 0
	}
}

// recordLogin counts from here on what goes through.
func (s *session) recordLogin() {
	key := s.who.pool.Key()
	s.traffic = s.recorder.Traffic(key.Database, key.User)
	s.traffic.Move(monitor.ClientGone, monitor.ClientIdle)
	s.traffic.LoggedIn()
	s.recorder.ClientCame()
	s.who.owner = s.monitor.Statements().Owner(key.Database, key.User)
	s.who.database = s.databaseOf(s.who.pool)
	s.who.doors = s.hidden.doorsOf(key)
	s.sign()
	if s.sample.waited > 0 {
		s.traffic.Waited(s.sample.waited)
	}
	s.sample, s.meter = exchangeSample{}, meter{shown: monitor.ClientIdle}
	s.logins.remove(s.login.address)
	s.log.Debug("client logged in", "session", s.id, "database", key.Database, "user", key.User, "client", s.login.address)
}

// recordReject notes why a client did not get in.
func (s *session) recordReject(e *wire.Error, why closeReason) {
	s.monitor.ClientRejected(s.rejectReason(e, why))
	s.log.Debug("client rejected", "user", s.login.user, "client", s.login.address, "code", e.Code, "error", e.Message)
}

func (s *session) recordClose(why closeReason) {
	s.monitor.ClientClosed(string(why))
	s.log.Debug("client closed", "session", s.id, "reason", string(why))
}

// recordAuth notes how a login's proof of identity went.
func (s *session) recordAuth(err error) {
	took := time.Duration(s.loop.Now() - s.login.asked)
	s.monitor.ClientAuthenticated(string(s.login.auth.method), took)
	if err != nil {
		s.log.Warn("authentication failed", "user", s.login.user, "client", s.login.address, "reason", authReason(err))
	}
}

func (s *session) recordPin(why sqlparse.Reason, text []byte) {
	s.monitor.Pinned(why.Label())
	s.recorder.PinBegins(why.Label())
	if s.log.Enabled(context.Background(), slog.LevelDebug) {
		s.log.Debug("session pinned", "session", s.id, "reason", why.String(), "statement", sqlparse.Redact(text))
	}
}

func (s *session) recordUnpin(why sqlparse.Reason) {
	s.monitor.Unpinned(why.Label())
	s.recorder.PinEnds(why.Label())
	held := time.Duration(s.loop.Now() - s.tx.pinnedAt)
	if why == sqlparse.ReasonAdvisoryLock && s.monitor.LongLock(int64(held)) {
		s.traffic.LockedLong(int64(held))
	}
	s.log.Debug("session unpinned", "session", s.id, "reason", why.String(), "held", held)
}

// recordWaitTimeout counts a wait in vain, also one for a greeting.
func (s *session) recordWaitTimeout() {
	key := s.who.pool.Key()
	s.recorder.Traffic(key.Database, key.User).WaitTimedOut()
}

// recordHeld notes that the session has its backend no longer.
func (s *session) recordHeld() {
	if s.traffic != nil && s.back.lease != nil {
		s.traffic.Held(s.loop.Now() - s.back.since)
	}
}

func (s *session) recordCancel(found bool) {
	if found {
		s.monitor.CancelRequested("sent")
	} else {
		s.monitor.CancelRequested("no_such_key")
	}
}

func (s *session) recordRetry(why string) { s.monitor.Retried(why) }

// poolHooks tells the monitor what happens to backends.
func (srv *Server) poolHooks() pool.Hooks {
	return pool.Hooks{
		Connected: func(k pool.Key, took time.Duration, err error) {
			if err != nil {
				level := srv.outages.failed(k, err.Error(), time.Now())
				srv.log.Log(context.Background(), level, "cannot connect to PostgreSQL", "database", k.Database, "user", k.User, "error", err)
				return
			}
			if srv.outages.over(k) {
				srv.log.Info("connected to PostgreSQL again", "database", k.Database, "user", k.User)
			}
			srv.monitor.BackendConnected(took)
		},
		LoggedIn: srv.hidden.ask,
	}
}
