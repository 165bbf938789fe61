package proxy

import (
	"regexp"
	"slices"

	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy/wire"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// set_config with NULL for a value, and so an UPDATE of pg_settings, puts a setting back as
// RESET does, and tells in its answer to what. Where that may be a setting of the client's
// start-up packet, the session gets a backend of its own that was started with it. If
// something of the session is left on the one that it has, or a Bind shows it too late, the
// setting is set again behind it.

// nulls returns the calls in a text that may reset a start-up setting.
func (s *session) nulls(class sqlparse.Class) []sqlparse.Config {
	if !class.Nulls || s.who.startup.Empty() || s.back.lease.Dedicated() {
		return nil
	}
	return slices.DeleteFunc(class.Configs(), func(call sqlparse.Config) bool {
		_, startup := s.who.startup.Get(call.Name)
		return call.Value == sqlparse.ConfigString || call.Name != "" && !startup
	})
}

// nullsBound does so for a statement that is bound to these values.
func (s *session) nullsBound(st statement, values []byte) []sqlparse.Config {
	b := st.parsed()
	if b == nil {
		return nil
	}
	calls := s.nulls(b.class)
	if len(calls) == 0 {
		return nil
	}
	bound, whole := readArguments(values)
	left := calls[:0]
	for _, call := range calls {
		if n := call.Parameter; call.Value == sqlparse.ConfigParameter && whole && n > 0 && n <= len(bound.values) {
			if bound.values[n-1] != nil {
				continue
			}
			call.Value = sqlparse.ConfigNull
		}
		left = append(left, call)
	}
	return left
}

// resetsByNull prepares for a Query that may do so. It returns false if that must wait.
func (s *session) resetsByNull(class sqlparse.Class, text []byte) bool {
	calls := s.nulls(class)
	if len(calls) == 0 || s.copyUnended() {
		return true
	}
	if s.owns() {
		return false
	}
	s.undoes(s.undoneBy(calls, text))
	return true
}

// owns gives the session a backend of its own if it can, and reports whether it must wait.
func (s *session) owns() (wait bool) {
	switch {
	case s.queue.owesReady(), s.back.question != nil:
		s.pauseClient(pausedWaiting)
	case s.mayMoveToOwn():
		s.moveToOwn()
	default:
		return false
	}
	return true
}

// parsesNull is called before a Parse is sent, and reports whether it must wait. Of what
// depends on the values nothing is known yet.
func (s *session) parsesNull(class sqlparse.Class) (wait bool) {
	return !s.tx.unsynced && slices.ContainsFunc(s.nulls(class), func(call sqlparse.Config) bool { return call.Value != sqlparse.ConfigParameter }) && s.owns()
}

// bindsNull does so for a Bind.
func (s *session) bindsNull(frame []byte) (wait bool) {
	if s.tx.unsynced || s.who.startup.Empty() {
		return false
	}
	_, rest, _ := wire.CString(frame[wire.HeaderLen:])
	name, values, ok := wire.CString(rest)
	if !ok {
		return false
	}
	st, _ := s.client.statements.get(name)
	return len(s.nullsBound(st, values)) > 0 && s.owns()
}

// undoneByNull returns what a statement undoes with these values.
func (s *session) undoneByNull(st statement, values []byte) []pool.Setting {
	if calls := s.nullsBound(st, values); len(calls) > 0 {
		return s.undoneBy(calls, st.parsed().sql)
	}
	return nil
}

// bareConfig is a text that does nothing but call set_config.
var bareConfig = regexp.MustCompile(`(?i)^\s*select\s+(?:pg_catalog\s*\.\s*)?set_config\s*\([^()]*\)\s*(?:as\s+\w+\s*)?;?\s*$`)

// undoneBy returns what a text undoes by these calls. If that is not sure the backend is
// asked when the transaction is over.
func (s *session) undoneBy(calls []sqlparse.Config, text []byte) []pool.Setting {
	call := calls[0]
	if len(calls) == 1 && call.Name != "" && call.Value == sqlparse.ConfigNull && call.LocalKnown && bareConfig.Match(text) {
		value, _ := s.who.startup.Get(call.Name)
		return []pool.Setting{{Name: call.Name, Value: value, Local: call.Local}}
	}
	if slices.ContainsFunc(calls, func(call sqlparse.Config) bool { return !call.Local }) {
		s.tx.left.mayReset, s.tx.left.all = true, true
	}
	return nil
}
