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

// served says what became of a statement that was looked up.
type served uint8

const (
	servedNot   served = iota // it is to be forwarded; the answer is kept if it may be
	servedHere                // it has been answered
	servedLater               // it must wait
)

// bypass says why the client may not be answered from the cache now. It may be if
//
//  1. it is known what its settings are, and nothing of it is in a backend;
//  2. nothing of its is under way;
//  3. it does not listen: notifications have their place between the replies;
//  4. a transaction that it is in is READ COMMITTED and has done nothing but read.
func (s *session) bypass() cache.Bypass {
	switch {
	case s.who.blurred:
		return cache.BypassSettings
	case s.listen != nil:
		return cache.BypassListens
	case s.who.always != sqlparse.ReasonNone:
		return cache.BypassPinned
	case s.own, !s.pooled():
		return cache.BypassMode
	case s.back.lease != nil:
		return s.bypassHere()
	case s.begin.failed:
		return cache.BypassFailed
	}
	return s.bypassIsolation()
}

// bypassHere is bypass for a session that has a backend.
func (s *session) bypassHere() cache.Bypass {
	switch {
	case s.tx.pins != 0:
		return cache.BypassPinned
	case s.back.status == wire.StatusError:
		return cache.BypassFailed
	case s.cancel.inFlight != 0, s.back.status != wire.StatusTransaction, !s.quiet():
		return cache.BypassBusy
	case !s.tx.reads:
		return cache.BypassWrote
	}
	return cache.NoBypass
}

// bypassed counts why a statement was not looked up, and reports whether it was not.
func (s *session) bypassed() bool {
	why := s.bypass()
	if why == cache.NoBypass {
		return false
	}
	s.databases.cache.Bypassed(why, s.loop.Index())
	return true
}

// bypassIsolation looks whether the transaction that the client is in, or that its
// next statement is, is READ COMMITTED. As long as the default is not known, nothing is
// kept either.
func (s *session) bypassIsolation() cache.Bypass {
	switch s.begin.isolation {
	case "":
		if known := s.who.signature.learnt.Load(); known == nil || known.committed {
			return cache.NoBypass
		}
	case "read committed", "read uncommitted":
		return cache.NoBypass
	}
	return cache.BypassIsolation
}

// readsCommitted is bypassIsolation for a session of which it may not be known.
func (s *session) readsCommitted() bool {
	return s.who.signature != nil && s.bypassIsolation() == cache.NoBypass
}

// serves reports whether the client is one whose answers are kept.
func (s *session) serves() bool { return s.databases.serving && s.who.signature != nil }

// servedQuery answers a Query from the cache, if it can.
func (s *session) servedQuery(frame []byte, n int) served {
	if !s.serves() || n != len(frame) || !mayRead(frame[wire.HeaderLen:]) || s.bypassed() {
		return servedNot
	}
	text := textOf(frame, n)
	q := lookup{text: text, hint: hintOf(text)}
	if s.cold > 0 && s.isCold(&q) {
		return servedNot
	}
	q.key = s.queryKey(text, q.hint)
	e, outcome := s.find(&q)
	if e != nil {
		s.client.statements.unnamed = statement{}
		s.observeServed(nil, text)
		s.serve(e, nil, nil)
		return servedHere
	}
	return s.missed(&q, outcome)
}

// queryKey returns what the answer to a Query is found by.
func (s *session) queryKey(text []byte, hint cache.HintSet) cache.Key {
	bare, _ := cache.StripComments(s.scratch[:0], text, s.who.standard)
	h := &s.hasher
	h.Reset()
	h.Uint64(s.who.signature.id)
	h.Uint64(uint64(hint.TTL))
	h.Bytes(bare)
	return h.Sum()
}

// lookup is a statement that is looked up.
type lookup struct {
	key    cache.Key
	hint   cache.HintSet
	text   []byte // SQL
	body   *body  // nil: it is a Query
	values []byte // what the Bind says behind the names
	verify *cache.Entry
}

// hintOf reads the hint at the beginning of a text.
func hintOf(text []byte) (h cache.HintSet) {
	if len(text) > 0 && (text[0] == '/' || text[0] <= ' ') {
		h, _ = cache.Hint(text)
	}
	return h
}

// mayRead tells by its first letter whether a text is worth a look: SELECT, WITH,
// VALUES, TABLE, or a parenthesis or comment before one of these.
func mayRead(text []byte) bool {
	text = bytes.TrimLeft(text, " \n\r\t")
	if len(text) == 0 {
		return false
	}
	switch text[0] {
	case 's', 'S', 'w', 'W', 'v', 'V', 't', 'T', '(', '/', '-':
		return true
	}
	return false
}

// find looks an answer up. It may be one that the session has waited for.
func (s *session) find(q *lookup) (*cache.Entry, cache.Outcome) {
	if e := s.takeJoined(q.key); e != nil {
		s.sample.source = monitor.SourceCoalesced
		return e, cache.Hit
	}
	switch {
	case q.hint.NoCache:
		return nil, cache.Absent
	case s.warming != nil: // it is to make a new answer
		return nil, cache.Expired
	}
	e, outcome := s.databases.cache.Get(q.key, s.loop.Now())
	switch {
	case e == nil:
		return nil, outcome
	case outcome == cache.Refresh: // this one gets the new answer
		return nil, outcome
	}
	s.hits++
	if s.databases.cache.Sampled(s.hits) {
		q.verify = e
		return nil, outcome
	}
	s.sample.source = monitor.SourceCache
	s.quitJoin()
	return e, outcome
}

// timeHits is how many hits there are to one whose time is taken: that of the hit
// alone, without the clients that came before in the same event.
const timeHits = 64

// serve sends an answer of the cache, with what stands before it and behind it.
func (s *session) serve(e *cache.Entry, before, behind []byte) {
	now, timed, began := s.loop.Now(), s.hits%timeHits == 0, int64(0)
	if timed {
		began = s.loop.Clock()
	}
	s.sample.start, s.sample.command = now, sqlparse.CommandSelect
	s.toClient(before)
	core, plain := e.Core()
	if !plain {
		core = e.AppendTo(s.takeBuffer(e.Size()))
	}
	s.toClient(core)
	if !plain {
		s.giveBuffer(core)
	}
	s.sample.observed.bytes = uint64(len(core))
	status := s.heldStatus()
	if s.back.lease != nil {
		status = s.back.status
	}
	s.toClient(wire.AppendReadyForQuery(append(s.scratch[:0], behind...), status))
	s.record()
	if timed {
		e.Shape().Hit(s.loop.Clock() - began)
	}
	if status != wire.StatusIdle {
		s.clock.set(s, timeoutIdleInTransaction, s.settings().timeouts.IdleInTransaction)
		return
	}
	s.tx.began = now
	s.endTransaction(now, monitor.TransactionCommitted)
}

// missed looks whether the answer to a statement that was not found may be kept when
// it is forwarded.
func (s *session) missed(q *lookup, outcome cache.Outcome) served {
	began := s.loop.Clock()
	v := s.verdictOn(q)
	if v == nil {
		return servedNot
	}
	if outcome == cache.Absent {
		v.shape.Absent()
	}
	made := s.newFill(v, q, outcome)
	if made == nil {
		return servedNot
	}
	s.fill = made
	if s.join(made) {
		return servedLater
	}
	made.extra = s.loop.Clock() - began
	return servedNot
}
