package proxy

import (
	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy/wire"
)

// A client is told the process ID of a backend, its home. It gets that backend
// when it is idle, so that what clients do with process IDs means what they
// think, as long as no more of them are active than there are backends. Who ends
// the home ends the session.

// noPID and what is above is no process ID: what is told to a client without a
// home. No system has process IDs as high.
const noPID = 1 << 30

// findHome finds a home for a client that has just proved who it is.
func (s *session) findHome() {
	s.who.residence.Resident = s
	pid, settled := s.who.pool.Settle(&s.who.residence)
	if settled {
		s.who.pid = pid
		s.welcome()
		return
	}
	s.sample.asked = s.loop.Now()
	s.pauseClient(pausedWaiting)
}

// Settled continues a login that has waited for a home.
func (s *session) Settled(pid uint32, err error) {
	s.post(func() {
		switch {
		case s.gone:
		case err != nil:
			s.fail(leaseError(err, "FATAL"))
		default:
			s.sample.waited += s.loop.Now() - s.sample.asked
			s.who.pid = pid
			s.welcome()
		}
	})
}

// pidTold returns the process ID that the client is told.
func (s *session) pidTold() uint32 {
	switch b := s.back.lease; {
	case b != nil && b.Dedicated():
		return b.PID
	case s.who.pid != 0:
		return s.who.pid
	}
	return noPID | s.id&(noPID-1)
}

// loss is a backend that was lost, and what can be done for the client.
type loss struct {
	cause *wire.Error // what the backend said last; nil: nothing
	sent  []byte      // to be sent to another backend; nil: it may not be
	owed  expectations
	// fresh is set when nothing of the client's was sent on the lease.
	fresh bool
	// refused is set when the backend has refused the session's label, and again when it
	// had not all of it.
	refused, again bool
	// free is set when nothing of the session went with the backend.
	free bool
	skip bool // the client's messages up to a Sync are to be skipped
	torn bool // the client has a part of a message
}

// doubtful reports whether it is not known yet what a loss means for the session:
// somebody may have ended it by ending its home. If so nothing happens until that
// is known.
func (s *session) doubtful(l *loss) bool {
	if s.state != stateReady || s.gone || l.cause == nil || l.cause.Code != adminShutdown || !s.who.pool.Doubted(&s.who.residence) {
		return false
	}
	s.loss = l
	s.pauseClient(pausedWaiting)
	return true
}

// adminShutdown is the SQLSTATE of a backend that an administrator ends, or that
// ends with its server.
const adminShutdown = "57P01"

// Judged says whether the session is to end, because its home has.
func (s *session) Judged(cause *wire.Error) {
	s.post(func() {
		l := s.loss
		s.loss = nil
		switch {
		case s.gone:
		case cause != nil:
			s.failAs(cause, closedByBackend)
		case l != nil:
			s.afterLoss(l)
		}
	})
}

var _ pool.Resident = (*session)(nil)
