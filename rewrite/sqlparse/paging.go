package sqlparse

import "bytes"

// Paging says where the clauses of a SELECT stand, outside of parentheses, that ask
// for one page of many: ORDER BY with LIMIT and OFFSET, each of which is a number, plain or in
// quotes, or a parameter. What the words mean is for the parser to say: in a text that it takes
// for one SELECT without set operations they are these clauses.
type Paging struct {
	From          Span // from the word FROM to the last token before WHERE or ORDER BY
	Where         Span // the condition; empty: there is none
	First         Span // the first key of ORDER BY, without its direction
	Nulls         Span // NULLS FIRST or NULLS LAST of the first key; empty: not there
	Order         Span // from the word ORDER to the last token of its last key
	End           int  // of the last token
	Limit, Offset Amount
}

// Amount is how many rows a LIMIT or OFFSET says. The zero Amount: it is not there.
type Amount struct {
	Span
	Parameter int   // the n of $n; 0: it is a number
	Value     int64 // the number
}

func (a Amount) none() bool { return a.End == 0 }

// MayPage reports whether a text may have a Paging at all.
func MayPage(text []byte) bool {
	return bytes.Contains(text, []byte("OFFSET")) || bytes.Contains(text, []byte("offset"))
}

// ReadPaging finds the clauses in a text. ok is false if they are not all there, or
// one is written in another way. Plain strings must be without escapes.
func ReadPaging(text []byte) (p Paging, ok bool) {
	r := pagingReader{scanner: scanner{text: text}, prev: tokStart}
	ok = r.read() && !r.broken && r.Limit.End > 0 && r.Offset.End > 0 && r.First.End > 0 && r.From.End > 0
	return r.Paging, ok
}

// clause is where a pagingReader is.
type clause uint8

const (
	inHead clause = iota
	inFrom
	inWhere
	inOrder // before its first key
	inFirst
	inDirection // behind the first key
	inRest      // in other keys
	inTail      // behind ORDER BY
	inEnd       // behind the statement
)

type pagingReader struct {
	scanner
	Paging
	depth int
	at    clause
	prev  token
	last  int // end of the token before
}

func (r *pagingReader) read() bool {
	for t := r.next(); t != tokEnd; t = r.next() {
		at := r.place(t)
		if t == tokClose {
			r.depth--
		}
		if r.depth < 0 || r.depth == 0 && !r.token(t, at) {
			return false
		}
		if t == tokOpen {
			r.depth++
			r.first(at)
		}
		r.prev, r.last = t, r.pos
		if t != tokSemicolon {
			r.End = r.pos
		}
	}
	r.close()
	return r.depth == 0
}

// is reports whether the token is this word, as a keyword.
func (r *pagingReader) is(t token, word string) bool {
	return t.isWord() && t != tokQuoted && r.prev != tokDot && r.prev != kwAs && equalFold(r.text[r.start:r.end], word)
}

// first notes where the first token of what is under way begins.
func (r *pagingReader) first(at Span) {
	switch {
	case r.at == inWhere && r.Where.Start == 0:
		r.Where.Start = at.Start
	case r.at == inOrder && r.First.Start == 0:
		r.First.Start, r.at = at.Start, inFirst
	}
}

// close ends what is under way with the token before.
func (r *pagingReader) close() {
	switch r.at {
	case inFrom:
		r.From.End = r.last
	case inWhere:
		r.Where.End = r.last
	case inFirst:
		r.First.End = r.last
	case inDirection:
		if r.Nulls.Start > 0 && r.Nulls.End == 0 {
			r.Nulls.End = r.last
		}
	}
}

// token looks at a token outside of parentheses.
func (r *pagingReader) token(t token, at Span) bool {
	switch {
	case r.at == inEnd:
		return t == tokSemicolon
	case t == tokSemicolon:
		r.close()
		r.at = inEnd
	case r.is(t, "from"):
		if r.at == inHead {
			r.From.Start, r.at = at.Start, inFrom
		}
		r.first(at)
	case r.is(t, "where"):
		if r.at != inFrom {
			return false
		}
		r.close()
		r.at = inWhere
	case r.is(t, "order"):
		if r.at != inFrom && r.at != inWhere {
			return false
		}
		r.close()
		r.at, r.Order.Start = inOrder, at.Start
		return r.word("by")
	case r.is(t, "limit"):
		return r.tail() && r.Limit.none() && r.amount(&r.Limit)
	case r.is(t, "offset"):
		return r.tail() && r.Offset.none() && r.amount(&r.Offset)
	case r.is(t, "fetch"):
		return r.tail() && r.Limit.none() && r.fetch()
	case r.at == inTail:
		return r.is(t, "row") || r.is(t, "rows") // behind OFFSET n
	default:
		return r.key(t, at)
	}
	return true
}

// key looks at a token that may be in the first key of ORDER BY, or behind it.
func (r *pagingReader) key(t token, at Span) bool {
	r.first(at)
	if r.at != inFirst && r.at != inDirection {
		return true
	}
	switch {
	case t == tokComma:
		r.close()
		r.at = inRest
	case r.is(t, "using"):
		return false
	case r.is(t, "asc"), r.is(t, "desc"):
		r.close()
		r.at = inDirection
	case r.is(t, "nulls") && r.prev != tokComma && r.First.Start != at.Start:
		r.close()
		r.at, r.Nulls.Start = inDirection, at.Start
	}
	return true
}

// tail begins what follows ORDER BY.
func (r *pagingReader) tail() bool {
	if r.at != inTail {
		if r.at < inFirst {
			return false
		}
		r.close()
		r.at, r.Order.End = inTail, r.last
	}
	return true
}

// word reads one word that must follow.
func (r *pagingReader) word(want ...string) bool {
	r.prev, r.last = tokStart, r.pos
	t := r.next()
	for _, w := range want {
		if r.is(t, w) {
			r.last = r.pos
			return true
		}
	}
	return false
}

// amount reads a number or parameter.
func (r *pagingReader) amount(a *Amount) bool {
	if r.next() != tokLiteral {
		return false
	}
	written := r.text[r.start:r.pos]
	a.Span = Span{r.start, r.pos}
	r.prev, r.last = tokLiteral, r.pos
	if written[0] == '$' {
		n, ok := digits(written[1:])
		a.Parameter = int(n)
		return ok && n > 0 && n < 1<<16
	}
	if n := len(written); n > 2 && written[0] == '\'' { // as some drivers write all values
		written = written[1 : n-1]
	}
	n, ok := digits(written)
	a.Value = n
	return ok
}

// fetch reads FETCH FIRST n ROWS ONLY, without the FETCH.
func (r *pagingReader) fetch() bool {
	return r.word("first", "next") && r.amount(&r.Limit) && r.word("row", "rows") && r.word("only")
}

// digits reads a number of digits alone.
func digits(written []byte) (n int64, ok bool) {
	if len(written) == 0 || len(written) > 18 {
		return 0, false
	}
	for _, c := range written {
		if byteKinds[c] != byteDigit {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}
