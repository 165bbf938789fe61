package proxy

import (
	"time"

	"github.com/pgjay/pgjay/cache"
)

// Where several clients ask for the same at once, and it is not in the cache, one
// statement is forwarded and the others wait for its answer: for a while, and only
// if nothing has changed since it was forwarded.

// joined is a session's wait for another's answer.
type joined struct {
	flight *cache.Flight
	key    cache.Key // of what is waited for: another statement has nothing to do with it
	// waiting is set until the answer has come, or it is the session's own turn.
	waiting bool
	entry   *cache.Entry // the answer; nil: there is none
	leads   bool         // the others wait for this session now
}

// Filled takes the answer that was waited for. It is called on any goroutine.
func (s *session) Filled(e *cache.Entry) {
	s.post(func() { s.endJoin(e, false) })
}

// Lead says that it is the session's turn. It is called on any goroutine.
func (s *session) Lead() {
	s.post(func() { s.endJoin(nil, true) })
}

// endJoin ends the wait and goes on with what the client sent.
func (s *session) endJoin(e *cache.Entry, leads bool) {
	j := &s.joined
	if !j.waiting || s.gone {
		if leads {
			j.flight.Abandon()
		}
		return
	}
	j.waiting, j.entry, j.leads = false, e, leads
	s.clock.clear(timeoutCoalesce)
	s.proceed()
}

// join reports whether the statement must wait for another's answer. If not, others
// wait for the answer that is about to be kept.
func (s *session) join(f *fill) (wait bool) {
	most := s.databases.cache.CoalesceMaxWait()
	switch {
	case f.verify != nil:
		s.quitJoin()
		return false
	case s.joined.leads && s.joined.key == f.key:
		f.flight, s.joined = s.joined.flight, joined{}
		return false
	case s.joined.flight != nil && s.joined.key == f.key, most == 0: // it has waited in vain, or nobody waits
		s.quitJoin()
		return false
	}
	s.quitJoin()
	flight, leader := s.databases.cache.Join(f.key, f.stamp, s)
	if leader {
		f.flight = flight
		return false
	}
	s.dropFill()
	s.joined = joined{flight: flight, key: f.key, waiting: true}
	s.pauseClient(pausedWaiting)
	s.clock.set(s, timeoutCoalesce, time.Duration(most))
	return true
}

// takeJoined returns the answer that the session has waited for, if that is still
// good.
func (s *session) takeJoined(k cache.Key) *cache.Entry {
	e := s.joined.entry
	if e == nil || s.joined.key != k || !e.Current() {
		return nil
	}
	s.joined = joined{}
	e.Serve()
	return e
}

// quitJoin lets the next of those who wait lead: nothing comes of it here.
func (s *session) quitJoin() {
	if s.joined.leads {
		s.joined.flight.Abandon()
	}
	s.joined = joined{}
}

// leaveJoin ends the wait without an answer, and reports whether there was one to
// end. What comes for it later finds that it is over.
func (s *session) leaveJoin() bool {
	j := &s.joined
	if !j.waiting || !j.flight.Leave(s) {
		return false
	}
	j.waiting = false
	s.clock.clear(timeoutCoalesce)
	return true
}
