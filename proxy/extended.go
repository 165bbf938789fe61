package proxy

import (
	"github.com/pgjay/pgjay/proxy/wire"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// extended sends a message of the extended protocol on: Parse, Bind, Describe,
// Execute, Close or Flush. n is the frame's whole length. It returns false if
// the message must wait.
func (s *session) extended(typ byte, frame []byte, n int) bool {
	if s.unnamedUnsure(typ, frame[wire.HeaderLen:]) && !s.copyUnended() {
		s.pauseClient(pausedWaiting)
		return false
	}
	if !s.tx.unsynced {
		s.beginExchange(sqlparse.Class{})
		s.tx.unsynced = true
	}
	kind := expectReply
	body := frame[wire.HeaderLen:]
	switch typ {
	case wire.Flush:
		if n == wire.HeaderLen {
			s.send(frame)
			s.queue.flush()
			return true
		}
	case wire.Parse:
		kind = s.parse(frame, n)
	case wire.Bind:
		portal, rest, _ := wire.CString(body)
		s.useStatement(rest)
		s.bindReset(portal, rest)
		s.noteBind(rest)
	case wire.Describe:
		if len(body) > 0 && body[0] == 'S' {
			s.useStatement(body[1:])
		}
	case wire.Execute:
		if s.client.resets != nil && !s.copyUnended() && !s.executeReset(body) {
			return false
		}
	case wire.Close:
		if len(body) == 2 && body[0] == 'S' {
			s.closeUnnamed()
			kind = expectUnnamed
		}
	}
	s.send(frame)
	s.queue.push(kind, forward)
	return true
}

// parse notes what a Parse does and returns what kind of reply it gets.
func (s *session) parse(frame []byte, n int) expectKind {
	name, text, _ := wire.CString(frame[wire.HeaderLen:])
	if n <= maxText {
		text, _, _ = wire.CString(text)
	}
	class := s.classify(text, n)
	if s.sample.command == sqlparse.CommandNone {
		s.sample.command = class.First
	}
	s.prepareReset(name, class)
	if len(name) > 0 {
		s.note(class, text)
		s.pin(sqlparse.ReasonPrepared)
		return expectReply
	}
	s.parseUnnamed(frame, n, class)
	return expectUnnamed
}

// noteBind notes that a statement is going to be executed, the name of which
// rest begins with.
func (s *session) noteBind(rest []byte) {
	u := s.client.unnamed.last()
	s.back.effect = max(s.back.effect, u.effect)
	if u.noted && len(rest) > 0 && rest[0] == 0 && len(u.parse) > 0 {
		_, text, _ := wire.CString(u.parse[wire.HeaderLen:])
		text, _, _ = wire.CString(text)
		s.note(s.classify(text, 0), text)
	}
}

// sync handles a Sync. Without a lease nothing is under way, so that it is
// answered here.
func (s *session) sync(frame []byte) bool {
	wellFormed := len(frame) == wire.HeaderLen
	if s.back.lease == nil && wellFormed {
		s.client.skipping = false
		s.toClient(wire.AppendReadyForQuery(s.scratch[:0], wire.StatusIdle))
		return true
	}
	if !s.tx.unsynced && !s.acquire() {
		return false
	}
	s.client.skipping = false
	if !s.tx.unsynced {
		s.beginExchange(sqlparse.Class{})
	}
	s.tx.unsynced, s.tx.replaced = false, false
	s.send(frame)
	if s.tx.copyIn.active && s.queue.onlyHead() {
		s.tx.copyIn.ambiguous = true // PostgreSQL ignores it while it reads copy data
		return true
	}
	if wellFormed {
		s.queue.push(expectSync, forward)
	} else {
		s.queue.push(expectCall, forward) // an error, then ReadyForQuery
	}
	s.queue.flush()
	return true
}

// copyMessage handles CopyData, CopyDone and CopyFail. PostgreSQL ignores them
// outside of a copy, as they may be on their way when a copy fails.
func (s *session) copyMessage(typ byte, frame []byte) bool {
	if s.back.lease == nil || s.client.skipping || s.queue.empty() {
		s.client.restDropped = true
		return true
	}
	s.forgetSent()
	s.send(frame)
	if typ != wire.CopyData {
		s.queue.push(expectCopyEnd, forward)
	}
	return true
}
