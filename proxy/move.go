package proxy

import (
	"github.com/pgjay/pgjay/monitor"
	"github.com/pgjay/pgjay/proxy/reactor"
)

// relieve has the session move if its loop has more to do than it can. It is
// called when a backend was released, so that it is the busy ones that move.
func (s *session) relieve() {
	to := s.loop.Relief()
	if to == nil {
		return
	}
	st := s.station
	st.loop.Post(reactor.Func(func() { // when the replies are on their way
		if s.home.Load() == st && s.movable() {
			s.move(s.stations[to.Index()])
		}
	}))
}

// movable reports whether nothing is under way in the session that knows its
// loop: no lease, no wait, no bytes, no cancel request.
func (s *session) movable() bool {
	return s.idle() && !s.gone && !s.draining && s.back.lease == nil && s.queue.empty() && s.cancel.inFlight == 0 &&
		s.client.rest == 0 && s.client.paused == 0 && s.client.conn.Buffered() == 0
}

// move gives the session to another station. From the change of home on, which
// the Gate of its socket looks at, nothing of it may be touched here.
func (s *session) move(to *station) {
	s.traffic.Move(s.meter.shown, monitor.ClientGone)
	s.recorder.ClientWent()
	delete(s.sessions, s)
	s.clock.suspend(s)
	s.moving.Store(true)
	s.home.Store(to)
	to.loop.Post(reactor.Func(func() { s.arrive(to) }))
}

// arrive continues on the new loop.
func (s *session) arrive(to *station) {
	s.station = to
	s.moving.Store(false)
	defer s.endEvent()
	to.sessions[s] = struct{}{}
	to.recorder.ClientCame()
	key := s.who.pool.Key()
	s.traffic, s.meter = to.recorder.Traffic(key.Database, key.User), meter{shown: monitor.ClientGone}
	s.clock.rearm(s)
	s.client.conn.Move(to.loop)
	if s.listen != nil && s.listen.sub != nil {
		s.listen.sub.Move(to.loop)
	}
	if s.draining {
		s.evicted()
	}
}

// Enter tells the loops whose the session's socket is. Until the session has
// arrived it is nobody's: an event that a loop has seen when it had the session
// before is not for the session's next time there.
func (s *session) Enter(l *reactor.Loop) bool { return s.home.Load().loop == l && !s.moving.Load() }
