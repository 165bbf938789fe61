package proxy

import (
	"github.com/pgjay/pgjay/monitor"
	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy/wire"
)

// quiet reports whether nothing is under way between the session and its
// backend:
//
//  1. every reply that is owed has come;
//  2. no message of the extended protocol waits for its Sync;
//  3. no frame has been passed on in part, in either direction;
//  4. the backend has taken all that was sent to it.
func (s *session) quiet() bool {
	s.queue.skipMarks()
	return s.queue.empty() &&
		!s.tx.unsynced &&
		s.back.rest == 0 && s.back.in == nil && (s.client.rest == 0 || s.client.restDropped) &&
		s.back.lease.Conn().Buffered() == 0
}

// mayRelease reports whether a quiet session may give its backend back:
//
//  1. no transaction is open;
//  2. nothing pins the session, or may have to;
//  3. the pool's mode is not session, and was not when the client logged in;
//  4. no cancel request is on its way to the backend;
//  5. it was used, if the client waits to use it: it may have waited for the
//     label or its prepared statements only.
func (s *session) mayRelease() bool {
	return s.back.status == wire.StatusIdle &&
		(s.back.used && !s.back.ready || s.client.paused&pausedWaiting == 0) &&
		s.tx.pins == 0 && !s.tx.left.unsure &&
		s.pooled() && !s.own &&
		s.cancel.inFlight == 0
}

// pooled reports whether other sessions may have the backend between the
// transactions of this one.
func (s *session) pooled() bool { return s.who.pool.Settings().Mode != pool.ModeSession }

// afterReplies decides what becomes of the backend when some of its messages
// have been handled.
func (s *session) afterReplies() {
	s.endChanges()
	s.sendDue()
	s.settle()
	if s.listen != nil {
		s.endHold()
	}
	s.endDrained()
	if s.state == stateReady && !s.gone && s.client.paused&pausedWaiting != 0 {
		s.proceed() // it may have waited for this
		s.settle()
	}
}

func (s *session) settle() {
	switch {
	case s.back.lease == nil:
	case s.back.broken:
		s.loseBackend(s.back.fatal, true)
	case s.client.polite && !s.gone && s.answered():
		s.leave(closedByTerminate)
	case !s.quiet() || s.cancel.inFlight > 0:
	case s.back.fence:
		s.sendFence()
	case s.back.healing:
		s.heal()
	case s.keepsFormer():
		s.destroy("label_refused")
	case s.untidy():
		s.tidy()
	case s.gone:
		s.cleanUp()
	case s.back.deferred:
		s.applyDeferred()
	case s.back.relabels:
		s.relabel()
	case s.state == stateGreeting:
		s.greet()
	case s.back.status != wire.StatusIdle && s.who.pool.Settings().Mode == pool.ModeStatement:
		s.fail(errStatementMode)
	case s.mayAsk() && s.ask():
	default:
		s.calm()
	}
}

// calm is called when nothing is under way, and the backend is not to be asked.
func (s *session) calm() {
	if s.back.status == wire.StatusIdle {
		s.focus()
	}
	switch {
	case s.mayRelease() && s.back.tuned:
		s.detune()
	case s.mayRelease():
		s.release()
		s.relieve()
	default:
		s.rest()
	}
}

// copyUnended reports whether the backend waits for copy data and the client
// has sent nothing that ends the copy: its end, or another message, which is
// an error. Then no message may be kept waiting for a reply: it is what the
// backend waits for.
func (s *session) copyUnended() bool {
	return s.tx.copyIn.active && s.queue.onlyHead()
}

// fenceName is a prepared statement that no client has.
const fenceName = "pgjay: fence"

// sendFence finds out whether another ReadyForQuery will come: a Close has a
// reply that nothing else has. It works in a failed transaction and leaves the
// client's statements and portals as they are.
func (s *session) sendFence() {
	s.back.fence = false
	s.toBackend(wire.AppendEmpty(wire.AppendCloseStatement(s.scratch[:0], fenceName), wire.Sync))
	s.queue.push(expectFence, swallow)
}

// rest starts the clocks that run while a client with a lease does nothing.
func (s *session) rest() {
	timeouts := s.settings().timeouts
	if s.back.status == wire.StatusIdle {
		s.clock.set(s, timeoutClientIdle, timeouts.ClientIdle)
	} else {
		s.clock.set(s, timeoutIdleInTransaction, timeouts.IdleInTransaction)
	}
}

// endTransaction notes that no transaction is open any more.
func (s *session) endTransaction(now int64, result monitor.TransactionResult) {
	if s.tx.began != 0 {
		s.traffic.Transaction(result, now-s.tx.began)
		if s.tx.exchanges > 1 {
			s.traffic.Block(s.tx.exchanges, now-s.tx.began, s.tx.work)
		}
	}
	s.tx.began, s.tx.exchanges, s.tx.work, s.tx.reads, s.tx.tame, s.tx.sets = 0, 0, 0, false, false, false
	s.clock.clear(timeoutTransaction)
	s.clock.set(s, timeoutClientIdle, s.settings().timeouts.ClientIdle)
}
