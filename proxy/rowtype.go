package proxy

import (
	"encoding/binary"
	"hash/maphash"

	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy/wire"
)

// A client may go by the description of a statement's rows that it got when it
// prepared it. PostgreSQL refuses to execute the statement when its rows would be
// others (0A000). So is it done here, when the schema has changed since and the
// statement must be prepared anew, as the backend does not have it from then.

// mustCompare finds out whether the rows of a statement are still alike, and
// reports whether that must wait for the backend's answer.
func (s *session) mustCompare(name []byte, st statement) bool {
	now := s.newStatement(st.body)
	if st.changed || st.epoch == now.epoch || s.back.status == wire.StatusError {
		return false
	}
	key, on := s.statementKey(now), &s.back.lease.Statements
	if known := on.Use(key); known == nil {
		s.beginBatch()
		s.load(on.Add(key, len(st.body.text)), now, swallow)
		s.flush()
		return true
	} else if !known.Ready || len(s.back.describing) > 0 {
		s.flush()
		return true
	}
	then := pool.StatementKey{Body: st.body.handle, Scope: st.scope, Meaning: st.meaning, Epoch: st.epoch}
	now.changed = s.who.pool.OtherRowType(then, key)
	s.client.statements.set(string(name[:min(len(name), maxName)]), now)
	return false
}

// noteRowType notes what the rows of the oldest statement that is described are
// like. There is no body if it has none.
func (s *session) noteRowType(body []byte) {
	s.who.pool.NoteRowType(s.back.describing[0], rowType(body))
	s.undescribed(1)
}

// undescribed forgets the oldest that were to be described.
func (s *session) undescribed(n int) {
	s.back.describing = append(s.back.describing[:0], s.back.describing[n:]...)
}

// rowType is a hash of the names, types and type modifiers in a RowDescription.
func rowType(body []byte) uint64 {
	var h maphash.Hash
	h.SetSeed(habitSeed)
	if len(body) < 2 {
		return h.Sum64()
	}
	for rest := body[2:]; len(rest) > 0; {
		name, more, ok := wire.CString(rest)
		if !ok || len(more) < 18 {
			break
		}
		_, _ = h.Write(name)
		_, _ = h.Write(binary.BigEndian.AppendUint16(nil, uint16(len(name))))
		_, _ = h.Write(more[6:10])  // the type
		_, _ = h.Write(more[12:16]) // its modifier
		rest = more[18:]
	}
	return h.Sum64()
}

// refuseChanged has PostgreSQL refuse something in the place of what names a
// statement whose rows have changed. The client gets the error that it would have
// got for that.
func (s *session) refuseChanged(frame []byte) {
	s.keep(frame)
	s.toBackend(wire.AppendParse(s.scratch[:0], s.back.lease.Statements.Spare().Name, failing))
	s.queue.push(expectRefusal, forward)
}

// changedRows is plancache.c's error.
var changedRows = wire.Error{Severity: "ERROR", Code: "0A000", Message: "cached plan must not change result type"}
