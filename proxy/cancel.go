package proxy

import (
	"crypto/subtle"
	"sync"
	"sync/atomic"
	"time"
)

// cancelState is a session's part in cancel requests.
type cancelState struct {
	inFlight int // requests on their way to the leased backend
	// queryTimeout is set when timeouts.query sent the request.
	queryTimeout bool
}

// cancelTable finds the session that a cancel request is for. Safe for
// concurrent use.
type cancelTable struct {
	next atomic.Uint32
	mu   sync.RWMutex
	byID map[uint32]*session // guarded by mu
}

// add gives s an ID that no other session has and makes it known.
func (t *cancelTable) add(s *session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for {
		s.id = t.next.Add(1) & 0x7fffffff
		if _, taken := t.byID[s.id]; s.id != 0 && !taken {
			t.byID[s.id] = s
			return
		}
	}
}

func (t *cancelTable) remove(s *session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byID[s.id] == s {
		delete(t.byID, s.id)
	}
}

// find returns the session with this key. The secret is compared in constant
// time.
func (t *cancelTable) find(id uint32, secret []byte) *session {
	t.mu.RLock()
	defer t.mu.RUnlock()
	s := t.byID[id]
	if s == nil || subtle.ConstantTimeCompare([]byte(s.who.secret), secret) != 1 {
		return nil
	}
	return s
}

// forwardCancel handles a CancelRequest and then closes its connection: the
// sender may take the close as the sign that the request was delivered.
func (s *session) forwardCancel(id uint32, secret []byte) {
	target := s.cancels.find(id, secret)
	s.recordCancel(target != nil)
	if target == nil {
		s.leave(closedByTerminate)
		return
	}
	s.setState(stateGreeting) // nothing more is read
	target.post(func() {
		defer s.post(func() { s.leave(closedByTerminate) })
		target.cancelQuery()
	})
}

// cancelQuery cancels what the client waits for at this moment.
func (s *session) cancelQuery() {
	switch {
	case s.gone:
	case s.state == stateTunnel:
		s.sendCancel()
	case s.state != stateReady:
	case s.back.waiting:
		if s.who.pool.Abandon(&s.waiter) {
			s.back.waiting = false
			s.clock.clear(timeoutAcquire)
			s.answerPending(errCanceled)
		}
	case s.back.lease != nil && s.queue.owesClient():
		s.sendCancel()
	}
}

// sendCancel asks the backend to cancel what it executes. Until the request
// is known to have been delivered nothing new is sent there.
func (s *session) sendCancel() {
	s.cancel.inFlight++
	s.back.lease.Cancel((*cancelDone)(s))
}

// cancelDone is the session as the task that runs when a cancel request was
// delivered or has failed.
type cancelDone session

// Run continues what waited for the request.
func (c *cancelDone) Run() {
	s := (*session)(c)
	defer s.endEvent()
	s.cancel.inFlight--
	if s.cancel.inFlight > 0 || s.state == stateClosed {
		return
	}
	s.afterReplies()
	if s.mustCancel() {
		s.clock.set(s, timeoutRecancel, recancelAfter)
	}
}

// recancelAfter is when a query is cancelled again that must end: the first
// request may have overtaken the query, and then had no effect.
const recancelAfter = 50 * time.Millisecond

func (s *session) recancel() {
	if s.mustCancel() && s.cancel.inFlight == 0 {
		s.sendCancel()
	}
}

// mustCancel reports whether what the backend executes is to end: its client
// has gone, or it takes too long.
func (s *session) mustCancel() bool {
	return (s.gone || s.cancel.queryTimeout) && s.back.lease != nil && !s.queue.empty()
}
