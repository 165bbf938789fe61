package proxy

import (
	"github.com/pgjay/pgjay/proxy/wire"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// SQL knows prepared statements by name: PREPARE, EXECUTE, DEALLOCATE and the view
// pg_prepared_statements. For these the backend is given the client's statements
// under the client's names, and those of all sessions are dropped. The session is
// pinned to it as long as there are any.

// mustExpose does so for a Parse, and reports whether that must wait.
func (s *session) mustExpose(b *body) bool {
	return b.class.Pins.Has(sqlparse.ReasonPrepared) && !s.copyUnended() && !s.expose()
}

// expose gives the backend the client's statements. It returns false if that must
// wait for replies. A failed transaction refuses what SQL does with them anyway.
func (s *session) expose() bool {
	if !s.shares() {
		return true
	}
	if s.flush(); !s.queue.empty() { // what is sent behind an error is skipped
		s.pauseClient(pausedWaiting)
		return false
	}
	if s.back.status == wire.StatusError {
		return true
	}
	s.dropShared()
	s.closeStrays()
	for name, st := range s.client.statements.all {
		if !st.shared() {
			continue
		}
		s.tokens++
		own := statement{body: st.body, token: s.tokens}
		if name != "" {
			own.body = nil // it stays here
			s.toBackend(wire.AppendParseBody(s.scratch[:0], name, st.body.text))
			s.queue.push(expectOurs, swallow)
			s.syncOurs()
		}
		s.client.statements.set(name, own)
	}
	s.syncOurs()
	s.back.exposed = true
	return true
}

// syncOurs ends what was sent on our behalf, unless it is in the midst of the
// client's messages.
func (s *session) syncOurs() {
	if !s.tx.unsynced {
		s.toBackend(wire.AppendEmpty(s.scratch[:0], wire.Sync))
		s.queue.push(expectSync, swallow)
	}
}

// unexpose goes back to shared statements: the client has none on the backend.
func (s *session) unexpose() {
	if s.back.exposed {
		s.back.exposed = false
		s.client.statements.clear()
	}
}
