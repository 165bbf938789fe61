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
	if s.otherwise(st) {
		now.meaning = st.meaning
	}
	if st.changed || st.epoch == now.epoch || s.back.status == wire.StatusError {
		return false
	}
	key, on := s.statementKey(now), &s.back.lease.Statements
	if known := on.Use(key); known == nil {
		s.beginBatch()
		s.loadMeant(on.Add(key, len(st.body.text)), now)
		s.flush()
		return true
	} else if !known.Ready || len(s.back.describing) > 0 {
		s.flush()
		return true
	}
	now.changed = s.who.pool.Description(key).OtherRows(s.who.pool.Description(s.statementKeyThen(st)))
	s.client.statements.set(string(significant(name)), now)
	return false
}

// describing is a statement that is being described.
type describing struct {
	key  pool.StatementKey
	name string // the client's, for one that has it on the backend; empty: key counts
	is   pool.Description
}

// noteParameters takes the description of the parameters of the oldest statement that is
// described.
func (s *session) noteParameters(body []byte) { s.back.describing[0].is.Parameters = string(body) }

// noteRowType takes the description of its rows. There is no body if it has none.
func (s *session) noteRowType(body []byte) {
	d := &s.back.describing[0]
	d.is.Rows = rowType(body)
	if d.name != "" {
		s.noteNamed(d.name, d.is)
	} else {
		s.who.pool.NoteDescription(d.key, d.is)
	}
	s.undescribed(1)
}

// noteNamed takes the description of a statement that was prepared under the client's
// name. It is known from then on; if its rows were others, the statement is refused.
func (s *session) noteNamed(name string, is pool.Description) {
	st := s.client.statements.named[name]
	was := st.is
	if st.body != nil {
		was = s.who.pool.Description(s.statementKeyThen(st))
	}
	switch {
	case is.OtherRows(was):
		if len(s.back.bringing) > 0 && s.back.bringing[0] == name {
			s.refuseNamed(name, &changedRows)
		}
	case st.sql != "":
		st.is = is
		s.client.statements.named[name] = st
	}
}

// statementKeyThen is that of a shared statement when the client prepared it.
func (s *session) statementKeyThen(st statement) pool.StatementKey {
	return pool.StatementKey{Body: st.body.handle, Scope: st.scope, Meaning: st.meaning, Epoch: st.epoch}
}

// describeNamed has the statements described that SQL has made since the last time: what
// their rows are like now counts when they are prepared elsewhere.
func (s *session) describeNamed() {
	if !s.queue.empty() || s.tx.unsynced {
		return
	}
	for name, st := range s.client.statements.named {
		if st.sql != "" && st.token == 0 && st.is == (pool.Description{}) && s.back.refused[name] == nil {
			s.askNamed(name)
			s.syncOurs("")
		}
	}
}

// askNamed asks what a statement is like that has the client's name.
func (s *session) askNamed(name string) {
	s.toBackend(wire.AppendDescribeStatement(s.scratch[:0], name))
	s.back.describing = append(s.back.describing, describing{name: name})
	s.queue.push(expectNamed, swallow)
}

// undescribed forgets the oldest that were to be described.
func (s *session) undescribed(n int) {
	s.back.describing = append(s.back.describing[:0], s.back.describing[n:]...)
}

// withoutRows is that of a statement without rows.
var withoutRows = rowType(nil)

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
func (s *session) refuseChanged(st statement, typ byte, frame []byte) {
	r := refusal{why: &changedRows}
	if is := s.who.pool.Description(s.statementKeyThen(st)); typ == wire.Describe && is != (pool.Description{}) {
		r.parameters = &is.Parameters
	}
	s.refuseWith(r, frame)
}

// changedRows is plancache.c's error.
var changedRows = wire.Error{Severity: "ERROR", Code: "0A000", Message: "cached plan must not change result type"}
