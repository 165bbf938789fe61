package proxy

import (
	"strings"

	"github.com/pgjay/pgjay/proxy/wire"
)

// A client that closes its half of the connection is answered by PostgreSQL, which
// reads the end of file when it is through with what came before. One that has gone
// looks the same until something is sent to it. So what such a client has asked for
// goes on for a while (timeouts.half_closed), and after each piece of an answer for as
// long again; then the client is taken for gone. Through a unix socket it can be told.

// HalfClosed says that the client will send nothing more. It comes only while
// the client is not read, so nothing would notice that it has gone.
func (s *session) HalfClosed() {
	defer s.endEvent()
	switch {
	case s.client.paused&pausedWaiting == 0 || endsWithTerminate(s.client.in):
	case s.mayWait():
		s.clock.set(s, timeoutHalfClosed, s.settings().timeouts.HalfClosed)
	default:
		s.leave(closedByClient)
	}
}

// Ended says that the client has sent nothing more behind what the session has got.
// It returns true if the client may still wait for replies.
func (s *session) Ended() bool {
	defer s.endEvent()
	s.client.ended = s.mayWait() && !s.gone && !s.client.polite && !s.through()
	return s.client.ended
}

// mayWait reports whether a client that has ended may wait for a reply.
func (s *session) mayWait() bool {
	return (s.state == stateGreeting || s.state == stateReady) && s.settings().timeouts.HalfClosed > 0
}

// through reports whether all is done that a client has sent who has ended. An answer
// that it does not take it waits for still.
func (s *session) through() bool {
	return s.state == stateReady && s.client.paused == 0 && !s.copyUnended() && !s.joined.waiting && !s.holds() &&
		!s.client.conn.Spooling() && (s.back.lease == nil || s.answered())
}

// seeOut is called at the end of an event, when the client has ended. What nothing
// makes PostgreSQL send it keeps to itself.
func (s *session) seeOut() {
	switch {
	case s.gone:
		return
	case s.copyUnended():
		if !s.endCopyForEnded() {
			s.leave(closedByClient)
			return
		}
	case s.client.lostSync, s.through():
		s.leave(closedByClient)
		return
	case s.client.paused == 0 && s.back.lease != nil && s.queue.unflushed() && !s.tx.copies: // a copy flushes by itself
		s.queue.swallowUnflushed()
		s.flush()
	}
	s.clock.set(s, timeoutHalfClosed, s.settings().timeouts.HalfClosed)
}

// endCopyForEnded ends a copy that waits for data which will not come. What PostgreSQL
// says of that the client gets as it would: that it has ended in the midst.
func (s *session) endCopyForEnded() bool {
	if !s.completeFrame() {
		return false
	}
	s.client.cut = true
	s.toBackend(wire.AppendCopyFail(s.scratch[:0], "client has ended"))
	s.queue.push(expectCopyEnd, swallow)
	return true
}

// tellCut gives the client what PostgreSQL says when a client ends in a copy, and where
// that was: its error for ours. It ends the connection then.
func (s *session) tellCut(body []byte) {
	s.client.cut, s.client.lostSync = false, true
	var fields strings.Builder
	for len(body) > 1 {
		field, rest, ok := wire.CString(body[1:])
		if !ok {
			break
		}
		switch body[0] {
		case 'C':
			field = []byte("08006")
		case 'M':
			field = []byte("unexpected EOF on client connection with an open transaction")
		}
		fields.WriteByte(body[0])
		fields.Write(field)
		fields.WriteByte(0)
		body = rest
	}
	fields.WriteByte(0)
	s.aside = wire.AppendFrame(s.aside, wire.ErrorResponse, fields.String())
	s.aside = wire.AppendFrame(s.aside, wire.ErrorResponse, "SFATAL\x00VFATAL\x00C08P01\x00"+
		"Mterminating connection because protocol synchronization was lost\x00Fpostgres.c\x00RPostgresMain\x00\x00")
	s.queue.swallowAll()
}
