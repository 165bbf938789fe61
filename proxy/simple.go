package proxy

import (
	"encoding/binary"
	"slices"

	"github.com/pgjay/pgjay/proxy/wire"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// query sends a Query on. frame may be the beginning of a text that is longer
// than maxText; n is its whole length.
// It returns false if the Query must wait.
func (s *session) query(frame []byte, n int) bool {
	text := textOf(frame, n)
	class := s.classify(text, n)
	if class.Reset != sqlparse.ResetNone && !s.copyUnended() && !s.reset(class) {
		return false
	}
	if class.Nulls && !s.resetsByNull(class, text) {
		return false
	}
	if s.codeResets(class, text) || s.mustExpose(class, text, s.revival(class, text)) {
		return false
	}
	if !s.executesReset(class, text) || s.readsSequences(class) || s.countsLogins(class) || s.looksAtPlans(class, text) {
		return false
	}
	if s.mayMove(class) {
		s.pauseClient(pausedWaiting)
		return false
	}
	if (s.listen != nil || class.Pins.Has(sqlparse.ReasonListen)) && !s.heed(class, text) {
		return false
	}
	begun := class
	begun.ReadsState = class.ReadsState || s.listen != nil && s.hasDoor(text)
	s.beginExchange(begun)
	s.observeQuery(text, n)
	s.note(class, text)
	s.endBatch()
	s.tx.drops = s.tx.drops || class.Drops
	s.tx.spared = false
	s.sendQuery(class, frame, n)
	s.queue.push(expectQuery, forward)
	s.queue.flush()
	return true
}

// textOf returns the SQL text in a Query's frame.
func textOf(frame []byte, n int) []byte {
	text := frame[wire.HeaderLen:]
	if len(frame) == n && len(text) > 0 {
		text = text[:len(text)-1]
	}
	return text
}

// classify asks sqlparse about a text, or takes the worst for granted when not
// all of it is there.
func (s *session) classify(text []byte, n int) sqlparse.Class {
	if n > maxText {
		return sqlparse.Unread()
	}
	return s.withAlways(s.withDeclared(s.texts.class(text), text))
}

// withDeclared takes what the configuration says of functions into account.
func (s *session) withDeclared(class sqlparse.Class, text []byte) sqlparse.Class {
	if class.Pins&opaque == 0 {
		return class
	}
	if functions := s.who.pool.Settings().Functions; functions != nil {
		return sqlparse.ClassifyWith(text, functions.Find)
	}
	return class
}

// withAlways adds the reasons to pin that a statement alone does not tell.
func (s *session) withAlways(class sqlparse.Class) sqlparse.Class {
	class.Pin = max(class.Pin, s.who.always)
	class.Pins |= s.who.always.Set()
	return s.withSequences(class)
}

// largeObjectFunctions are the functions that drivers call through
// FunctionCall: they leave nothing behind at the end of the transaction.
var largeObjectFunctions = [...]uint32{715, 764, 767, 952, 953, 954, 955, 956, 957, 958, 964, 1004, 3170, 3171, 3172}

// functionCall sends a FunctionCall on. Its function is known by OID only. It
// returns false if the message must wait.
func (s *session) functionCall(frame []byte) bool {
	var oid uint32
	if body := frame[wire.HeaderLen:]; len(body) >= 4 {
		oid = binary.BigEndian.Uint32(body)
	}
	class := sqlparse.Class{First: sqlparse.CommandUnknown, ReadsSequences: oid == currvalOID || oid == lastvalOID}
	if s.readsSequences(class) {
		return false
	}
	s.beginExchange(class)
	s.back.effect, s.who.loads = effectUnknown, true
	if s.who.database != nil && !slices.Contains(largeObjectFunctions[:], oid) {
		s.expectChanges(s.unknownChanges(sqlparse.Class{Pins: sqlparse.ReasonFunction.Set()}, nil))
	}
	switch {
	case class.ReadsSequences:
		s.pin(sqlparse.ReasonSequence)
	case !slices.Contains(largeObjectFunctions[:], oid):
		s.pin(sqlparse.ReasonFunction)
	}
	s.endBatch()
	s.send(frame)
	s.queue.push(expectCall, forward)
	s.queue.flush()
	return true
}
