package proxy

import (
	"regexp"
	"slices"

	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// A RESET may stand in code, where it is not seen: in DO, or in a function. Then the
// backend, when it is asked, does not have settings any more that the client's start-up
// packet has. They are set again, and the client's next message waits for that.

// noteUnseenReset notes that a text may have such a RESET in it.
func (s *session) noteUnseenReset(class sqlparse.Class, changes bool) {
	if class.Pins&mayExecute != 0 && !s.who.startup.Empty() && !s.back.lease.Dedicated() {
		s.tx.left.mayReset = s.tx.left.mayReset || changes || s.hidden.setters(s.who.pool.Key())
	}
}

// mayBeReset reports whether it is being found out what was reset, or that is being
// undone.
func (s *session) mayBeReset() bool {
	q := s.back.question
	return !s.tx.unsynced && (s.back.relabels || q != nil && q.about.mayReset || s.tx.left.mayReset && (q != nil || s.queue.owesClient()))
}

// withStartup adds the settings to a label that only an unseen RESET can have taken away.
func (s *session) withStartup(q *question, l pool.Label) pool.Label {
	if !q.all || s.back.lease.Dedicated() {
		return l
	}
	missing := slices.DeleteFunc(s.who.startup.Settings(), func(p pool.Setting) bool {
		_, there := l.Get(p.Name)
		return there
	})
	if len(missing) == 0 {
		return l
	}
	return pool.NewLabel(slices.Concat(l.Settings(), missing))
}

// relabel gives the backend what was reset unseen.
func (s *session) relabel() {
	s.back.relabels = false
	if s.who.blurred {
		s.blur()
	}
	s.applySettings(pool.Diff(s.back.lease.Label, s.who.label), swallow)
	s.back.lease.Label = s.who.label
}

// resetsInCode finds a RESET in the text of DO.
var resetsInCode = regexp.MustCompile(`(?i)\b(?:reset|discard)\b|\bto\s+default\b`)

// codeResets gives a DO that may read a setting behind its RESET a backend where that makes
// no difference, if it can, and reports whether it must wait.
func (s *session) codeResets(class sqlparse.Class, text []byte) (wait bool) {
	return class.Pins.Has(sqlparse.ReasonDo) && !s.who.startup.Empty() && !s.back.lease.Dedicated() &&
		!s.copyUnended() && resetsInCode.Match(text) && s.owns()
}

// executesReset prepares for an EXECUTE of what a Parse has prepared and that undoes
// settings. It returns false if that must wait.
func (s *session) executesReset(class sqlparse.Class, text []byte) bool {
	d, _ := s.execution(class, text)
	if d == nil {
		return true
	}
	st := s.client.statements.named[d.Name]
	if b := st.parsed(); b != nil {
		if calls := s.nulls(b.class); len(calls) > 0 && s.owns() {
			return false
		} else if len(calls) > 0 {
			s.undoneBy(calls, nil)
		}
	}
	b := st.resets()
	if b == nil {
		return true
	}
	if s.queue.owesReady() {
		s.pauseClient(pausedWaiting)
		return false
	}
	s.undoes(s.undone(b.class))
	return true
}
