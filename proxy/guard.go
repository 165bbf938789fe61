package proxy

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy/reactor"
	"github.com/pgjay/pgjay/proxy/wire"
)

// errPanic is what the client of a session that has panicked is told.
var errPanic = &wire.Error{
	Severity: "FATAL", Code: "XX000",
	Message: "pgjay: internal error; this connection is closed",
	Hint:    "PgJay's log says where it happened. Please report it.",
}

// endEvent is deferred by everything that a loop calls: it ends the event. A
// panic ends the session and its backend, of which nobody knows what state
// they are in; the other sessions go on.
func (s *session) endEvent() {
	if !s.fragile {
		if v := recover(); v != nil {
			s.crashed(v)
		}
	}
	s.accountStatements()
	if s.client.ended {
		s.seeOut()
	}
	if s.listen != nil {
		s.regulate()
	}
	s.observe()
}

// post has f called on the session's loop, as an event of the session. Any
// goroutine may call it.
func (s *session) post(f func()) {
	home := s.home.Load()
	home.loop.Post(reactor.Func(func() {
		if s.home.Load() != home || s.moving.Load() {
			s.post(f)
			return
		}
		defer s.endEvent()
		f()
	}))
}

// elsewhere runs what a goroutine does for the session and turns a panic into
// an error.
func (s *session) elsewhere(f func() error) (err error) {
	if s.fragile {
		return f()
	}
	defer func() {
		if v := recover(); v != nil {
			s.reportPanic(v)
			err = errPanic
		}
	}()
	return f()
}

// crashed ends the session after a panic. Nothing that it has is used again:
// buffers that may have two owners now are left to the garbage collector.
func (s *session) crashed(v any) {
	s.reportPanic(v)
	torn := s.midMessage()
	s.aside = s.aside[:0]
	s.client.in, s.back.in, s.back.sent = nil, nil, nil
	if s.back.lease != nil {
		s.attempt(func() { s.destroy("panic") })
		s.back = backendSide{}
	}
	if s.sample.start != 0 {
		s.attempt(func() { s.recordFailed(errPanic) })
	}
	s.tx, s.sample = transaction{}, exchangeSample{}
	if !torn {
		s.attempt(func() { s.failAs(errPanic, closedByPanic) })
	}
	s.attempt(func() { s.leave(closedByPanic) })
	s.attempt(s.bury)
}

// midMessage reports whether the client may have got a part of a message:
// then it cannot be told anything.
func (s *session) midMessage() bool {
	return s.state == stateTunnel || s.back.torn || s.back.rest > 0 && s.back.restAction == forward
}

// bury does what a panic in the middle of leave has left undone.
func (s *session) bury() {
	if _, known := s.sessions[s]; known {
		s.recordClose(closedByPanic)
		s.unregister(s)
	}
	s.client.conn.CloseAfterFlush()
	s.finish()
}

// attempt runs a step of the end of a session that has panicked. It may panic
// too.
func (s *session) attempt(step func()) {
	defer func() {
		if v := recover(); v != nil {
			s.reportPanic(v)
		}
	}()
	step()
}

// reportPanic counts a panic and logs where it happened. A panic in the pool is
// not the session's: who waits for its lock would wait for ever, and a backend
// might be given to two. The process ends.
func (s *session) reportPanic(v any) {
	if corrupt, ok := v.(pool.Corrupt); ok {
		panic(corrupt)
	}
	s.monitor.SessionPanicked()
	s.log.Error("internal error: a session has ended, the others go on",
		"session", s.id, "panic", panicText(v), "stack", string(debug.Stack()))
}

// panicText describes the value of a panic. Other values than the runtime's
// may have data of the client in them.
func panicText(v any) string {
	if err, ok := v.(runtime.Error); ok {
		return err.Error()
	}
	return fmt.Sprintf("%T", v)
}
