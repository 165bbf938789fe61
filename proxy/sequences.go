package proxy

import (
	"github.com/pgjay/pgjay/proxy/wire"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// currval and lastval say what nextval and setval have left in the backend, who-
// ever called them there. No other client's value may be told: what is left is
// forgotten, so that PostgreSQL says that there is none (55000). That must be done
// before the session calls nextval itself, and what does so cannot be seen. So
//
//  1. when a session of the pool is seen to read for the first time, this is noted
//     for the pool; from then on, what another session has left is forgotten
//     whenever a lease begins, ahead of the session's first message;
//  2. for a session that reads before that was done on its lease, it is done now,
//     if all that the session has done on this lease is to read;
//  3. from then on nextval and setval pin as currval and lastval do: until then it
//     is likely that nobody will ask.

// forgetting makes a backend forget what nextval and setval have left.
const forgetting = "DISCARD SEQUENCES"

// unreadable are the reasons of texts that may call currval and lastval unseen.
const unreadable = sqlparse.Reasons(1<<sqlparse.ReasonUnknownCommand | 1<<sqlparse.ReasonUnparsed | 1<<sqlparse.ReasonEncoding |
	1<<sqlparse.ReasonTooLong)

// The functions that read what nextval has left.
const (
	currvalOID = 1575
	lastvalOID = 2559
)

// withSequences adds the reason to pin of what calls nextval or setval, if that
// matters to somebody.
func (s *session) withSequences(class sqlparse.Class) sqlparse.Class {
	if class.Advances && s.who.pool.SequencesRead() {
		class.Pin = max(class.Pin, sqlparse.ReasonSequence)
		class.Pins |= sqlparse.ReasonSequence.Set()
	}
	return class
}

// readsSequences is called before a statement is sent, or prepared, and reports
// whether it must wait: for replies, as what is sent behind an error may be skipped.
func (s *session) readsSequences(class sqlparse.Class) (wait bool) {
	if class.ReadsSequences {
		s.who.pool.NoteSequencesRead()
	} else if class.Pins&unreadable == 0 {
		return false
	}
	switch {
	case !s.strangeSequences() || s.back.effect != effectNone || s.tx.unsynced:
	case s.queue.owesReady():
		s.pauseClient(pausedWaiting)
		return true
	case !s.mayHaveFailed():
		s.forgetSequences()
	}
	return false
}

// strangeSequences reports whether another session may have called nextval on the
// backend.
func (s *session) strangeSequences() bool {
	last := s.back.lease.LastSession
	return last != 0 && last != s.who.token
}

// forgetSequences makes the backend forget what others have left.
func (s *session) forgetSequences() {
	s.back.lease.LastSession = 0
	s.back.lease.UnnamedOwner = 0
	s.toBackend(wire.AppendQuery(s.scratch[:0], forgetting))
	s.queue.push(expectForget, swallow)
}

// noteSequences is called at the end of a lease.
func (s *session) noteSequences() {
	switch {
	case s.back.discarded:
		s.back.lease.LastSession = 0
	case s.back.effect != effectNone:
		s.back.lease.LastSession = s.who.token
	}
}
