package proxy

import (
	"time"

	"github.com/pgjay/pgjay/monitor"
	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// exchangeSample is what is measured of the exchange that is under way. Times
// are the loop's, read once per event: no clock is asked for it.
type exchangeSample struct {
	start   int64 // of the first frontend message
	asked   int64 // when the backend was asked for
	waited  int64 // ns until it came
	command sqlparse.Command
	code    [2]byte // class of the SQLSTATE of the first error
	bytes   monitor.Bytes
}

// setCode notes the SQLSTATE of an error. The first one counts.
func (x *exchangeSample) setCode(sqlstate []byte) {
	if x.code == [2]byte{} && len(sqlstate) == 5 {
		x.code = [2]byte{sqlstate[0], sqlstate[1]}
	}
}

// record hands an exchange that has ended to the monitor.
func (s *session) record(now int64) {
	x := &s.sample
	duration := now - x.start
	s.traffic.Exchange(&monitor.Sample{
		Duration: duration,
		Wait:     x.waited,
		Backend:  max(duration-x.waited, 0),
		Command:  commandOf(x.command),
		Code:     x.code,
		Bytes:    x.bytes,
	})
	*x = exchangeSample{start: now}
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
	case sqlparse.CommandBegin, sqlparse.CommandCommit, sqlparse.CommandRollback, sqlparse.CommandSavepoint:
		return monitor.CommandTx
	}
	return monitor.CommandUtility
}

// transactionResult says how a transaction has ended that ends with the
// exchange that is under way.
func (s *session) transactionResult() monitor.TransactionResult {
	if s.sample.code != [2]byte{} || s.sample.command == sqlparse.CommandRollback {
		return monitor.TransactionRolledBack
	}
	return monitor.TransactionCommitted
}

func (s *session) recordLogin() {
	key := s.who.pool.Key()
	s.traffic = s.recorder.Traffic(key.Database, key.User)
	s.traffic.Move(monitor.ClientGone, monitor.ClientIdle)
	s.logins.remove(s.login.address)
	s.log.Debug("client logged in", "session", s.id, "database", key.Database, "user", key.User, "client", s.login.address)
}

func (s *session) recordClose(why closeReason) {
	s.monitor.ClientClosed(string(why))
	if s.traffic != nil {
		s.traffic.Move(monitor.ClientIdle, monitor.ClientGone)
	}
	s.log.Debug("client closed", "session", s.id, "reason", string(why))
}

func (s *session) recordRejected(reason string) { s.monitor.ClientRejected(reason) }

// recordAuth notes how a login's proof of identity went.
func (s *session) recordAuth(err error) {
	took := time.Duration(s.loop.Now() - s.login.asked)
	s.monitor.ClientAuthenticated(string(s.login.auth.method), took)
	if err != nil {
		s.recordRejected("auth")
		s.log.Warn("authentication failed", "user", s.login.user, "client", s.login.address, "reason", authReason(err))
	}
}

func (s *session) recordPin(why sqlparse.Reason) {
	s.monitor.Pinned(why.Label())
	s.log.Debug("session pinned", "session", s.id, "reason", why.String())
}

func (s *session) recordUnpin(why sqlparse.Reason) {
	s.monitor.Unpinned(why.Label())
	held := time.Duration(s.loop.Now() - s.tx.pinnedAt)
	s.log.Debug("session unpinned", "session", s.id, "reason", why.String(), "held", held)
}

func (s *session) recordTimeout(kind timeoutKind) {
	if kind == timeoutAcquire && s.traffic != nil {
		s.traffic.WaitTimedOut()
		return
	}
	s.monitor.TimedOut(timeoutNames[kind])
}

func (s *session) recordCancel(found bool) {
	if found {
		s.monitor.CancelRequested("sent")
	} else {
		s.monitor.CancelRequested("no_such_key")
	}
}

func (s *session) recordRetry() { s.monitor.Retried("backend_gone") }

// poolHooks tells the monitor what happens to backends.
func (srv *Server) poolHooks() pool.Hooks {
	return pool.Hooks{
		Connected: func(k pool.Key, took time.Duration, err error) {
			if err != nil {
				srv.log.Warn("cannot connect to PostgreSQL", "database", k.Database, "user", k.User, "error", err)
				return
			}
			srv.monitor.BackendConnected(took)
		},
	}
}
