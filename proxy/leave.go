package proxy

import (
	"context"

	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy/wire"
)

// closeReason says why a session ended. It is a metrics label.
type closeReason string

const (
	closedByTerminate closeReason = "terminate"
	closedByClient    closeReason = "client_gone"
	closedByError     closeReason = "error"
	closedByTimeout   closeReason = "timeout"
	closedByShutdown  closeReason = "shutdown"
	closedByBackend   closeReason = "backend_ended"
	closedByPanic     closeReason = "panic"
	closedByKill      closeReason = "killed"
)

// fail tells the client why it cannot stay, and ends the session.
func (s *session) fail(e *wire.Error) {
	s.failAs(e, closedByError)
}

func (s *session) failAs(e *wire.Error, why closeReason) {
	if s.gone {
		return
	}
	switch {
	case s.login != nil:
		s.recordReject(e, why)
	case s.sample.start != 0:
		s.recordFailed(e)
	}
	if s.betweenMessages() {
		fatal := *e
		fatal.Severity = "FATAL"
		s.toClient(fatal.Append(s.scratch[:0]))
	}
	s.leave(why)
}

// leave ends the session for the client. Its backend, if any, is cleaned up
// and given back: closing it would cost PostgreSQL a new login.
func (s *session) leave(why closeReason) {
	if s.gone {
		return
	}
	s.gone = true
	s.dropFill()
	s.dropPage()
	s.interruptConsole(context.Canceled)
	s.leaveJoin()
	s.quitJoin()
	s.client.statements.clear()
	s.recordAbandoned()
	s.recordLost()
	s.client.conn.CloseAfterFlush()
	s.recordClose(why)
	s.unregister(s)
	s.clock.stop(s)
	if s.back.waiting && s.who.pool.Abandon(&s.waiter) {
		s.back.waiting = false
	}
	if s.back.lease == nil && !s.back.waiting {
		s.finish()
		return
	}
	if s.state == stateTunnel {
		s.destroy("replication_ended")
		s.finish()
		return
	}
	s.setState(stateLeaving)
	if s.back.lease != nil {
		s.abandonExchange()
	}
}

// finish ends the session altogether.
func (s *session) finish() {
	if s.state == stateClosed {
		return
	}
	s.clock.stop(s)
	s.client.statements.clear()
	if s.client.in != nil && !s.client.consuming {
		s.giveBuffer(s.client.in)
		s.client.in = nil
	}
	if s.who.pool != nil {
		s.who.pool.Vacate(&s.who.residence) // the home is clean: the next client gets it at once
	}
	s.setState(stateClosed)
}

// abandonExchange brings what the client has left unfinished to its end.
func (s *session) abandonExchange() {
	s.forgetSent()
	s.resumeBackend(pausedClient)
	if !s.completeFrame() {
		s.destroy("client_gone")
		s.finish()
		return
	}
	busy := !s.quiet()
	s.queue.swallowAll()
	s.back.restAction = swallow
	if s.copyUnended() {
		s.endCopyForGone()
	}
	if s.tx.unsynced {
		s.abortUnsynced()
	}
	if busy && !s.client.polite {
		s.sendCancel()
	}
	s.clock.set(s, timeoutLeaving, leavingTimeout)
	s.afterReplies()
}

// completeFrame ends a frame that was passed on in part. Only copy data can be
// made up, as the copy will be aborted.
func (s *session) completeFrame() bool {
	rest := s.client.rest
	s.client.rest = 0
	if rest == 0 || s.client.restDropped {
		return true
	}
	if !s.client.restCopy || rest > maxText {
		return false
	}
	s.toBackend(make([]byte, rest))
	return true
}

// abortUnsynced ends messages of the extended protocol that no Sync followed.
// A Sync alone would commit them, which PostgreSQL would not have done.
func (s *session) abortUnsynced() {
	s.tx.unsynced = false
	out := s.scratch[:0]
	if !s.client.skipping { // or PostgreSQL skips this too
		out = wire.AppendBindText(out, "pgjay: the client has gone")
		s.queue.push(expectReply, swallow)
	}
	s.toBackend(wire.AppendEmpty(out, wire.Sync))
	s.queue.push(expectSync, swallow)
}

// endCopyForGone ends copy data that nobody will send.
func (s *session) endCopyForGone() {
	s.toBackend(wire.AppendCopyFail(s.scratch[:0], "client has gone"))
	s.queue.push(expectCopyEnd, swallow)
}

// cleanUp takes back what the client has left on the backend, one step at a
// time, and then gives the backend back.
func (s *session) cleanUp() {
	b := s.back.lease
	switch {
	case s.tx.outlasts:
		s.destroy("beyond_discard")
		s.finish()
	case s.back.status != wire.StatusIdle:
		s.clean("ROLLBACK")
	case s.tx.pins != 0 || s.tx.left.unsure || !s.pooled() && !s.back.discarded:
		s.unpin()
		s.back.discarded, s.back.tuned = true, false
		s.clean("DISCARD ALL")
	case s.back.tuned:
		s.detune()
	default:
		if s.back.discarded {
			b.Label = pool.Label{}
		}
		s.release()
		s.finish()
	}
}

// clean sends a statement of ours to the backend.
func (s *session) clean(sql string) {
	s.back.cleaning = true
	s.back.lease.UnnamedOwner = 0
	s.toBackend(wire.AppendQuery(s.scratch[:0], sql))
	s.queue.push(expectQuery, swallow)
}
