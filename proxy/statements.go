package proxy

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"unique"

	"github.com/pgjay/pgjay/cache"
	"github.com/pgjay/pgjay/monitor/digest"
	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// body is what a Parse says of a statement: text and parameter types. It is
// immutable but for holders, and shared by the sessions.
type body struct {
	// text is the Parse frame behind the name: the SQL text, NUL, types. sql is
	// the first of these.
	text   string
	sql    []byte
	keyed  string // text without comments
	hint   cache.HintSet
	class  sqlparse.Class
	effect effect
	noted  bool // executing it has consequences for the session
	// apparent is how many parameters it has at first sight.
	apparent int
	// handle makes it the same on all loops; zero if the statement has been seen
	// once only, and without a name. Then it is not looked up in the memo either.
	handle    unique.Handle[string]
	statement *sqlparse.Statement // nil without a handle
	holders   atomic.Int32        // names that sessions have for it
	shape     atomic.Pointer[digest.Shape]
}

// unshared is the handle of a body that is not shared.
var unshared unique.Handle[string]

// bodies remembers statements by what the Parse says. It is owned by a loop.
type bodies struct {
	memo  *sqlparse.Memo
	known map[string]*body
	bytes int
}

// maxBodies bounds the bytes of text that a loop remembers. Then it forgets all:
// what is in use is known again at once.
const maxBodies = 16 << 20

// get returns the body of a Parse. One that is known is found without an
// allocation. shared asks for its handle.
func (m *bodies) get(text []byte, shared bool) *body {
	b := m.known[string(text)]
	switch {
	case b == nil:
		b = newBody(string(text))
	case b.handle != unshared:
		return b
	default:
		shared = true
	}
	if shared {
		b = m.share(b)
	}
	m.put(b)
	return b
}

func (m *bodies) put(b *body) {
	if m.known == nil || m.bytes > maxBodies {
		m.known, m.bytes = make(map[string]*body), 0
	}
	if _, again := m.known[b.text]; !again {
		m.bytes += 2*len(b.text) + 400 // and the copy in sql
	}
	m.known[b.text] = b
}

// share returns a body with a handle.
func (m *bodies) share(b *body) *body {
	st := m.memo.Get(b.sql)
	return &body{
		text: b.text, sql: st.Bytes(), keyed: b.keyed, hint: b.hint, class: st.Class(), effect: b.effect, noted: b.noted, apparent: b.apparent,
		handle: unique.Make(b.text), statement: st,
	}
}

func newBody(text string) *body {
	sql, _, _ := strings.Cut(text, "\x00")
	b := &body{text: text, sql: []byte(sql), keyed: text}
	b.hint = hintOf(b.sql)
	if bare, stripped := cache.StripComments(nil, b.sql, false); stripped {
		b.keyed = string(bare) + text[len(sql):]
	}
	b.class, b.apparent = sqlparse.Classify(b.sql), apparentParameters(text)
	b.effect, b.noted = effectOf(b.class), notable(b.class)
	return b
}

// unknownOwner is a backend's UnnamedOwner when nobody knows what its unnamed
// statement is. No session has this token.
const unknownOwner = ^uint64(0)

// maxPending bounds how many changes of a client's statements may be under way
// at once.
const maxPending = 64

// statement is a client's prepared statement. The zero value: there is none.
type statement struct {
	// body is nil if it was not prepared by a Parse, or by one that is too long.
	body *body
	// here is what a Parse says that was left to the backend; nil if body is not, or
	// the Parse is too long.
	here *body
	// sql is the PREPARE that has made it; empty: none.
	sql string
	// plain is set when executing that PREPARE's statement leaves nothing behind.
	plain bool
	// is how PostgreSQL has described the one that the PREPARE has made.
	is pool.Description
	// token is set if the statement is a backend's unnamed one, or cannot be
	// prepared anywhere else: then the session is pinned to the backend. No other
	// statement has the same.
	token uint64
	// epoch is that of the schema when the client has prepared it, scope the
	// session's.
	epoch   uint32
	scope   unique.Handle[string]
	meaning unique.Handle[string]
	since   uint64 // byName.version when it was prepared
	// changed is set when its rows are not any more what they were then.
	changed bool
}

func (st statement) none() bool { return st == statement{} }

// appendText appends the text of the statement.
func (st statement) appendText(text []byte) []byte {
	text = append(text, '\n')
	switch {
	case st.body != nil:
		return append(text, st.body.sql...)
	case st.here != nil:
		return append(text, st.here.sql...)
	case st.sql != "":
		return append(text, st.sql...)
	}
	return append(text, anyName...)
}

// shared reports whether the statement is one of pool.Backend.Statements, where
// the backend is not exposed.
func (st statement) shared() bool { return st.body != nil && st.token == 0 }

// change is a Parse or Close that is under way.
type change struct {
	name  string
	to    statement
	batch uint64
}

// statements are the prepared statements of a client. What the backend skips
// after an error does not change them: so a change counts when it was answered.
type statements struct {
	unnamed statement
	named   map[string]statement // nil for many clients
	pending []change             // what is under way, oldest first
	undo    []change             // what the exchange under way has changed, as it was
	byName
	// bytes is what named takes, accounted what of it is in the loop's held.
	bytes, accounted int64
	counted          int64 // how many of named are in the loop's recorder
}

// maxName is how much of a name counts: PostgreSQL compares that many bytes
// (NAMEDATALEN).
const maxName = 63

// significant is the part of a name that counts.
func significant(name []byte) []byte { return name[:min(len(name), maxName)] }

// get returns what a name means when all that was sent succeeds, and the batch
// of the change if that is under way, or 0.
func (c *statements) get(name []byte) (st statement, batch uint64) {
	name = significant(name)
	for i := len(c.pending) - 1; i >= 0; i-- {
		if p := &c.pending[i]; p.name == string(name) {
			return p.to, p.batch
		}
	}
	if len(name) == 0 {
		return c.unnamed, 0
	}
	return c.named[string(name)], 0
}

// all calls yield for each statement that a name means now.
func (c *statements) all(yield func(name string, st statement) bool) {
	if !yield("", c.unnamed) {
		return
	}
	for name, st := range c.named {
		if !yield(name, st) {
			return
		}
	}
}

// push notes a change.
func (c *statements) push(name []byte, to statement, batch uint64) {
	n := ""
	if len(name) > 0 {
		n = string(significant(name))
	}
	c.pending = append(c.pending, change{n, to, batch})
}

// commit says that the oldest change was made, and returns it.
func (c *statements) commit() change {
	p := c.pending[0]
	c.skip(1)
	if p.name != "" {
		c.undo = append(c.undo, change{name: p.name, to: c.named[p.name]})
	}
	c.set(p.name, p.to)
	return p
}

func (c *statements) set(name string, to statement) {
	if name == "" {
		c.unnamed = to
		return
	}
	if old, ok := c.named[name]; ok {
		c.bytes -= old.drop(name)
	}
	c.count(c.named[name], to)
	if to.none() {
		delete(c.named, name)
		return
	}
	if to.since == 0 {
		to.since = c.version
	}
	if c.named == nil {
		c.named = make(map[string]statement)
	}
	c.named[name] = to
	c.bytes += to.keep(name)
}

// takeBack makes the names mean what they did before the exchange.
func (c *statements) takeBack() {
	for i := len(c.undo) - 1; i >= 0; i-- {
		c.set(c.undo[i].name, c.undo[i].to)
	}
	c.undo = c.undo[:0]
}

// skip forgets the oldest changes: they were not made.
func (c *statements) skip(n int) { c.pending = slices.Delete(c.pending, 0, n) }

// clear forgets all that have names. DISCARD ALL leaves the unnamed one
// (prepare.c, DropAllPreparedStatements).
func (c *statements) clear() { c.replace(nil) }

// replace puts others into the place of those that have names.
func (c *statements) replace(named map[string]statement) {
	for name, st := range c.named {
		c.bytes -= st.drop(name)
	}
	c.named, c.byName = named, byName{owner: c.owner, version: c.version + 1}
	for name, st := range named {
		c.bytes += st.keep(name)
		c.count(statement{}, st)
		if st.since == 0 {
			st.since = c.version
			named[name] = st
		}
	}
}

// inOrder returns the names of statements in the order in which they were prepared.
func inOrder(named map[string]statement) []string {
	names := slices.Collect(maps.Keys(named))
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(named[a].since, named[b].since), cmp.Compare(a, b))
	})
	return names
}

// loads are the shared statements that are being prepared on the leased backend,
// oldest first.
type loads []*pool.Statement

// done says that the oldest was prepared, or not.
func (l *loads) done(ok bool, on *pool.Statements) {
	st := (*l)[0]
	st.Ready = ok
	if !ok {
		on.Remove(st)
	}
	*l = slices.Delete(*l, 0, 1)
}
