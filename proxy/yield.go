package proxy

import (
	"strings"

	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy/wire"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// A label may be refused though it was accepted before: its role was dropped, or a right
// was revoked. PostgreSQL lets a session keep such a role. Here the message for which the
// backend was needed gets the error, as nothing may run without the label. But for the
// statement by which the session yields what is refused: a RESET ROLE, say. It runs without
// that. If it fails, the session has yielded nothing.

// yielding is what a session gives up by the statement that is under way.
type yielding struct {
	former pool.Label // the label with it; empty: there is no such statement
	failed bool       // the statement has
}

// tries reports whether there is such a statement.
func (y *yielding) tries() bool { return !y.former.Empty() }

// labelRefused is called when a backend has refused the label. again is set when the
// session had yielded something already.
func (s *session) labelRefused(cause *wire.Error, again bool) {
	if label, ok := s.yielded(); ok && !again && label != s.who.label {
		s.yields = yielding{former: s.who.label}
		s.setLabel(label)
		s.proceed()
		return
	}
	s.answerPending(backendLost(cause))
}

// yielded returns the label without what the client's next statement sets anew, or undoes:
//
//  1. no transaction is open, which could take that back later;
//  2. it is the only statement until the next ReadyForQuery;
//  3. it is DISCARD ALL, or SET or RESET of one setting, not LOCAL;
//  4. it does not go back to a value of the start-up packet, which may be refused, too.
func (s *session) yielded() (label pool.Label, ok bool) {
	text := onlyStatement(s.client.in)
	if s.begin.text != "" || text == nil {
		return label, false
	}
	st := s.texts.memo.Get(text)
	if !st.Cheap() || st.Facts().Opaque || len(st.Facts().Parts) != 1 {
		return label, false
	}
	switch d := st.Facts().Parts[0].Detail.(type) {
	case *sqlparse.Discard:
		return s.who.startup, d.Kind == sqlparse.DiscardingAll
	case *sqlparse.Setting:
		return s.without(d)
	}
	return label, false
}

// without returns the label without a setting.
func (s *session) without(d *sqlparse.Setting) (label pool.Label, ok bool) {
	name := strings.ToLower(d.Name)
	_, started := s.who.startup.Get(name)
	switch {
	case name == "" || d.Local:
		return label, false
	case d.Kind == sqlparse.SettingValue:
	case d.Kind != sqlparse.SettingDefault && d.Kind != sqlparse.SettingReset || started:
		return label, false
	}
	settings := append(s.who.label.Settings(), pool.Setting{Name: name, Reset: true})
	if name == "session_authorization" {
		settings = append(settings, pool.Setting{Name: "role", Reset: true})
	}
	return pool.NewLabel(settings), true
}

// onlyStatement returns the text of the Query that a client's input begins with, or of the
// Parse, if Bind, perhaps Describe, Execute and Sync follow. It is nil if they do not, or
// not all of it is there.
func onlyStatement(in []byte) (text []byte) {
	var parsed []byte
	for _, typ := range [...]byte{wire.Parse, wire.Bind, wire.Describe, wire.Execute, wire.Sync} {
		n, ok := wire.FrameLen(in)
		switch {
		case !ok || n < 0 || n > len(in) || n > maxText:
			return nil
		case typ == wire.Parse && in[0] == wire.Query:
			return textOf(in[:n], n)
		case typ == wire.Describe && in[0] != typ:
			continue
		case in[0] != typ:
			return nil
		}
		name, named := statementName(typ, in[:n])
		switch {
		case typ == wire.Parse:
			parsed = name
			_, rest, _ := wire.CString(in[wire.HeaderLen:n])
			text, _, _ = wire.CString(rest)
		case typ == wire.Bind && (!named || string(name) != string(parsed)):
			return nil
		}
		in = in[n:]
	}
	return text
}

// keepsFormer is called when nothing is under way any more. It reports whether the session
// has yielded nothing; otherwise that is done with.
func (s *session) keepsFormer() bool {
	if !s.yields.tries() || !s.back.used || s.gone {
		return false
	}
	if s.yields.failed {
		return true
	}
	s.yields = yielding{}
	return false
}

// restoreFormer gives the session its label back when it loses the backend where it was to
// yield some of it.
func (s *session) restoreFormer() {
	if former := s.yields.former; !former.Empty() {
		s.yields = yielding{}
		s.setLabel(former)
	}
}
