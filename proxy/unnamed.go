package proxy

import (
	"github.com/pgjay/pgjay/proxy/wire"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// unknownOwner is a backend's UnnamedOwner when nobody knows what its unnamed
// statement is. No session has this token.
const unknownOwner = ^uint64(0)

// maxPending bounds how many changes of the unnamed statement may be under way
// at once.
const maxPending = 64

// unnamedStatement is the unnamed prepared statement of a client. It lasts
// until the next Parse of it, Query, or Close (protocol-flow.html, "Extended
// Query"), and so may have to be brought to another backend.
type unnamedStatement struct {
	parse  []byte // its Parse frame; empty if that is too long to be kept
	token  uint64 // no other statement has the same; 0: there is no statement
	effect effect
	noted  bool // executing it has consequences for the session
}

// unnamed follows a client's unnamed statement. What the backend skips after
// an error does not change it: so a change counts when the backend has
// answered it.
type unnamed struct {
	current unnamedStatement
	// pending are the changes that are under way, oldest first. The elements
	// beyond its length have buffers to use again.
	pending []unnamedStatement
}

// last returns what the statement is when all that was sent succeeds.
func (u *unnamed) last() *unnamedStatement {
	if n := len(u.pending); n > 0 {
		return &u.pending[n-1]
	}
	return &u.current
}

// push adds a change.
func (u *unnamed) push(parse []byte, token uint64, class sqlparse.Class) {
	n := len(u.pending)
	if n < cap(u.pending) {
		u.pending = u.pending[:n+1]
	} else {
		u.pending = append(u.pending, unnamedStatement{})
	}
	p := &u.pending[n]
	p.parse, p.token, p.effect, p.noted = append(p.parse[:0], parse...), token, effectOf(class), notable(class)
}

// commit says that the oldest change was made.
func (u *unnamed) commit() {
	u.current, u.pending[0] = u.pending[0], u.current
	u.skip()
}

// skip takes the oldest change off the list.
func (u *unnamed) skip() {
	oldest, n := u.pending[0], len(u.pending)
	copy(u.pending, u.pending[1:])
	u.pending[n-1] = oldest
	u.pending = u.pending[:n-1]
}

// drop says that there is no statement any more.
func (u *unnamed) drop() { u.current.parse, u.current.token = u.current.parse[:0], 0 }

// parseUnnamed notes a Parse of the unnamed statement.
func (s *session) parseUnnamed(frame []byte, n int, class sqlparse.Class) {
	if n > maxPrefix {
		frame = nil
		s.pin(sqlparse.ReasonPrepared)
	}
	s.station.tokens++
	s.client.unnamed.push(frame, s.station.tokens, class)
	s.tx.replaced = true
}

// closeUnnamed notes a Close of the unnamed statement.
func (s *session) closeUnnamed() {
	s.client.unnamed.push(nil, 0, sqlparse.Class{})
	s.tx.replaced = true
}

// unnamedUnsure reports whether a message of the extended protocol must wait:
//
//  1. it uses the unnamed statement, and an earlier exchange that may change
//     that is under way;
//  2. it changes it, and as much as can be remembered is under way.
func (s *session) unnamedUnsure(typ byte, body []byte) bool {
	switch typ {
	case wire.Bind:
		_, statement, _ := wire.CString(body)
		return s.unsure() && len(statement) > 0 && statement[0] == 0
	case wire.Describe:
		return s.unsure() && len(body) > 1 && body[0] == 'S' && body[1] == 0
	case wire.Parse, wire.Close:
		if len(s.client.unnamed.pending) >= maxPending {
			s.flush()
			return true
		}
	}
	return false
}

func (s *session) unsure() bool {
	return !s.tx.replaced && (len(s.client.unnamed.pending) > 0 || s.queue.owesQuery())
}

// useStatement prepares the backend for a message that names a statement. The
// unnamed one must be the client's own.
func (s *session) useStatement(name []byte) {
	b, u := s.back.lease, &s.client.unnamed
	if len(name) == 0 || name[0] != 0 || len(u.pending) > 0 || b.UnnamedOwner == u.current.token {
		return
	}
	if len(u.current.parse) > 0 {
		s.toBackend(u.current.parse)
	} else {
		s.toBackend(wire.AppendCloseStatement(s.scratch[:0], ""))
	}
	again := u.current
	u.push(again.parse, again.token, sqlparse.Class{})
	u.last().effect, u.last().noted = again.effect, again.noted
	s.tx.replaced = true
	s.queue.push(expectUnnamed, swallow)
}

// unnamedChanged is called when the backend has made the oldest change.
func (s *session) unnamedChanged() {
	s.client.unnamed.commit()
	s.back.lease.UnnamedOwner = s.client.unnamed.current.token
}

// unnamedFailed is called when the oldest change has failed: PostgreSQL has
// dropped the statement before it looked at the new one. If the Parse was ours
// the client has its statement still.
func (s *session) unnamedFailed(act action) {
	s.client.unnamed.skip()
	s.back.lease.UnnamedOwner = 0
	if act == forward {
		s.client.unnamed.drop()
	}
}

// unnamedDropped is called when the backend has executed a Query.
func (s *session) unnamedDropped(act action) {
	s.back.lease.UnnamedOwner = 0
	if act == forward {
		s.client.unnamed.drop()
	}
}
