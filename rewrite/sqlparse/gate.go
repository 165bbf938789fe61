package sqlparse

import (
	"bytes"
	"unicode/utf8"
)

// libpg_query walks its trees by recursion on the stack of a C thread and checks
// no depth: 60 KB of 1+1+1... end the process with SIGSEGV, which Go cannot
// catch. So each text is measured here before it goes there.
const (
	// maxParse is the longest text that is parsed.
	maxParse = 32 << 10
	// maxNesting bounds the depth of the tree. It needs a stack of less than
	// 1 MB; with glibc a thread has 8 MB, or 2 MB where ulimit -s is unlimited
	// (with musl it would be 128 KB). Time grows with the square of the depth.
	maxNesting = 2000
	// maxOpen bounds the parentheses, brackets and CASEs in one another.
	maxOpen = 200

	// A text within these is parsed in about a millisecond at most.
	maxCheap        = 2 << 10
	maxCheapTokens  = 300
	maxCheapNesting = 50
)

// parsable reports whether a text may be given to pg_query. It must also be
// one that PostgreSQL can only read in the same way: see Class.
func parsable(text []byte) bool {
	if len(text) > maxParse {
		return false
	}
	depth, _ := measure(text)
	return depth < maxNesting && bytes.IndexByte(text, 0) < 0 && utf8.Valid(text)
}

// opened is a parenthesis, bracket or CASE that has not been closed, or the
// text itself. What is between two commas in it, or between AND and OR, is an
// element: elements are a list in the tree, whose length adds no depth.
type opened struct {
	by    token // tokOpen, tokOther for a bracket, kwCase
	own   int   // how many tokens of this element can nest
	inner int   // the greatest depth of what was closed in this element
	peak  int   // the greatest depth of the elements before
}

func (o *opened) endElement() {
	o.peak = max(o.peak, o.own+o.inner)
	o.own, o.inner = 0, 0
}

// nester finds a bound on the depth of a text's tree. A node of the tree has
// at least one token that is no name, literal or comma, so an element is no
// deeper than it has such tokens, plus the deepest of what is opened and closed
// in it. UNION and JOIN make a chain across elements and are counted for all of
// the text.
type nester struct {
	scanner
	open  [maxOpen + 1]opened
	depth int // of open
	chain int
}

// measure returns the bound and the number of tokens. The bound is maxNesting
// if the text is too deep or not well formed; then it may not be read to its end.
func measure(text []byte) (depth, tokens int) {
	n := nester{scanner: scanner{text: text}}
	prev := tokStart
	for t := n.next(); t != tokEnd; t = n.next() {
		tokens++
		if prev == tokDot || prev == kwAs && t != tokOpen {
			prev = tokIdent // a keyword here is a name
			continue
		}
		if !n.count(t) {
			return maxNesting, tokens
		}
		prev = t
	}
	if n.depth > 0 || n.broken {
		return maxNesting, tokens
	}
	n.open[0].endElement()
	return min(n.open[0].peak+n.chain, maxNesting), tokens
}

// count notes a token. It returns false if what follows need not be read.
func (n *nester) count(t token) bool {
	switch t {
	case tokComma, tokSemicolon, kwAnd, kwOr:
		n.open[n.depth].endElement()
	case tokOpen, kwCase:
		return n.begin(t)
	case tokClose:
		return n.end(tokOpen)
	case kwEnd: // also COMMIT's, and that of BEGIN ATOMIC
		return n.open[n.depth].by != kwCase || n.end(kwCase)
	case tokOther:
		switch n.text[n.start] {
		case '[':
			return n.begin(t)
		case ']':
			return n.end(tokOther)
		}
		n.open[n.depth].own++
	case kwUnion, kwExcept, kwIntersect, kwJoin:
		n.chain++
	case tokLiteral, tokDot, tokIdent, tokQuoted:
	default: // :: and keywords
		n.open[n.depth].own++
	}
	return true
}

func (n *nester) begin(by token) bool {
	if n.depth == maxOpen {
		return false
	}
	n.depth++
	n.open[n.depth] = opened{by: by}
	return true
}

func (n *nester) end(by token) bool {
	o := &n.open[n.depth]
	if n.depth == 0 || o.by != by {
		return false
	}
	o.endElement()
	n.depth--
	outer := &n.open[n.depth]
	outer.inner = max(outer.inner, o.peak+1)
	return true
}
