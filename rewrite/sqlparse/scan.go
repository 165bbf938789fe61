package sqlparse

import "bytes"

// byteKind says what a byte can begin.
type byteKind uint8

const (
	byteOther byteKind = iota
	byteSpace
	byteLetter // of a name: letters, underscore, bytes of other alphabets
	byteDigit
	byteDollar // begins a parameter or a dollar quote, may be inside a name
	byteQuote
	byteDoubleQuote
	byteDash
	byteSlash
	byteDot
	byteColon
	byteSemicolon
	byteComma
	byteOpen
	byteClose
	byteBackslash
)

var byteKinds = func() (kinds [256]byteKind) {
	for c := range kinds {
		if c >= 0x80 || 'a' <= c|0x20 && c|0x20 <= 'z' {
			kinds[c] = byteLetter
		}
	}
	for c := '0'; c <= '9'; c++ {
		kinds[c] = byteDigit
	}
	for _, c := range " \t\n\r\f\v" {
		kinds[c] = byteSpace
	}
	for c, kind := range map[byte]byteKind{'_': byteLetter, '$': byteDollar, '\'': byteQuote, '"': byteDoubleQuote,
		'-': byteDash, '/': byteSlash, '.': byteDot, ':': byteColon, ';': byteSemicolon, ',': byteComma,
		'(': byteOpen, ')': byteClose, '\\': byteBackslash} {
		kinds[c] = kind
	}
	return kinds
}()

// scanner cuts a text into tokens by PostgreSQL's lexical rules (scan.l). Each
// token begins after the one before and every byte is looked at a bounded
// number of times. text belongs to the caller.
type scanner struct {
	text       []byte
	pos        int // the next byte
	start, end int // the last token, without its quotes if it is a name

	escapes bool // a backslash escapes in plain strings: standard_conforming_strings is off
	broken  bool // something is not ended, or is nothing PostgreSQL reads

	ambiguous bool // some plain string would end elsewhere with the other setting
	doubtful  int  // where the first of them begins
}

// place returns where the last token is, which is t, with its quotes.
func (s *scanner) place(t token) Span {
	if t == tokQuoted {
		return Span{s.start - 1, s.pos}
	}
	return Span{s.start, s.pos}
}

// next returns the next token, tokEnd at the end of the text.
func (s *scanner) next() token {
	for {
		i := s.pos
		for i < len(s.text) && byteKinds[s.text[i]] == byteSpace {
			i++
		}
		s.start, s.pos, s.end = i, i+1, i+1
		if i >= len(s.text) {
			s.start, s.pos, s.end = len(s.text), len(s.text), len(s.text)
			return tokEnd
		}
		switch byteKinds[s.text[i]] {
		case byteLetter:
			return s.word()
		case byteDigit:
			return s.number()
		case byteDash:
			if s.peek() == '-' {
				s.lineComment()
				continue
			}
		case byteSlash:
			if s.peek() == '*' {
				s.blockComment()
				continue
			}
		case byteComma:
			return tokComma
		case byteOpen:
			return tokOpen
		case byteClose:
			return tokClose
		case byteSemicolon:
			return tokSemicolon
		case byteDot:
			return s.dot()
		case byteColon:
			return s.colon()
		case byteQuote:
			return s.plainString()
		case byteDoubleQuote:
			return s.quotedName()
		case byteDollar:
			return s.dollar()
		case byteBackslash:
			s.broken = true
		}
		return tokOther
	}
}

// peek returns the next byte, 0 at the end.
func (s *scanner) peek() byte { return s.at(s.pos) }

func (s *scanner) at(i int) byte {
	if i < len(s.text) {
		return s.text[i]
	}
	return 0
}

// word scans what begins with a letter: a name, a keyword, or a string with a
// letter before it.
func (s *scanner) word() token {
	text, i := s.text, s.pos
	for i < len(text) && (byteKinds[text[i]]-byteLetter) <= byteDollar-byteLetter {
		i++
	}
	s.pos, s.end = i, i
	if i-s.start == 1 && i < len(text) {
		if tok, ok := s.prefixed(); ok {
			return tok
		}
	}
	return keywords.find(text, s.start, i)
}

// prefixed scans E'..', B'..', X'..', N'..', U&'..' and U&"..".
func (s *scanner) prefixed() (tok token, ok bool) {
	prefix, next := s.text[s.start]|0x20, s.text[s.pos]
	switch {
	case next == '\'' && prefix == 'e':
		s.pos++
		return s.escapeString(), true
	case next == '\'' && (prefix == 'b' || prefix == 'x'):
		s.pos++
		s.quoted('\'')
		return tokLiteral, true
	case next == '\'' && prefix == 'n':
		s.pos++
		return s.plainString(), true
	case next == '&' && prefix == 'u' && s.at(s.pos+1) == '\'':
		s.pos += 2
		s.quoted('\'')
		return tokLiteral, true
	case next == '&' && prefix == 'u' && s.at(s.pos+1) == '"':
		// A name spelled with escapes: nobody writes it, so we need not
		// read it.
		s.pos += 2
		s.quoted('"')
		s.broken = true
		return tokQuoted, true
	}
	return 0, false
}

// number scans digits with a fraction and an exponent. Letters that follow are
// the next word, as they were before PostgreSQL 15.
func (s *scanner) number() token {
	for s.pos < len(s.text) {
		c := s.text[s.pos]
		if byteKinds[c] != byteDigit && c != '.' && (c != '_' || byteKinds[s.at(s.pos+1)] != byteDigit) {
			break
		}
		s.pos++
	}
	if s.peek()|0x20 == 'e' {
		i := s.pos + 1
		if c := s.at(i); c == '+' || c == '-' {
			i++
		}
		if byteKinds[s.at(i)] == byteDigit {
			s.pos = i
			for byteKinds[s.peek()] == byteDigit {
				s.pos++
			}
		}
	}
	s.end = s.pos
	return tokLiteral
}

func (s *scanner) dot() token {
	if byteKinds[s.peek()] == byteDigit {
		return s.number()
	}
	return tokDot
}

func (s *scanner) colon() token {
	if s.peek() != ':' {
		return tokOther
	}
	s.pos++
	return tokCast
}

// lineComment skips the rest of the line.
func (s *scanner) lineComment() {
	for s.pos < len(s.text) && s.text[s.pos] != '\n' && s.text[s.pos] != '\r' {
		s.pos++
	}
}

// blockComment skips a comment that began with a slash; comments nest.
func (s *scanner) blockComment() {
	depth := 1
	for s.pos++; ; s.pos++ {
		i := bytes.IndexAny(s.text[s.pos:], "*/")
		if i < 0 || s.pos+i+1 >= len(s.text) {
			s.pos, s.broken = len(s.text), true
			return
		}
		s.pos += i
		switch {
		case s.text[s.pos] == '*' && s.text[s.pos+1] == '/':
			s.pos++
			if depth--; depth == 0 {
				s.pos++
				return
			}
		case s.text[s.pos] == '/' && s.text[s.pos+1] == '*':
			s.pos++
			depth++
		}
	}
}
