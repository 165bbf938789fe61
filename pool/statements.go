package pool

import (
	"fmt"
	"sync"
	"sync/atomic"
	"unique"
)

// StatementKey says which prepared statements are the same: those with the same
// text and parameter types, prepared in the same scope, which is the search_path
// and role, under settings by which it means the same, and in the same epoch of the
// schema. PostgreSQL would plan one again
// each time that the scope changes (plancache.c, RevalidateCachedQuery); and what
// was prepared before a type or column changed is not what it would be afterwards.
type StatementKey struct {
	Body, Scope unique.Handle[string]
	// Meaning is of the settings what decides what a text means when it is parsed.
	Meaning unique.Handle[string]
	Epoch   uint32 // Pool.SchemaEpoch when it was prepared for a client
	// Text is what PostgreSQL is given in the place of the text in Body; zero: that.
	Text unique.Handle[string]
}

// Statement is a prepared statement of a backend. It is owned by whoever owns
// the backend.
type Statement struct {
	// Name is what the backend knows it by.
	Name string
	// Batch is the sessions' affair while the statement is not Ready: its Parse
	// is under way.
	Batch uint64
	Ready bool

	key          StatementKey
	bytes        int
	newer, older *Statement
}

// Text is what PostgreSQL is given in the place of the text that it was prepared with;
// zero: that.
func (st *Statement) Text() unique.Handle[string] { return st.key.Text }

// Statements are the prepared statements that a backend has for all sessions,
// the last used first. The zero value has none. It is owned by whoever owns the
// backend.
type Statements struct {
	byKey          map[StatementKey]*Statement
	newest, oldest *Statement
	bytes          int
	names          uint64 // how many names were given away
	count          atomic.Int64
}

// StatementPrefix begins the names of shared prepared statements.
const StatementPrefix = "pgjay_"

// Use returns a statement, nil if the backend does not have it, and notes that
// it was used.
func (s *Statements) Use(k StatementKey) *Statement {
	st := s.byKey[k]
	if st != nil && st != s.newest {
		s.unlink(st)
		s.link(st)
	}
	return st
}

// Add notes a statement that is going to be prepared, under a name that was
// never used on this backend. bytes is about what it takes there.
func (s *Statements) Add(k StatementKey, bytes int) *Statement {
	if s.byKey == nil {
		s.byKey = make(map[StatementKey]*Statement)
	}
	if old := s.byKey[k]; old != nil {
		s.Remove(old)
	}
	st := s.Spare()
	st.key, st.bytes = k, bytes
	s.byKey[k] = st
	s.count.Add(1)
	s.bytes += bytes
	s.link(st)
	return st
}

// Rekey says that a statement is another one, unless that is there already.
func (s *Statements) Rekey(from, to StatementKey) {
	st := s.byKey[from]
	if st == nil || s.byKey[to] != nil {
		return
	}
	delete(s.byKey, from)
	st.key = to
	s.byKey[to] = st
}

// Len returns how many there are.
func (s *Statements) Len() int { return len(s.byKey) }

// Spare makes a name for a statement that is not expected to come about, as what
// is wanted is its error.
func (s *Statements) Spare() *Statement {
	s.names++
	return &Statement{Name: fmt.Sprint(StatementPrefix, s.names)}
}

// Body returns the Body of the statement with this name; the zero Handle if it is
// not known.
func (s *Statements) Body(name string) (body unique.Handle[string]) {
	for k, st := range s.byKey {
		if st.Name == name {
			body = k.Body
		}
	}
	return body
}

// Remove forgets a statement. It may have been forgotten already.
func (s *Statements) Remove(st *Statement) {
	if s.byKey[st.key] != st {
		return
	}
	delete(s.byKey, st.key)
	s.count.Add(-1)
	s.bytes -= st.bytes
	s.unlink(st)
}

// Clear forgets all: the backend has dropped them.
func (s *Statements) Clear() {
	s.byKey, s.newest, s.oldest, s.bytes = nil, nil, nil, 0
	s.count.Store(0)
}

// Count is Len, for any goroutine.
func (s *Statements) Count() int { return int(s.count.Load()) }

// Over reports whether there are more than count, or they take more than bytes.
func (s *Statements) Over(count, bytes int) bool { return len(s.byKey) > count || s.bytes > bytes }

// Excess takes the one used longest ago out and returns it if there are too
// many; otherwise nil.
func (s *Statements) Excess(count, bytes int) *Statement {
	if !s.Over(count, bytes) {
		return nil
	}
	st := s.oldest
	s.Remove(st)
	return st
}

func (s *Statements) link(st *Statement) {
	st.newer, st.older = nil, s.newest
	if s.newest != nil {
		s.newest.newer = st
	} else {
		s.oldest = st
	}
	s.newest = st
}

func (s *Statements) unlink(st *Statement) {
	if st.newer != nil {
		st.newer.older = st.older
	} else {
		s.newest = st.older
	}
	if st.older != nil {
		st.older.newer = st.newer
	} else {
		s.oldest = st.newer
	}
	st.newer, st.older = nil, nil
}

// SchemaChanged says that a statement may mean something else if it is prepared
// from now on. It may be called on any goroutine.
func (p *Pool) SchemaChanged() { p.epoch.Add(1) }

// SchemaEpoch counts the calls of SchemaChanged.
func (p *Pool) SchemaEpoch() uint32 { return p.epoch.Load() }

// maxDescribed bounds how many descriptions a pool remembers.
const maxDescribed = 20000

// Description is what PostgreSQL has said of a prepared statement. The zero value is
// that of none.
type Description struct {
	Rows       uint64 // a hash of the names and types of the columns
	Parameters string // the body of the ParameterDescription
}

// descriptions are those of shared statements.
type descriptions struct {
	mu    sync.Mutex
	known map[StatementKey]Description // guarded by mu
}

// NoteDescription notes what a statement was described as. It may be called on any
// goroutine.
func (p *Pool) NoteDescription(k StatementKey, d Description) {
	k.Text = unique.Handle[string]{} // which makes no difference to the rows
	r := &p.descriptions
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known == nil || len(r.known) >= maxDescribed {
		r.known = make(map[StatementKey]Description)
	}
	r.known[k] = d
}

// Description returns what a statement was described as, as far as that is known. It
// may be called on any goroutine.
func (p *Pool) Description(k StatementKey) Description {
	k.Text = unique.Handle[string]{}
	r := &p.descriptions
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.known[k]
}

// OtherRows reports whether the rows of two statements are known not to be alike.
func (d Description) OtherRows(than Description) bool {
	return d != Description{} && than != Description{} && d.Rows != than.Rows
}
