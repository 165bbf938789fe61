package sqlparse

import "sync/atomic"

// Memo remembers Statements by their text, and facts by the shape of texts. Any
// number of goroutines may use it at once. Looking up a known text takes no lock
// and allocates nothing.
type Memo struct {
	texts  *table[*Statement]
	shapes *table[*Facts]

	// missed has parts of the hashes of texts that were not known: where most
	// never come again, one is remembered when it comes a second time soon.
	missed [1 << 12]atomic.Uint32
	parses atomic.Uint64
}

// DefaultMemoBytes is enough for some 10,000 different statements.
const DefaultMemoBytes = 16 << 20

// NewMemo returns a memo that takes up to this many bytes. Choose it so that all
// texts that come again fit in, at 1 to 2 KB each.
func NewMemo(bytes int) *Memo {
	return &Memo{texts: newTable[*Statement](bytes / 4 * 3), shapes: newTable[*Facts](bytes / 4)}
}

// Get returns what is known of a text, which stays the caller's. The text of an
// unknown one is classified; it is parsed when somebody asks for its facts.
func (m *Memo) Get(text []byte) *Statement {
	if len(text) > maxParse { // seldom comes again, and reading it takes long anyway
		return NewStatement(text)
	}
	hash := m.texts.hash(text)
	if n := m.texts.get(text, hash); n != nil {
		return n.value
	}
	s := NewStatement(text)
	s.memo = m
	if s.literal && !m.again(hash) {
		return s
	}
	return m.remember(s, hash)
}

// maxHashed is the longest text that Class looks up: to hash one with a long
// literal takes longer than to read it.
const maxHashed = 4 << 10

// Class is Classify for a text of which nothing else will be asked, and reports
// whether the text is known. A known one is not read; an unknown one is, without a
// copy, and is remembered when it comes again.
func (m *Memo) Class(text []byte) (class Class, known bool) {
	if len(text) > maxHashed {
		return Classify(text), false
	}
	hash := m.texts.hash(text)
	if n := m.texts.get(text, hash); n != nil {
		return n.value.class, true
	}
	if !m.again(hash) {
		return Classify(text), false
	}
	s := NewStatement(text)
	s.memo = m
	return m.remember(s, hash).class, false
}

// remember returns the statement, or the one with its text that is known.
func (m *Memo) remember(s *Statement, hash uint64) *Statement {
	s.node = &node[*Statement]{text: s.text, hash: hash, value: s}
	return m.texts.put(s.node, s.Bytes()).value
}

// again reports whether a text with this hash has been missed not long ago.
func (m *Memo) again(hash uint64) bool {
	const bits = 32
	slot, part := &m.missed[hash%uint64(len(m.missed))], uint32(hash>>bits)
	if slot.Load() == part {
		return true
	}
	slot.Store(part)
	return false
}

// find returns the facts of a text that is parsable.
func (m *Memo) find(s *Statement) *Facts {
	f := m.findShape(s)
	if s.node != nil {
		m.texts.grow(s.node, f.size())
	}
	return f
}

// findShape returns the facts that are known of the text's shape, or parses.
func (m *Memo) findShape(s *Statement) *Facts {
	var buf [512]byte
	shape, all, ok := s.shape(buf[:0])
	if !ok {
		return m.parse(s)
	}
	hash := m.shapes.hash(shape)
	if n := m.shapes.get(shape, hash); n != nil {
		return n.value.at(all)
	}
	f := m.parse(s)
	if f.shareable() {
		m.shapes.put(&node[*Facts]{text: string(shape), hash: hash, value: f, size: f.size()}, shape)
	}
	return f
}

func (m *Memo) parse(s *Statement) *Facts {
	m.parses.Add(1)
	return parse(s.text)
}

// knows reports whether the facts of the text's shape are known.
func (m *Memo) knows(s *Statement) bool {
	var buf [512]byte
	shape, _, ok := s.shape(buf[:0])
	return ok && m.shapes.get(shape, m.shapes.hash(shape)) != nil
}

// MemoStat says what a memo holds.
type MemoStat struct {
	Texts, Shapes int
	Bytes         int
	// Parses and Evicted count since the start.
	Parses, Evicted uint64
}

// Stat returns what the memo holds now.
func (m *Memo) Stat() (s MemoStat) {
	var bytes [2]int
	var evicted [2]uint64
	s.Texts, bytes[0], evicted[0] = m.texts.stat()
	s.Shapes, bytes[1], evicted[1] = m.shapes.stat()
	s.Bytes, s.Evicted, s.Parses = bytes[0]+bytes[1], evicted[0]+evicted[1], m.parses.Load()
	return s
}
