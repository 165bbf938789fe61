package proxy

import (
	"github.com/pgjay/pgjay/proxy/wire"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// extended sends a message of the extended protocol on: Parse, Bind, Describe,
// Execute, Close or Flush. n is the frame's whole length. It returns false if
// the message must wait.
func (s *session) extended(typ byte, frame []byte, n int) bool {
	if s.unnamedUnsure(typ, frame[wire.HeaderLen:]) {
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
		s.send(frame)
		return true
	case wire.Parse:
		kind = s.parse(frame, n)
	case wire.Bind:
		_, rest, _ := wire.CString(body)
		s.useStatement(rest)
		s.back.readOnly = s.back.readOnly && s.client.unnamedReads
	case wire.Describe:
		if len(body) > 0 && body[0] == 'S' {
			s.useStatement(body[1:])
		}
	case wire.Execute:
		if s.client.preparedReset && s.back.reapply == nil {
			s.back.reapply = s.who.label.Settings()
		}
	case wire.Close:
		s.closeStatement(body)
	}
	s.send(frame)
	s.queue.push(kind, forward)
	return true
}

// unnamedUnsure reports whether a message uses the unnamed statement and it is
// not known yet which one that is: an earlier exchange that is still under way
// replaces it, or fails before it does.
func (s *session) unnamedUnsure(typ byte, body []byte) bool {
	if s.tx.replaced || !s.queue.owesUnnamed() {
		return false
	}
	switch typ {
	case wire.Bind:
		_, rest, _ := wire.CString(body)
		return len(rest) > 0 && rest[0] == 0
	case wire.Describe:
		return len(body) > 1 && body[0] == 'S' && body[1] == 0
	}
	return false
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
	s.note(class)
	s.client.preparedReset = s.client.preparedReset || class.Reset != sqlparse.ResetNone
	if len(name) > 0 {
		s.pin(sqlparse.ReasonPrepared)
		return expectReply
	}
	s.rememberUnnamed(frame, n)
	s.client.unnamedReads = class.Statements == 1 && class.First.ReadOnly()
	return expectUnnamed
}

// rememberUnnamed keeps a Parse of the unnamed statement, so that it can be
// sent again to another backend when the client uses it in a later exchange.
func (s *session) rememberUnnamed(frame []byte, n int) {
	if n > maxPrefix {
		s.forgetUnnamed()
		s.pin(sqlparse.ReasonTooLong)
	} else {
		s.client.unnamed = append(s.client.unnamed[:0], frame...)
	}
	s.station.tokens++
	s.tx.replaced = true
	s.client.unnamedToken = s.station.tokens
	s.back.lease.UnnamedOwner = s.client.unnamedToken
}

// forgetUnnamed says that the client has no unnamed statement.
func (s *session) forgetUnnamed() {
	s.client.unnamed = s.client.unnamed[:0]
	s.client.unnamedToken = 0
}

// useStatement prepares the backend for a message that names a statement. The
// unnamed one must be the client's own.
func (s *session) useStatement(name []byte) {
	b := s.back.lease
	if len(name) == 0 || name[0] != 0 || b.UnnamedOwner == s.client.unnamedToken {
		return
	}
	if s.client.unnamedToken != 0 {
		b.Conn().Write(s.client.unnamed)
	} else {
		b.Conn().Write(wire.AppendCloseStatement(s.scratch[:0], ""))
	}
	s.tx.replaced = true
	b.UnnamedOwner = s.client.unnamedToken
	s.queue.push(expectUnnamed, swallow)
}

// closeStatement notes a Close of the unnamed statement.
func (s *session) closeStatement(body []byte) {
	if len(body) == 2 && body[0] == 'S' {
		s.forgetUnnamed()
		s.back.lease.UnnamedOwner = 0
	}
}

// sync handles a Sync. Without a lease nothing is under way, so that it is
// answered here.
func (s *session) sync(frame []byte) bool {
	s.client.skipping = false
	if s.back.lease == nil {
		s.toClient(wire.AppendReadyForQuery(s.scratch[:0], wire.StatusIdle))
		return true
	}
	if !s.tx.unsynced && !s.acquire() {
		return false
	}
	if !s.tx.unsynced {
		s.beginExchange(sqlparse.Class{})
	}
	s.tx.unsynced, s.tx.replaced = false, false
	s.send(frame)
	if s.tx.copyIn.active && s.queue.onlyHead() {
		s.tx.copyIn.ambiguous = true // PostgreSQL ignores it while it reads copy data
		return true
	}
	s.queue.push(expectSync, forward)
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
