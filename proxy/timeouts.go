package proxy

import (
	"fmt"
	"time"

	"github.com/pgjay/pgjay/proxy/reactor"
	"github.com/pgjay/pgjay/proxy/wire"
)

// timeoutKind is one of the clocks of a session.
type timeoutKind uint8

const (
	timeoutLogin timeoutKind = iota
	timeoutAcquire
	timeoutQuery
	timeoutTransaction
	timeoutIdleInTransaction
	timeoutClientIdle
	timeoutLeaving
	timeoutRecancel
	timeoutCoalesce
	timeoutHalfClosed
	timeoutKinds
)

// leavingTimeout bounds how long a backend may take to end what a client that
// has gone left behind, before it is closed.
const leavingTimeout = 30 * time.Second

// deadlines are a session's clocks, in the loop's time; 0 is off. One timer
// serves them all: it is moved forward at once but backward only when it
// fires, so that starting and stopping a clock for each query costs nothing.
type deadlines struct {
	timer reactor.Timer
	armed int64 // when the timer fires; 0: not at all
	at    [timeoutKinds]int64
}

// set starts a clock; d of 0 stops it.
func (d *deadlines) set(s *session, kind timeoutKind, after time.Duration) {
	if after <= 0 {
		d.at[kind] = 0
		return
	}
	at := s.loop.Now() + int64(after)
	d.at[kind] = at
	if d.armed == 0 || at < d.armed {
		d.armed = at
		d.timer.Task = (*timeoutTask)(s)
		s.loop.Schedule(&d.timer, at)
	}
}

func (d *deadlines) clear(kind timeoutKind) { d.at[kind] = 0 }

// stop stops all clocks.
func (d *deadlines) stop(s *session) {
	if d.armed != 0 {
		s.loop.Stop(&d.timer)
	}
	*d = deadlines{}
}

// suspend stops the timer, but not the clocks; rearm continues.
func (d *deadlines) suspend(s *session) {
	if d.armed != 0 {
		s.loop.Stop(&d.timer)
		d.armed = 0
	}
}

// timeoutTask is the session as the timer's task.
type timeoutTask session

// Run handles the clocks that have run out and arms the timer for the rest.
func (t *timeoutTask) Run() {
	s := (*session)(t)
	defer s.endEvent()
	now := s.loop.Now()
	s.clock.armed = 0
	for kind := range timeoutKinds {
		if at := s.clock.at[kind]; at != 0 && at <= now {
			s.clock.at[kind] = 0
			s.timeout(kind)
		}
	}
	s.clock.rearm(s)
}

func (d *deadlines) rearm(s *session) {
	next := int64(0)
	for _, at := range d.at {
		if at != 0 && (next == 0 || at < next) {
			next = at
		}
	}
	if next != 0 && d.armed == 0 {
		d.armed = next
		s.loop.Schedule(&d.timer, next)
	}
}

// timeout acts on a clock that has run out.
func (s *session) timeout(kind timeoutKind) {
	if s.takes(kind) {
		return
	}
	switch kind {
	case timeoutRecancel:
		s.recancel()
		return
	case timeoutCoalesce:
		if s.leaveJoin() {
			s.proceed()
		}
		return
	}
	timeouts := s.settings().timeouts
	switch kind {
	case timeoutHalfClosed:
		s.leave(closedByClient)
	case timeoutLogin:
		s.timedOut("08P01", "pgjay: login took too long", "client_login", timeouts.ClientLogin)
	case timeoutAcquire:
		s.acquireTimedOut()
	case timeoutQuery:
		switch {
		case s.back.lease == nil || s.queue.empty():
		case s.preparing(): // the request would hit what is ours
			s.clock.set(s, timeoutQuery, recancelAfter)
		default:
			s.monitor.TimedOut("query")
			s.cancel.queryTimeout = true
			s.sendCancel()
		}
	case timeoutTransaction:
		s.timedOut("25P04", "terminating connection due to transaction timeout", "transaction", timeouts.Transaction)
	case timeoutIdleInTransaction:
		s.timedOut("25P03", "terminating connection due to idle-in-transaction timeout", "idle_in_transaction", timeouts.IdleInTransaction)
	case timeoutClientIdle:
		s.timedOut("57P05", "terminating connection due to idle-session timeout", "client_idle", timeouts.ClientIdle)
	case timeoutLeaving:
		if s.back.lease != nil {
			s.destroy("clean_up_timeout")
			s.finish()
		}
	}
}

// timedOut ends the session because of a timeout, which is also what its
// metric is called.
func (s *session) timedOut(code, message, timeout string, d time.Duration) {
	s.monitor.TimedOut(timeout)
	s.failAs(&wire.Error{
		Severity: "FATAL", Code: code, Message: message,
		Detail: fmt.Sprintf("timeouts.%s is %s.", timeout, d),
	}, closedByTimeout)
}

// acquireTimedOut ends the wait for a backend.
func (s *session) acquireTimedOut() {
	if !s.back.waiting || !s.who.pool.Abandon(&s.waiter) {
		return
	}
	s.back.waiting = false
	s.recordWaitTimeout()
	e := &wire.Error{
		Severity: "ERROR", Code: "53300",
		Message: fmt.Sprintf("pgjay: no backend became free within %s", s.who.pool.Settings().AcquireTimeout),
		Hint:    "pool.acquire_timeout, pool.size and pool.overflow bound this.",
	}
	if err := s.who.pool.LastError(); err != nil {
		e = leaseError(err, "ERROR")
	}
	if s.state == stateGreeting {
		s.fail(e)
		return
	}
	s.answerPending(e)
}

// explainTimeout replaces the error of a statement that was cancelled because
// of timeouts.query: PostgreSQL would say that the user asked for it.
func (s *session) explainTimeout(act action) action {
	if !s.cancel.queryTimeout || act != forward || s.gone {
		return act
	}
	s.cancel.queryTimeout = false
	s.forgetSent()
	e := wire.Error{
		Severity: "ERROR", Code: "57014",
		Message: "canceling statement due to query timeout",
		Detail:  fmt.Sprintf("timeouts.query is %s.", s.settings().timeouts.Query),
	}
	s.aside = e.Append(s.aside)
	return swallow
}
