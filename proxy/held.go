package proxy

import (
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"github.com/pgjay/pgjay/pool"
)

// The prepared statements that sessions have by name take memory: a place for each,
// and each text once for the sessions of a loop. When that reaches
// limits.max_prepared_mb, what is prepared next under a name is left to the backend.

// sizeOfStatement is what a session's named statement takes without its name and texts.
const sizeOfStatement = 200

// held is the memory of the statements of sessions that were on a loop when it
// changed: the sum over all loops is what they take. It is written by the loop only.
type held struct{ bytes atomic.Int64 }

// size is what a name with this statement takes.
func (st statement) size(name string) int64 { return int64(sizeOfStatement + len(name) + len(st.sql)) }

// keep notes that a name has the statement, and returns the bytes that takes.
func (st statement) keep(name string) int64 {
	n := st.size(name)
	if st.body != nil && st.body.holders.Add(1) == 1 {
		n += st.body.size()
	}
	return n
}

// drop ends what keep began, and returns the bytes that are free.
func (st statement) drop(name string) int64 {
	n := st.size(name)
	if st.body != nil && st.body.holders.Add(-1) == 0 {
		n += st.body.size()
	}
	return n
}

// size is what a body takes: its text, and that without the types.
func (b *body) size() int64 { return int64(2*len(b.text) + 400) }

// accountStatements notes what has changed in an event.
func (s *session) accountStatements() {
	c := &s.client.statements
	named := int64(len(c.named))
	if n, bytes := named-c.counted, c.bytes-c.accounted; n != 0 || bytes != 0 {
		c.counted, c.accounted = named, c.bytes
		s.held.bytes.Store(s.held.bytes.Load() + bytes)
		s.recorder.HoldStatements(n, bytes)
	}
}

// full reports whether the sessions' statements take as much as they may.
func (sh *shared) full() bool {
	total := int64(0)
	for _, st := range sh.stations {
		total += st.held.bytes.Load()
	}
	return total >= int64(sh.settings().limits.MaxPreparedMB)<<20
}

// leavesToBackend reports whether a named statement is left to the backend, as the client's
// own: one too many, or one whose name PostgreSQL may refuse. It must not have the name of
// one that all sessions share.
func (s *session) leavesToBackend(name []byte) bool {
	return !s.shares() || (s.full() || !utf8.Valid(name)) && !s.defined(name) && !strings.HasPrefix(string(name), pool.StatementPrefix)
}
