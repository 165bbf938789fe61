package proxy

import (
	"github.com/pgjay/pgjay/proxy/wire"
)

// errorReply handles ErrorResponse.
func (s *session) errorReply(body []byte) action {
	if severity := wire.ErrorSeverity(body); severity == 'F' || severity == 'P' {
		s.back.fatal = wire.ParseError(body)
		s.back.lease.Ends(s.back.fatal)
		return swallow // what becomes of it is decided when the socket closes
	}
	s.queue.skipMarks()
	if s.queue.empty() {
		return forward
	}
	s.back.begun = true
	if s.back.question != nil {
		s.back.question.failed = true
		s.back.question.canceled = string(wire.ErrorCode(body)) == timedOut
		s.back.question.denied = string(wire.ErrorCode(body)) == "42501"
		return swallow
	}
	forgets := s.queue.head().kind == expectForget
	if s.begin.replies > 0 && s.begin.failed && !s.back.labelling && !forgets {
		return swallow
	}
	if s.back.labelling || s.back.cleaning || s.begin.replies > 0 || forgets || s.queue.head().kind == expectTuning {
		s.back.broken = true // what it would do next would be done in the wrong state
		s.back.fatal = wire.ParseError(body)
		return swallow
	}
	if s.queue.head().kind.ours() && s.notBrought(body) {
		_, dropped := s.queue.skipToSync()
		s.undescribed(dropped.rows)
		return swallow
	}
	s.sample.setCode(wire.ErrorCode(body))
	s.noteFailed()
	head := s.queue.head()
	act := head.act
	if s.tx.copyIn.ambiguous {
		s.back.fence = true
	}
	s.tx.copyIn = copyState{}
	switch head.kind {
	case expectChange, expectLoad, expectChangeLoad:
		s.notPrepared(*head)
		s.queue.pop()
		s.skipToSync()
		act = forward // if it was ours, what the client wanted failed with it
	case expectRefusal:
		s.answerRefusal()
		s.queue.pop()
		s.skipToSync()
		return swallow
	case expectReply, expectOurs, expectRowType, expectNamed, expectMeaning:
		s.skipToSync()
		if !s.gone {
			act = forward // PostgreSQL sends errors at once; and see above
		}
	}
	if act == forward {
		act = s.forwardError(body)
	}
	return s.explainTimeout(act)
}

// skipToSync follows the backend in ignoring messages until the next Sync.
func (s *session) skipToSync() {
	synced, dropped := s.queue.skipToSync()
	if !synced {
		s.client.skipping = true
		s.tx.unsynced = true
	}
	s.skipSpares(dropped.spares, synced)
	s.client.statements.skip(dropped.changes)
	s.undescribed(dropped.rows)
	s.unrefused(dropped.refused)
	s.unasked(dropped.asked)
	for range dropped.loads {
		s.back.loads.done(false, &s.back.lease.Statements)
	}
}
