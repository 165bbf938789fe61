package proxy

import (
	"bytes"

	"github.com/pgjay/pgjay/cache"
	"github.com/pgjay/pgjay/monitor"
	"github.com/pgjay/pgjay/proxy/wire"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// A statement that the cache has the answer to never leaves the proxy. It is looked
// up by who asks, with which settings, and its exact text and parameters: that it
// may be remembered was decided when it was put there.

// mayServe reports whether the client may be answered from the cache now:
//
//  1. it is known what its settings are, and nothing of it is in a backend: it has
//     none, and nothing of its is under way;
//  2. if it is in a transaction, that is READ COMMITTED and has done nothing yet;
//  3. it does not listen: notifications have their place between the replies.
func (s *session) mayServe() bool {
	sig := s.who.signature
	if sig == nil || s.back.lease != nil || s.listen != nil || s.own || s.who.blurred ||
		s.who.always != sqlparse.ReasonNone || !s.pooled() {
		return false
	}
	if s.begin.failed {
		return false
	}
	switch s.begin.isolation {
	case "":
		known := sig.learnt.Load()
		return known == nil || known.committed
	case "read committed", "read uncommitted":
		return true
	}
	return false
}

// served says what became of a statement that was looked up.
type served uint8

const (
	servedNot   served = iota // it is to be forwarded; the answer is kept if it may be
	servedHere                // it has been answered
	servedLater               // it must wait
)

// servedQuery answers a Query from the cache, if it can.
func (s *session) servedQuery(frame []byte, n int) served {
	if n != len(frame) || !mayRead(frame[wire.HeaderLen:]) || !s.mayServe() {
		return servedNot
	}
	text := textOf(frame, n)
	stripped := cache.StripComments(text)
	h := &s.hasher
	h.Reset()
	h.Uint64(s.who.signature.id)
	h.Bytes(stripped)
	key := h.Sum()
	e, outcome := s.find(key)
	if e != nil {
		s.client.statements.unnamed = statement{}
		s.serve(e, nil, nil)
		return servedHere
	}
	return s.missQuery(key, outcome, stripped)
}

// find looks an answer up. It may be one that the session has waited for.
func (s *session) find(key cache.Key) (*cache.Entry, cache.Outcome) {
	if e := s.takeJoined(); e != nil {
		s.sample.source = monitor.SourceCoalesced
		return e, cache.Hit
	}
	s.sample.source = monitor.SourceCache
	e, outcome := s.databases.cache.Lookup(key, s.loop.Now())
	switch {
	case e == nil:
		return nil, outcome
	case outcome == cache.Refresh: // this one gets the new answer
		return nil, outcome
	case s.samplesHit():
		s.verify = e
		return nil, outcome
	}
	s.quitJoin()
	return e, outcome
}

// mayRead tells by its first letter whether a text is worth a look: SELECT, WITH,
// VALUES, TABLE, or a parenthesis or comment before one of these.
func mayRead(text []byte) bool {
	text = bytes.TrimLeft(text, " \n\r\t")
	if len(text) == 0 {
		return false
	}
	switch text[0] | 0x20 {
	case 's', 'w', 'v', 't', '(' | 0x20, '/' | 0x20, '-' | 0x20:
		return true
	}
	return false
}

// serve sends an answer of the cache, with what stands before it and behind it.
func (s *session) serve(e *cache.Entry, before, behind []byte) {
	now := s.loop.Now()
	s.sample.start, s.sample.command = now, sqlparse.CommandSelect
	s.toClient(before)
	if core, ok := e.Core(); ok {
		s.toClient(core)
	} else {
		s.toClient(e.AppendTo(nil))
	}
	s.toClient(wire.AppendReadyForQuery(append(s.scratch[:0], behind...), s.heldStatus()))
	s.record()
	if s.begin.text != "" {
		s.clock.set(s, timeoutIdleInTransaction, s.settings().timeouts.IdleInTransaction)
	} else {
		s.tx.began = now
		s.endTransaction(now, s.transactionResult())
	}
}

// worthKeeping reports whether the answer to a statement that was not found is likely
// to be asked for again: it has been before.
func (s *session) worthKeeping(key cache.Key, outcome cache.Outcome) bool {
	return outcome != cache.Absent || s.joined != (joined{}) || s.missed.again(key)
}

// missQuery looks whether the answer to a Query that is about to be forwarded may be
// kept.
func (s *session) missQuery(key cache.Key, outcome cache.Outcome, text []byte) served {
	s.sample.source = monitor.SourceBackend
	if pattern, ok := sqlparse.AppendPattern(s.scratch[:0], text); ok {
		v := s.verdictOn(pattern, false)
		v.shape.Missed(outcome)
		if s.worthKeeping(key, outcome) && s.arm(key, v, v.current(s, text, nil), text) {
			return servedLater
		}
	}
	return servedNot
}
