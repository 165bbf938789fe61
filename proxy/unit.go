package proxy

import (
	"bytes"
	"encoding/binary"

	"github.com/pgjay/pgjay/cache"
	"github.com/pgjay/pgjay/proxy/wire"
)

// unit is a run of extended messages that asks for one answer: Parse if the
// statement is new, Bind of the unnamed portal, Describe if its rows are to be
// described, Execute of all of it, Close, Sync. The pieces refer to the client's
// bytes.
type unit struct {
	parse    []byte // the frame; nil: none
	name     []byte // of the statement
	values   []byte // what the Bind says behind the names
	describe bool
	closes   bool
	length   int
}

// maxUnit bounds the length in bytes of what is looked at.
const maxUnit = 16 << 10

// readUnit reads a unit that p begins with; ok is false if it is none, or not all of
// it is there.
func readUnit(p []byte) (u unit, ok bool) {
	const (
		start = iota
		parsed
		bound
		described
		executed
		closed
	)
	for at := start; u.length < min(len(p), maxUnit); {
		rest := p[u.length:]
		n, whole := wire.FrameLen(rest)
		if !whole || n < 0 || n > len(rest) {
			return u, false
		}
		frame := rest[:n]
		body := frame[wire.HeaderLen:]
		u.length += n
		switch typ := frame[0]; {
		case typ == wire.Parse && at == start:
			u.parse, at = frame, parsed
		case typ == wire.Bind && at <= parsed:
			if !u.bind(body) {
				return u, false
			}
			at = bound
		case typ == wire.Describe && at == bound && string(body) == "P\x00":
			u.describe, at = true, described
		case typ == wire.Execute && (at == bound || at == described) && string(body) == "\x00\x00\x00\x00\x00":
			at = executed
		case typ == wire.Close && at == executed && string(body) == "P\x00":
			u.closes, at = true, closed
		case typ == wire.Sync && at >= executed && n == wire.HeaderLen:
			return u, true
		default:
			return u, false
		}
	}
	return u, false
}

// bind reads a Bind.
func (u *unit) bind(body []byte) bool {
	portal, rest, _ := wire.CString(body)
	var ok bool
	u.name, u.values, ok = wire.CString(rest)
	if u.parse != nil {
		name, _, _ := wire.CString(u.parse[wire.HeaderLen:])
		ok = ok && bytes.Equal(name, u.name)
	}
	return ok && len(portal) == 0
}

// servedUnit answers a unit that p begins with from the cache, if it can, and returns
// its length.
func (s *session) servedUnit(p []byte) (used int, became served) {
	if s.client.skipping {
		return 0, servedNot
	}
	if why := s.bypass(); why != cache.NoBypass {
		s.countBypass(p, why)
		return 0, servedNot
	}
	u, ok := readUnit(p)
	if !ok {
		return 0, servedNot
	}
	b := s.unitBody(&u)
	if b == nil || !mayRead(b.sql) {
		return 0, servedNot
	}
	q := lookup{hint: b.hint, text: b.sql, body: b, values: u.values}
	if s.cold > 0 && s.isCold(&q) {
		return 0, servedNot
	}
	q.key = s.unitKey(&u, b)
	e, outcome := s.find(&q)
	if e == nil {
		return 0, s.missed(&q, outcome)
	}
	s.observeServed(b, b.sql)
	s.serve(e, s.unitHead(&u, b), u.tail())
	return u.length, servedHere
}

// countBypass counts why a statement was not looked up that p binds.
func (s *session) countBypass(p []byte, why cache.Bypass) {
	if n, whole := wire.FrameLen(p); p[0] != wire.Bind || !whole || n < 0 || n > len(p) {
		return
	}
	_, rest, _ := wire.CString(p[wire.HeaderLen:])
	name, _, _ := wire.CString(rest)
	if st, _ := s.client.statements.get(name); st.body != nil && mayRead(st.body.sql) {
		s.databases.cache.Bypassed(why, s.loop.Index())
	}
}

// unitKey returns what the answer to a unit is found by.
func (s *session) unitKey(u *unit, b *body) cache.Key {
	h := &s.hasher
	h.Reset()
	h.Uint64(s.who.signature.id)
	h.Uint64(uint64(b.hint.TTL))
	h.Uint64(uint64(kindOf(u.describe)))
	h.String(b.keyed)
	h.Bytes(u.values)
	return h.Sum()
}

// kindOf keeps the keys of units that have a RowDescription from those that have none.
func kindOf(described bool) int {
	if described {
		return 2
	}
	return 1
}

// unitBody returns what the unit executes; nil if it cannot be served: it is refused,
// or means what it meant under other circumstances.
func (s *session) unitBody(u *unit) *body {
	st, _ := s.client.statements.get(u.name)
	if u.parse != nil {
		if len(u.name) > 0 && (!st.none() || s.full()) || !s.sharesStatements() {
			return nil
		}
		_, rest, _ := wire.CString(u.parse[wire.HeaderLen:])
		return s.bodies.get(rest, true)
	}
	if !st.shared() || st.changed || st.epoch != s.who.pool.SchemaEpoch() || st.scope != s.who.scope || st.meaning != s.who.meaning {
		return nil
	}
	if b := st.body; !b.miscounts(u.values) {
		return b
	}
	return nil
}

// sharesStatements reports whether a statement that is prepared now can be prepared
// on any backend later.
func (s *session) sharesStatements() bool { return s.maxStatements() > 0 }

// unitHead prepares the statement, for the client, and returns what stands before the
// answer.
func (s *session) unitHead(u *unit, b *body) []byte {
	s.traffic.Bound()
	if u.parse == nil {
		return bindComplete
	}
	s.traffic.Parsed()
	s.client.statements.set(string(significant(u.name)), s.newStatement(b))
	return parseComplete
}

// What stands before an answer and behind it.
var (
	bindComplete  = wire.AppendEmpty(nil, wire.BindComplete)
	parseComplete = append(wire.AppendEmpty(nil, wire.ParseComplete), bindComplete...)
	closeComplete = wire.AppendEmpty(nil, wire.CloseComplete)
)

// tail is what stands behind the answer.
func (u *unit) tail() []byte {
	if u.closes {
		return closeComplete
	}
	return nil
}

// types returns the parameter types of what a Parse says; none of a Query.
func (b *body) types() (types []uint32) {
	if b == nil {
		return nil
	}
	rest := b.text[len(b.sql)+1:]
	if len(rest) < 2 {
		return nil
	}
	n := int(binary.BigEndian.Uint16([]byte(rest)))
	for i := range n {
		if at := 2 + 4*i; at+4 <= len(rest) {
			types = append(types, binary.BigEndian.Uint32([]byte(rest[at:])))
		}
	}
	return types
}
