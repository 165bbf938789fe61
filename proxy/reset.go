package proxy

import (
	"slices"

	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy/wire"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// A RESET puts a setting back to what the client's start-up packet said; that
// is the session's default (config.sgml, "Setting Parameters"). A backend of
// the pool was started without it, so there it is set again when the RESET has
// succeeded: the ReadyForQuery of the RESET's exchange is held back until then.

// undone returns the start-up settings that a text undoes.
func (s *session) undone(class sqlparse.Class) []pool.Setting {
	settings := s.who.startup.Settings()
	if class.Reset == sqlparse.ResetName {
		settings = slices.DeleteFunc(settings, func(p pool.Setting) bool { return !class.Resets(p.Name) })
	}
	return settings
}

// reset prepares for a Query that undoes settings. It returns false if the
// Query must wait: it is sent when no earlier exchange is under way, so that
// the next ReadyForQuery is known to be its own.
func (s *session) reset(class sqlparse.Class) bool {
	if s.wantsOwnBackend(class) {
		s.moveToOwn()
		return false
	}
	if s.queue.owesReady() {
		s.pauseClient(pausedWaiting)
		return false
	}
	s.tx.discard = class.Statements == 1 && class.Reset == sqlparse.DiscardAll && !s.tx.unsynced
	s.undoes(s.undone(class))
	return true
}

// moveToOwn gives the session a backend that was started with its settings, when nothing
// is under way any more.
func (s *session) moveToOwn() {
	if !s.queue.empty() {
		s.pauseClient(pausedWaiting)
		return
	}
	s.release()
	s.dialOwn(sqlparse.ReasonStartup)
}

// executeReset does what reset does for an Execute, if its portal undoes
// settings.
func (s *session) executeReset(body []byte) bool {
	portal, _, _ := wire.CString(body)
	settings := s.client.resets[string(portal)]
	if len(settings) > 0 && s.queue.owesReady() {
		s.pauseClient(pausedWaiting)
		return false
	}
	s.undoes(settings)
	return true
}

// undoes notes settings that what is sent next undoes.
func (s *session) undoes(settings []pool.Setting) {
	if s.back.lease.Dedicated() {
		return // started with them
	}
	for _, p := range settings {
		if !slices.Contains(s.back.reapply, p) {
			s.back.reapply = append(s.back.reapply, p)
		}
	}
}

// bindReset notes what a portal will undo: what its statement does.
func (s *session) bindReset(portal []byte, st statement) {
	var settings []pool.Setting
	if b := st.resets(); b != nil {
		settings = s.undone(b.class)
	}
	switch {
	case len(settings) == 0 && s.client.resets == nil:
	case len(settings) == 0:
		delete(s.client.resets, string(portal))
	default:
		if s.client.resets == nil {
			s.client.resets = make(map[string][]pool.Setting)
		}
		s.client.resets[string(portal)] = settings
	}
}

// resets returns what puts settings back to their defaults; nil: it does not.
func (st statement) resets() *body {
	b := st.body
	if b == nil {
		b = st.here
	}
	if b == nil || b.class.Reset == sqlparse.ResetNone {
		return nil
	}
	return b
}

// wantsOwnBackend reports whether a text may read a setting after it has reset
// it, and can still be given a backend where that makes no difference: nothing
// of the session is left on the one that it has.
func (s *session) wantsOwnBackend(class sqlparse.Class) bool {
	return class.ReadsReset &&
		!s.back.lease.Dedicated() && s.tx.pins == 0 && s.client.statements.bySQL == 0 &&
		s.back.status == wire.StatusIdle && s.begin.text == "" && !s.tx.unsynced &&
		len(s.undone(class)) > 0
}

// applyAgain is called at the end of an exchange. It sends the start-up
// settings that were undone, if any, and reports whether it did; the client
// gets the ReadyForQuery that ends that. A cancel request that is on its way must
// not hit it: then it waits.
func (s *session) applyAgain() bool {
	settings, undone := s.back.reapply, s.back.undone
	if settings == nil {
		return false
	}
	s.back.reapply, s.back.undone = nil, false
	if !undone && (s.sample.code != [2]byte{} || s.back.status == wire.StatusError) {
		s.reportChanged() // the RESET was rolled back
		return false
	}
	if s.cancel.inFlight > 0 {
		s.back.reapply, s.back.deferred = settings, true
		return true
	}
	s.applySettings(settings, forward)
	return true
}

// applyDeferred does what waited for a cancel request.
func (s *session) applyDeferred() {
	settings := s.back.reapply
	s.back.reapply, s.back.deferred = nil, false
	s.applySettings(settings, forward)
}
