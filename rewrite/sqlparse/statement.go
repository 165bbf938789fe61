package sqlparse

import (
	"sync"
	"sync/atomic"
	"unsafe"
)

// Statement is what is remembered of a text. Any number of goroutines may use it
// at once. A memo may give several for one text: compare texts, not pointers.
type Statement struct {
	text    string
	class   Class // its text is ours
	literal bool  // there is a string or a number in it

	node *node[*Statement] // its place in the memo's table, nil: none
	memo *Memo             // nil: none

	parsing sync.Mutex // held by the one who computes facts
	facts   atomic.Pointer[Facts]
}

// NewStatement reads a text without remembering it. The text is copied.
func NewStatement(text []byte) *Statement {
	own := append([]byte(nil), text...)
	s := &Statement{class: Classify(own), literal: hasLiteral(own)}
	s.text = unsafe.String(unsafe.SliceData(own), len(own)) // nobody writes to own
	return s
}

// Text returns the text.
func (s *Statement) Text() string { return s.text }

// Class returns what the text may do to its session. It refers to memory of the
// Statement, which nobody changes.
func (s *Statement) Class() Class { return s.class }

// Bytes returns the text, for reading.
func (s *Statement) Bytes() []byte { return unsafe.Slice(unsafe.StringData(s.text), len(s.text)) }

// Facts returns what pg_query says of the text. The first call parses, which
// takes 20 us to several ms (see Cheap); the others wait for it.
func (s *Statement) Facts() *Facts {
	if f := s.facts.Load(); f != nil {
		return f
	}
	s.parsing.Lock()
	defer s.parsing.Unlock()
	if f := s.facts.Load(); f != nil {
		return f
	}
	f := s.find()
	s.facts.Store(f)
	return f
}

// Known returns the facts if they need not be computed, else nil.
func (s *Statement) Known() *Facts { return s.facts.Load() }

// Cheap reports whether Facts takes so little time that a loop may call it: the
// facts are known, or the text is short and not deep, or it is not parsed at all.
func (s *Statement) Cheap() bool {
	if s.facts.Load() != nil || len(s.text) > maxParse {
		return true
	}
	return s.isShort() || s.memo != nil && s.memo.knows(s)
}

// isShort reports whether parsing the text takes no longer than a millisecond.
func (s *Statement) isShort() bool {
	if len(s.text) > maxCheap {
		return false
	}
	depth, tokens := measure(s.Bytes())
	return depth <= maxCheapNesting && tokens <= maxCheapTokens
}

// shape appends the shape of the text to buf, if it has one.
func (s *Statement) shape(buf []byte) (shape []byte, all Span, ok bool) {
	if !s.literal || !s.class.isQuery() {
		return nil, Span{}, false
	}
	return appendShape(buf, s.Bytes())
}

// find computes the facts, or gets them from the memo.
func (s *Statement) find() *Facts {
	if s.class.Pins.Has(ReasonUnparsed) || !parsable(s.Bytes()) {
		return opaque
	}
	if s.memo == nil {
		return parse(s.text)
	}
	return s.memo.find(s)
}
