package sqlparse

// Memo remembers Statements by their text. Any number of goroutines may use it
// at once. Looking up a known text takes no lock and allocates nothing.
type Memo struct {
	texts *table[*Statement]
}

// DefaultMemoBytes is enough for some 20,000 different statements.
const DefaultMemoBytes = 16 << 20

// NewMemo returns a memo that takes up to this many bytes. Choose it so that all
// texts that come again fit in, at about 1 KB each.
func NewMemo(bytes int) *Memo {
	return &Memo{texts: newTable[*Statement](bytes)}
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
	return m.add(text, hash)
}

// add remembers a text.
func (m *Memo) add(text []byte, hash uint64) *Statement {
	s := NewStatement(text)
	s.memo = m
	s.node = &node[*Statement]{text: s.text, hash: hash, value: s}
	return m.texts.put(s.node, text).value
}

// find returns the facts of a text that is parsable.
func (m *Memo) find(s *Statement) *Facts {
	f := parse(s.text)
	m.texts.grow(s.node, f.size())
	return f
}
