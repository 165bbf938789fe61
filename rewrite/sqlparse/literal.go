package sqlparse

import "bytes"

// quoted skips to the end of what is between quotes, where two quotes stand
// for one, and reports whether any of them would be escaped if backslashes did
// that: those behind an odd number of backslashes.
func (s *scanner) quoted(quote byte) (escaped bool) {
	for {
		i := bytes.IndexByte(s.text[s.pos:], quote)
		if i < 0 {
			s.pos, s.end, s.broken = len(s.text), len(s.text), true
			return escaped
		}
		s.pos += i + 1
		escaped = escaped || s.backslashes()%2 == 1
		if s.peek() != quote {
			s.end = s.pos
			return escaped
		}
		s.pos++
	}
}

// backslashes counts those before the quote that was just read.
func (s *scanner) backslashes() int {
	n := 0
	for s.text[s.pos-2-n] == '\\' { // ends at the opening quote
		n++
	}
	return n
}

// plainString scans '..'. Its end may depend on standard_conforming_strings
// when a backslash stands before a quote.
func (s *scanner) plainString() token {
	if s.escapes {
		return s.escapeString()
	}
	if s.quoted('\'') && !s.ambiguous {
		s.ambiguous, s.doubtful = true, s.start
	}
	return tokLiteral
}

// quotedName scans "..".
func (s *scanner) quotedName() token {
	s.quoted('"')
	s.start++
	if !s.broken {
		s.end--
	}
	return tokQuoted
}

// escapeString scans E'..', where a backslash escapes what follows. The string
// goes on after a line break, and so does that rule.
func (s *scanner) escapeString() token {
	for {
		s.escaped()
		if s.broken || !s.continues() {
			s.end = s.pos
			return tokLiteral
		}
	}
}

// escaped skips to the end of a string with escapes.
func (s *scanner) escaped() {
	for s.pos < len(s.text) {
		c := s.text[s.pos]
		s.pos++
		switch {
		case c == '\\':
			s.pos++
		case c == '\'' && s.peek() == '\'':
			s.pos++
		case c == '\'':
			return
		}
	}
	s.pos, s.broken = len(s.text), true
}

// continues reports whether a string that just ended goes on behind white
// space with a line break in it. Then the scanner stands behind the quote.
func (s *scanner) continues() bool {
	at, newline := s.pos, false
	for ; s.pos < len(s.text); s.pos++ {
		c := s.text[s.pos]
		switch {
		case c == '\n' || c == '\r':
			newline = true
		case byteKinds[c] == byteSpace:
		case c == '-' && s.at(s.pos+1) == '-':
			s.lineComment()
			s.pos--
		case c == '\'' && newline:
			s.pos++
			return true
		default:
			s.pos = at
			return false
		}
	}
	s.pos = at
	return false
}

// dollar scans a parameter or a dollar quote.
func (s *scanner) dollar() token {
	i := s.pos
	if byteKinds[s.at(i)] == byteDigit {
		for byteKinds[s.at(i)] == byteDigit {
			i++
		}
		s.pos, s.end = i, i
		return tokLiteral
	}
	for i < len(s.text) && (byteKinds[s.text[i]] == byteLetter || i > s.pos && byteKinds[s.text[i]] == byteDigit) {
		i++
	}
	if s.at(i) != '$' {
		s.broken = true
		return tokOther
	}
	s.dollarQuote(s.text[s.start : i+1])
	return tokLiteral
}

// dollarQuote skips to the end of a dollar-quoted string.
func (s *scanner) dollarQuote(tag []byte) {
	s.pos = s.start + len(tag)
	if i := indexTag(s.text[s.pos:], tag); i >= 0 {
		s.pos += i + len(tag)
	} else {
		s.pos, s.broken = len(s.text), true
	}
	s.end = s.pos
}

// indexTag finds the next tag. It looks only at dollars, of which a tag has
// none inside: linear time whatever the text.
func indexTag(text, tag []byte) int {
	for from := 0; ; from++ {
		i := bytes.IndexByte(text[from:], '$')
		if i < 0 {
			return -1
		}
		from += i
		if bytes.HasPrefix(text[from:], tag) {
			return from
		}
	}
}
