package proxy

import "github.com/pgjay/pgjay/rewrite/sqlparse"

// maxHurried bounds how often a question is asked that is canceled each time.
const maxHurried = 5

// asksAgain has a question asked again that was canceled, without the session's
// statement_timeout, of which it was not known: it is the server's, or was set in the
// text that the question is about.
func (s *session) asksAgain(q *question) bool {
	if s.back.hurried == maxHurried || s.gone {
		return false
	}
	s.back.hurried++
	left := q.about
	left.pins |= s.tx.left.pins
	left.settings = append(left.settings, s.tx.left.settings...)
	left.undone = left.undone || s.tx.left.undone
	left.mayReset = left.mayReset || s.tx.left.mayReset
	if s.tx.left.unsure {
		left.text = nil
	}
	left.unsure, left.all = true, true
	s.tx.left = left
	return true
}

// noteAlways draws the consequences of the settings for statements that were
// sent when it was not known that the session has them.
func (s *session) noteAlways() {
	if why := s.who.always; why != sqlparse.ReasonNone {
		s.tx.left.unsure, s.tx.left.all = true, true
		s.tx.left.pins |= why.Set()
	}
}
