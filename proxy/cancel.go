package proxy

import (
	"crypto/rand"
	"sync"
	"sync/atomic"
	"time"
)

// cancelState is a session's part in cancel requests.
type cancelState struct {
	inFlight int // requests on their way to the leased backend
	// queryTimeout is set when timeouts.query sent the request.
	queryTimeout bool
	// due is set while a request of the client's waits until the backend has
	// what is to be cancelled; insisted, until that has ended.
	due, insisted bool
}

// cancelTable finds the session that a cancel request is for. Safe for
// concurrent use.
type cancelTable struct {
	next  atomic.Uint32
	mu    sync.RWMutex
	byKey map[cancelKey]*session // guarded by mu
}

// cancelKey is what a client is told in BackendKeyData. Clients share process
// IDs. The table's hash has a seed: how long a look-up takes tells nothing of a
// secret that is nearly right.
type cancelKey struct {
	pid    uint32
	secret string
}

// add numbers s, gives it a key that no other session has, and makes it known.
func (t *cancelTable) add(s *session, pid func() uint32, secretLen int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s.id = t.next.Add(1)
	s.who.pid = pid()
	for {
		s.who.secret = newSecret(secretLen)
		if _, taken := t.byKey[s.cancelKey()]; !taken {
			t.byKey[s.cancelKey()] = s
			return
		}
	}
}

func newSecret(n int) string {
	secret := make([]byte, n)
	_, _ = rand.Read(secret) // never fails (crypto/rand)
	return string(secret)
}

func (s *session) cancelKey() cancelKey { return cancelKey{s.who.pid, s.who.secret} }

func (t *cancelTable) remove(s *session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byKey[s.cancelKey()] == s {
		delete(t.byKey, s.cancelKey())
	}
}

// find returns the session with this key.
func (t *cancelTable) find(pid uint32, secret []byte) *session {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.byKey[cancelKey{pid, string(secret)}]
}

// forwardCancel handles a CancelRequest and then closes its connection: the
// sender may take the close as the sign that the request was delivered.
func (s *session) forwardCancel(pid uint32, secret []byte) {
	target := s.cancels.find(pid, secret)
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
	case s.state == stateConsole:
		s.interruptConsole(errCanceled)
	case s.state != stateReady:
	case s.joined.waiting:
		if s.leaveJoin() {
			s.joined = joined{}
			s.answerPending(errCanceled)
		}
	case s.back.waiting:
		if s.who.pool.Abandon(&s.waiter) {
			s.back.waiting = false
			s.clock.clear(timeoutAcquire)
			s.answerPending(errCanceled)
		}
	case s.back.lease != nil && s.queue.owesClient() && !s.preparing():
		s.sendCancel()
	case s.client.in != nil && s.client.paused&pausedWaiting != 0, s.queue.owesClient(), s.loss != nil:
		s.cancel.due = true
	}
}

// preparing reports whether the backend is, or may be, at what was sent on our
// behalf ahead of the client's messages. A cancel request would hit that.
func (s *session) preparing() bool {
	if s.queue.skipMarks(); !s.queue.empty() && (s.queue.head().kind == expectTuning || s.queue.head().kind == expectForget) {
		return true
	}
	return s.back.labelling || s.back.cleaning || s.begin.replies > 0 || s.back.question != nil || len(s.back.bringing) > 0
}

// sendDue sends a cancel request that has waited.
func (s *session) sendDue() {
	if s.cancel.due && s.back.lease != nil && s.queue.owesClient() && !s.preparing() {
		s.cancel.due, s.cancel.insisted = false, true
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
	switch {
	case !s.mustCancel() || s.cancel.inFlight > 0:
	case s.preparing():
		s.clock.set(s, timeoutRecancel, recancelAfter)
	default:
		s.sendCancel()
	}
}

// mustCancel reports whether what the backend executes is to end: its client
// has gone or wants that, or it takes too long. What was sent behind it must not
// be hit: it may have ended already.
func (s *session) mustCancel() bool {
	return s.back.lease != nil && !s.queue.empty() &&
		(s.gone || (s.cancel.queryTimeout || s.cancel.insisted) && s.queue.oneExchange())
}
