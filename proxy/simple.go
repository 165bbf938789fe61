package proxy

import (
	"encoding/binary"

	"github.com/pgjay/pgjay/proxy/wire"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// query sends a Query on. frame may be the beginning of a text that is longer
// than maxText; n is its whole length.
// It returns false if the Query must wait: a DISCARD ALL is sent alone, so
// that it is known whether it was the one that succeeded.
func (s *session) query(frame []byte, n int) bool {
	class := s.classify(textOf(frame, n), n)
	discard := class.Statements == 1 && class.Reset == sqlparse.DiscardAll && !s.tx.unsynced
	if discard && s.queue.owesClient() {
		s.pauseClient(pausedWaiting)
		return false
	}
	s.beginExchange(class)
	s.tx.discard = discard
	s.note(class)
	s.forgetUnnamed()
	s.back.lease.UnnamedOwner = 0 // a Query ends the unnamed statement
	s.tx.unsynced, s.tx.replaced = false, false
	s.send(frame)
	s.queue.push(expectQuery, forward)
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
		return sqlparse.Class{Pin: sqlparse.ReasonTooLong, First: sqlparse.CommandUnknown}
	}
	return sqlparse.Classify(text)
}

// note draws the consequences of a statement for the session.
func (s *session) note(class sqlparse.Class) {
	if class.Pin != sqlparse.ReasonNone {
		s.pin(class.Pin)
	}
	if class.Reset != sqlparse.ResetNone && !s.tx.discard {
		s.noteReset(class)
	}
	if !class.First.ReadOnly() || class.Statements != 1 {
		s.back.readOnly = false
	}
}

// largeObjectFunctions are the functions that drivers call through
// FunctionCall: they leave nothing behind at the end of the transaction.
var largeObjectFunctions = [...]uint32{715, 764, 767, 952, 953, 954, 955, 956, 957, 958, 964, 1004, 3170, 3171, 3172}

// functionCall sends a FunctionCall on. Its function is known by OID only.
func (s *session) functionCall(frame []byte) {
	s.beginExchange(sqlparse.Class{First: sqlparse.CommandUnknown})
	s.back.readOnly = false
	oid := binary.BigEndian.Uint32(frame[wire.HeaderLen:])
	known := false
	for _, lo := range largeObjectFunctions {
		known = known || lo == oid
	}
	if !known {
		s.pin(sqlparse.ReasonFunction)
	}
	s.tx.unsynced = false
	s.send(frame)
	s.queue.push(expectQuery, forward)
}
