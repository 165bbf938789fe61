package proxy

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
	return s.state == stateReady && s.client.paused == 0 && !s.joined.waiting && !s.holds() && (s.back.lease == nil || s.answered())
}

// seeOut is called at the end of an event, when the client has ended. What nothing
// makes PostgreSQL send it keeps to itself.
func (s *session) seeOut() {
	switch {
	case s.gone:
		return
	case s.through():
		s.leave(closedByClient)
		return
	case s.client.paused == 0 && s.back.lease != nil && s.queue.unflushed():
		s.queue.swallowUnflushed()
		s.flush()
	}
	s.clock.set(s, timeoutHalfClosed, s.settings().timeouts.HalfClosed)
}
