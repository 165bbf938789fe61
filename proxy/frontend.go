package proxy

import (
	"github.com/pgjay/pgjay/proxy/wire"
)

const (
	// maxText is the length in bytes up to which a Query or Parse is kept in
	// memory to be understood. A longer one streams through and pins.
	maxText = 1 << 20
	// maxPrefix is how much of another long frame is looked at: enough for
	// the names in a Bind.
	maxPrefix = 8 << 10
)

// consume uses as much of p as it can and returns how many bytes that was.
// What is left is an incomplete frame, or must wait.
func (s *session) consume(p []byte) (used int) {
	s.client.consuming = true
	defer func() { s.client.consuming = false }()
	for used < len(p) && !s.gone && s.client.paused&pausedWaiting == 0 {
		n := s.step(p[used:])
		if n == 0 {
			break
		}
		used += n
	}
	s.markSent()
	s.sendDue()
	return used
}

// step uses the next piece of p: a frame, or some of a long one.
func (s *session) step(p []byte) int {
	switch {
	case s.client.rest > 0:
		return s.streamFrontend(p)
	case s.state == stateReady:
		return s.frontendFrame(p)
	case s.state == stateStartup:
		return s.startupPacket(p)
	case s.state == stateAuth:
		return s.authFrame(p)
	case s.state == stateTunnel:
		s.toBackend(p)
		return len(p)
	case s.state == stateConsole:
		return s.consoleFrame(p)
	}
	return 0
}

// streamFrontend passes on bytes of a frame that is longer than what was kept.
func (s *session) streamFrontend(p []byte) int {
	n := min(s.client.rest, len(p))
	s.client.rest -= n
	if !s.client.restDropped {
		s.send(p[:n])
	}
	return n
}

// frontendFrame handles the frame that p begins with, if it is there as far as
// it must be, and returns how many bytes of p it took.
func (s *session) frontendFrame(p []byte) int {
	n, ok := wire.FrameLen(p)
	if !ok {
		return 0
	}
	if n < 0 || !wire.IsFrontend(p[0]) {
		s.refuse(badFrontendFrame(p[0], n < 0))
		return 0
	}
	if p[0] == wire.Parse || p[0] == wire.Bind {
		if s.serves() {
			if used, became := s.servedUnit(p); became != servedNot {
				return used
			}
		}
		s.pageOfUnit(p)
	}
	have := min(n, len(p))
	if have < n && have < mustSee(p[0], n) {
		return 0
	}
	s.client.restDropped, s.client.restCopy = false, p[0] == wire.CopyData
	if !s.message(p[0], p[:have], n) {
		return 0
	}
	s.client.rest = n - have
	return have
}

// mustSee returns how many bytes of a frame of n bytes have to be there before
// it is handled.
func mustSee(typ byte, n int) int {
	switch typ {
	case wire.Query, wire.Parse:
		if n <= maxText {
			return n
		}
		return maxPrefix
	case wire.CopyData, wire.FunctionCall:
		return min(n, wire.HeaderLen+4)
	}
	return min(n, maxPrefix)
}

// message handles one frontend message. frame is all of its n bytes, or as
// many as mustSee asked for. It returns false, having done nothing, if the
// message must wait.
func (s *session) message(typ byte, frame []byte, n int) bool {
	switch typ {
	case wire.Terminate:
		return s.terminate()
	case wire.Sync:
		return s.sync(frame)
	case wire.CopyData, wire.CopyDone, wire.CopyFail:
		return s.copyMessage(typ, frame)
	case wire.Password:
		s.refuse(badFrontendFrame(typ, false))
		return false
	}
	if s.client.skipping || (typ == wire.Flush && n == wire.HeaderLen && s.back.lease == nil) {
		s.client.restDropped = true
		return true
	}
	if typ == wire.Query {
		if s.handledHere(frame, n) {
			return true
		}
		if became := s.servedQuery(frame, n); became != servedNot {
			return became == servedHere
		}
		s.pageOfQuery(frame, n)
	}
	s.quitJoin() // what was waited for is not to come from the cache after all
	if !s.acquire() {
		return false
	}
	switch typ {
	case wire.Query:
		return s.query(frame, n)
	case wire.FunctionCall:
		return (s.listen == nil || s.heedEnd()) && s.functionCall(frame)
	}
	return s.extended(typ, frame, n)
}

// refuse ends the session because of what it sent, as soon as the client has
// the replies to what it sent before.
func (s *session) refuse(e *wire.Error) {
	if s.answered() {
		s.fail(e)
		return
	}
	s.flush()
	s.pauseClient(pausedWaiting)
}

// terminate handles Terminate. PostgreSQL reads it when it has answered what
// came before, so that must reach the client first; but it ends without
// sending replies that nothing, neither a message nor an error, made it flush.
func (s *session) terminate() bool {
	s.client.polite = true
	if !s.answered() {
		s.queue.swallowUnflushed()
		s.flush()
		s.pauseClient(pausedWaiting)
		return false
	}
	s.leave(closedByTerminate)
	return true
}

// answered reports whether PostgreSQL has answered all that the client has sent,
// and the client has the whole of it.
func (s *session) answered() bool {
	s.queue.skipMarks()
	whole := s.betweenMessages()
	return whole && (s.queue.empty() && !s.back.deferred || s.copyUnended()) && !s.holds() && !s.client.conn.Spooling()
}

// flushed notes a Flush. It gives the client what is made here of the replies;
// there may be no other. At a Sync ReadyForQuery is soon enough for that.
func (s *session) flushed() {
	s.queue.flush()
	if s.back.rest == 0 && s.makeReplies() {
		s.giveMade()
	}
}

// flush makes PostgreSQL send what it keeps to itself.
func (s *session) flush() {
	if s.queue.unflushed() {
		s.toBackend(wire.AppendEmpty(s.scratch[:0], wire.Flush))
		s.flushed()
	}
}

// send passes bytes on to the backend as they are.
func (s *session) send(p []byte) {
	s.toBackend(p)
	s.keep(p)
}

// keep notes what the client has sent, as long as that may be needed for another
// try.
func (s *session) keep(p []byte) {
	if s.back.sent == nil {
		return
	}
	if len(s.back.sent)+len(p) > cap(s.back.sent) {
		s.forgetSent()
		return
	}
	s.back.sent = append(s.back.sent, p...)
}

// forgetSent gives up the possibility of another try.
func (s *session) forgetSent() {
	if s.back.sent != nil {
		s.giveBuffer(s.back.sent)
		s.back.sent, s.back.told = nil, 0
	}
}

// takeSent returns what can be sent again: what the client has no reply to yet.
func (s *session) takeSent() []byte {
	sent := append(s.back.sent[:0], s.back.sent[s.back.told:]...)
	s.back.sent, s.back.told = nil, 0
	return sent
}

// tell notes that the client gets the next n replies, which were made here: to messages
// that are the first of those that were sent. They stand, whatever becomes of the others.
func (s *session) tell(n int) {
	for ; n > 0 && s.back.sent != nil; n-- {
		rest := s.back.sent[s.back.told:]
		for len(rest) > 0 && rest[0] == wire.Flush {
			rest = rest[wire.HeaderLen:]
		}
		if len(rest) == 0 || rest[0] != wire.Parse && rest[0] != wire.Close {
			s.forgetSent()
			return
		}
		frame, _ := wire.FrameLen(rest)
		s.back.told = len(s.back.sent) - len(rest) + frame
	}
	s.client.statements.undo = s.client.statements.undo[:0]
}

// endsWithTerminate reports whether the last message that is complete in p is
// a Terminate.
func endsWithTerminate(p []byte) bool {
	for {
		n, ok := wire.FrameLen(p)
		if !ok || n < 0 || n > len(p) {
			return false
		}
		if p[0] == wire.Terminate {
			return true
		}
		p = p[n:]
	}
}
