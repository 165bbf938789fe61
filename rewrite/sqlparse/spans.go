package sqlparse

// AppendSpans appends the places of a text's tokens to buf, as AppendPattern cuts it:
// semicolons are left out, so texts with the same pattern have as many. It returns
// false where AppendPattern has no pattern because of them. It allocates nothing if
// buf is large enough.
func AppendSpans(buf []Span, text []byte) (spans []Span, ok bool) {
	s := scanner{text: text}
	for t := s.next(); t != tokEnd; t = s.next() {
		if t == tokSemicolon {
			continue
		}
		buf = append(buf, s.place(t))
	}
	return buf, !s.broken
}

// IsValue reports whether the token at a place is one that AppendPattern leaves out:
// a literal that cannot be code.
func IsValue(token []byte) bool {
	if len(token) == 0 {
		return false
	}
	switch kind := literalKind(token); kind {
	case 0, '$':
		return false
	case shapeString:
		return token[0] == '\'' && isPlain(token)
	}
	return true
}
