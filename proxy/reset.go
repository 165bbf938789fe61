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
	all := s.who.startup.Settings()
	if class.Reset != sqlparse.ResetName {
		return all
	}
	settings := all[:0]
	for _, p := range all {
		reset, local := class.Resets(p.Name)
		if p.Local = !reset; reset || local {
			settings = append(settings, p)
		}
	}
	return settings
}

// reset prepares for a Query that undoes settings. It returns false if the
// Query must wait: it is sent when no earlier exchange is under way, so that
// the next ReadyForQuery is known to be its own.
func (s *session) reset(class sqlparse.Class) bool {
	switch {
	case s.queue.owesReady(), s.readsUndone(class) && s.back.question != nil:
		s.pauseClient(pausedWaiting)
		return false
	case s.wantsOwnBackend(class):
		s.moveToOwn()
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

// undoes notes settings that what is sent next undoes. Those that end with the
// transaction come last.
func (s *session) undoes(settings []pool.Setting) {
	if s.back.lease.Dedicated() {
		return // started with them
	}
	for _, p := range settings {
		if !slices.Contains(s.back.reapply, p) {
			s.back.reapply = append(s.back.reapply, p)
		}
	}
	slices.SortStableFunc(s.back.reapply, func(a, b pool.Setting) int {
		switch {
		case a.Local == b.Local:
			return 0
		case b.Local:
			return -1
		}
		return 1
	})
}

// bindReset notes what a portal will undo: what its statement does, with these values.
func (s *session) bindReset(portal []byte, st statement, values []byte) {
	var settings []pool.Setting
	if b := st.resets(); b != nil {
		settings = s.undone(b.class)
	}
	if s.client.nulls {
		settings = append(settings, s.undoneByNull(st, values)...)
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
	b := st.parsed()
	if b == nil || b.class.Reset == sqlparse.ResetNone {
		return nil
	}
	return b
}

// parsed returns what a Parse has made the statement of; nil: none, or it is too long.
func (st statement) parsed() *body {
	if st.body != nil {
		return st.body
	}
	return st.here
}

// readsUndone reports whether a text may read a start-up setting after it has reset it,
// on a backend that was started without.
func (s *session) readsUndone(class sqlparse.Class) bool {
	return class.ReadsReset && !s.back.lease.Dedicated() && len(s.undone(class)) > 0
}

// wantsOwnBackend reports whether a text does so, and can still be given a backend where
// that makes no difference.
func (s *session) wantsOwnBackend(class sqlparse.Class) bool {
	return class.ReadsReset && s.mayMoveToOwn() && s.readsUndone(class)
}

// mayMoveToOwn reports whether the session can be given a backend of its own: nothing of
// it is left on the one that it has.
func (s *session) mayMoveToOwn() bool {
	return !s.back.lease.Dedicated() && s.tx.pins == 0 && s.client.statements.bySQL == 0 &&
		s.back.status == wire.StatusIdle && s.begin.text == "" && !s.tx.unsynced
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
