package proxy

import "github.com/pgjay/pgjay/rewrite/sqlparse"

// maxHurried bounds how often a question is asked that is canceled each time.
const maxHurried = 5

// asksHurried has a question asked again that was canceled, without the session's
// statement_timeout, of which it was not known: it is the server's, or was set in the
// text that the question is about.
func (s *session) asksHurried(q *question) bool {
	if s.back.hurried == maxHurried || s.gone {
		return false
	}
	s.back.hurried++
	s.askAgain(q)
	return true
}

// asksLess has a client who has no right to some of the question asked for its channels
// only, if it waits for these. What is not asked pins.
func (s *session) asksLess(q *question) bool {
	if q.less || !q.settles || s.gone {
		return false
	}
	s.back.denied = true
	s.askAgain(q)
	return true
}

// askLess asks that.
func (s *session) askLess(left leftover) {
	q := &question{about: left, meaning: s.who.meaning, asksLeft: true, settles: true, less: true}
	s.sendQuestion(q, "SET LOCAL statement_timeout = 0; "+askChannels)
}

// askAgain has the backend asked again.
func (s *session) askAgain(q *question) {
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
}

// noteAlways draws the consequences of the settings for statements that were
// sent when it was not known that the session has them.
func (s *session) noteAlways() {
	if why := s.who.always; why != sqlparse.ReasonNone {
		s.tx.left.unsure, s.tx.left.all = true, true
		s.tx.left.pins |= why.Set()
	}
}
