package proxy

import (
	"bytes"
	"strings"

	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy/wire"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// Three things stay in a backend to its end, and a client may see that it is not a
// new one: which libraries are loaded, that it has a schema for temporary objects,
// and how much memory for these. Where that makes a difference the session gets a
// backend of its own.
// And PostgreSQL counts logins: a session that looks at the number gets one of its
// own first.

// countsLogins is called before a statement is sent, or prepared, and reports
// whether it must wait for a login of the session's own. That is ended at once. If
// none is to be had, the statement runs all the same.
func (s *session) countsLogins(class sqlparse.Class) (wait bool) {
	switch {
	case !class.CountsLogins || s.who.counted:
		return false
	case s.back.lease.Dedicated():
		s.who.counted = true
		return false
	case s.tx.unsynced || !s.mayRelease():
		return false
	case !s.quiet():
		s.pauseClient(pausedWaiting)
		return true
	}
	s.release()
	s.who.counted = true
	s.dial(map[string]string{}, func(b *pool.Backend, _ error) {
		if b != nil {
			b.Release()
		}
		if !s.gone {
			s.proceed()
		}
	})
	return true
}

// wantsNewBackend reports whether the next lease must be of a backend that has
// never had a temporary object: the session's new objects go to the schema for
// these, if that is there. PostgreSQL makes it when it is asked for, and then
// cannot prepare the transaction. So must it be for a label that sticks.
func (s *session) wantsNewBackend() bool {
	return (s.who.temporary || s.who.sticky) && s.state == stateReady
}

// mayNeedNewBackend reports whether the backend is being asked for a search_path
// that may be such.
func (s *session) mayNeedNewBackend() bool {
	return s.back.question != nil && s.tx.pins.Has(sqlparse.ReasonTemporary) && s.tx.pins.Has(sqlparse.ReasonSetting)
}

// createsTemporary reports whether objects are temporary with this search_path.
func createsTemporary(path string) bool {
	first, _, _ := strings.Cut(path, ",")
	return strings.Trim(first, ` "`) == "pg_temp"
}

// mayMove reports whether a text may have to run on a new backend, for the name of
// the setting that it sets, and it is being found out whether the session can leave
// the one that it has.
func (s *session) mayMove(class sqlparse.Class) bool {
	if s.back.question == nil || class.Pins != sqlparse.ReasonSetting.Set() || s.copyUnended() {
		return false
	}
	names, _ := class.Changed()
	return len(names) == 1 && (strings.Contains(names[0], ".") && !s.who.loads || names[0] == "temp_buffers" && !s.who.hadTemporary)
}

// spoilt is what somebody has done to a backend, so that a setting is refused.
type spoilt uint8

const (
	unspoilt    spoilt = iota
	byLibrary          // a library was loaded
	byTemporary        // there was a temporary table
)

// spoiltBy says what an error blames.
func spoiltBy(code string, body []byte) spoilt {
	switch {
	case reserved(code, body):
		return byLibrary
	case code == "22023" && strings.Contains(wire.ParseError(body).Detail, `"temp_buffers"`):
		return byTemporary
	}
	return unspoilt
}

// reserved reports whether an error says that a setting belongs to a library and
// is none of its: before the library is loaded it is not known, and may be set to
// anything (guc.c). The details of a name that is none at all do not repeat it.
func reserved(code string, body []byte) bool {
	if code != "42602" || !bytes.Contains(body, []byte("\x00Fguc.c\x00")) {
		return false
	}
	e := wire.ParseError(body)
	name, _, dotted := strings.Cut(e.Message, ".")
	name = name[strings.LastIndexAny(name, "\" ")+1:]
	return dotted && name != "" && strings.Contains(e.Detail, name)
}

// isStranger reports whether it was somebody else who has spoilt the backend:
//
//  1. the backend was not made for the session;
//  2. the session has not run anything that may have done so, here or elsewhere;
//  3. nothing of the session is on this backend yet.
func (s *session) isStranger(by spoilt) bool {
	did := s.who.loads
	if by == byTemporary {
		did = s.who.hadTemporary
	}
	return !s.back.lease.Dedicated() && s.pooled() && !did && !s.back.past
}

// moveToNew runs an exchange again, on a backend of the session's own.
func (s *session) moveToNew(sent []byte) {
	if s.back.status == wire.StatusIdle {
		s.unpin()
		s.release()
	} else {
		s.destroy("new_backend")
	}
	s.putBack(sent, "new_backend")
	s.dialOwn(sqlparse.ReasonNewBackend)
}

// notLonger gives up a backend that was made for an exchange that has failed there
// all the same.
func (s *session) notLonger() {
	if s.tx.pins.Has(sqlparse.ReasonNewBackend) && !s.own && !s.back.past && s.back.status == wire.StatusIdle {
		s.unpin()
	}
}
