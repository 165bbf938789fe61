package cache

import "bytes"

// StripComments returns text without its comments, for keys: comments with the
// numbers of traces are different each time. What PostgreSQL reads stays the same:
// nothing is done in strings, quoted names and dollar quotes, and what a comment
// keeps apart stays apart. A text without comments is returned as it is, and so is
// one with something in it that is not ended, or that servers differ about. The
// result is text itself, or appended to dst; it reports which.
//
// standard says that standard_conforming_strings is on and that the client's
// encoding has ASCII bytes for nothing but ASCII characters. Without it a text with
// a backslash is returned as it is.
func StripComments(dst, text []byte, standard bool) (out []byte, stripped bool) {
	if !bytes.Contains(text, dashes) && !bytes.Contains(text, slashStar) {
		return text, false
	}
	if !standard && bytes.IndexByte(text, '\\') >= 0 {
		return text, false
	}
	s := stripper{text: text, out: dst, start: len(dst)}
	if !s.run() {
		return text, false
	}
	return s.trimmed(), true
}

var dashes, slashStar = []byte("--"), []byte("/*")

// stripper goes once through a text, by the rules of PostgreSQL's scan.l.
type stripper struct {
	text   []byte
	pos    int
	copied int // text up to here is in out, or was left out
	out    []byte
	start  int // of out, behind what was in dst

	comments int
	last     lastToken
	newline  bool // since the last token
	split    bool // a block comment since the last token
}

// lastToken says whether a string that comes next may be a continuation of the
// last token: 'a' and 'b' are one string if white space with a line break, and
// line comments, are all that is between them.
type lastToken uint8

const (
	lastOther lastToken = iota
	lastString
	lastEscapes // a string in which a backslash escapes; so it does in what continues it
)

// run reports whether there were comments and all could be read.
func (s *stripper) run() bool {
	for s.pos < len(s.text) {
		if !s.next() {
			return false
		}
	}
	s.copyTo(len(s.text))
	return s.comments > 0
}

// next reads one token, comment or byte of white space. It returns false if it is
// not ended, or read in different ways by different servers.
func (s *stripper) next() bool {
	switch c := s.text[s.pos]; {
	case c == ' ' || c == '\t' || c == '\f':
		s.pos++
		return true
	case c == '\n' || c == '\r':
		s.pos++
		s.newline = true
		return true
	case c == '\v': // white space since PostgreSQL 16
		return false
	case c == '-' && s.at(1) == '-':
		s.lineComment()
		return true
	case c == '/' && s.at(1) == '*':
		return s.blockComment()
	case c == '\'':
		return s.string()
	case c == '"':
		return s.token(lastOther, s.quoted('"'))
	case c == '$' && isDigit(s.at(1)):
		s.pos++
		s.digits()
		return s.token(lastOther, s.clean())
	case c == '$':
		return s.token(lastOther, s.dollar())
	case isDigit(c) || c == '.' && isDigit(s.at(1)):
		return s.token(lastOther, s.number())
	case isNameStart(c):
		return s.word()
	}
	s.pos++
	return s.token(lastOther, true)
}

func (s *stripper) at(n int) byte {
	if s.pos+n < len(s.text) {
		return s.text[s.pos+n]
	}
	return 0
}

// token notes what was just read, and passes on whether it was ended.
func (s *stripper) token(last lastToken, ended bool) bool {
	s.last, s.newline, s.split = last, false, false
	return ended
}

func isNameStart(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_' || c >= 0x80 }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// word reads a name or keyword, or a string with E before it.
func (s *stripper) word() bool {
	from := s.pos
	for s.pos < len(s.text) && (isNameStart(s.text[s.pos]) || isDigit(s.text[s.pos]) || s.text[s.pos] == '$') {
		s.pos++
	}
	if s.pos-from == 1 && s.text[from]|0x20 == 'e' && s.at(0) == '\'' {
		return s.token(lastEscapes, s.escaped())
	}
	return s.token(lastOther, true)
}

// number reads digits with a fraction and an exponent.
func (s *stripper) number() bool {
	s.digits()
	if s.at(0) == '.' && s.at(1) != '.' { // not 1..10
		s.pos++
		s.digits()
	}
	if s.at(0)|0x20 == 'e' {
		sign := 0
		if c := s.at(1); c == '+' || c == '-' {
			sign = 1
		}
		if isDigit(s.at(1 + sign)) {
			s.pos += 1 + sign
			s.digits()
		}
	}
	return s.clean()
}

func (s *stripper) digits() {
	for isDigit(s.at(0)) {
		s.pos++
	}
}

// clean reports whether no letter follows a number: it would be a part of it, a
// mistake, or a name, depending on the server's version.
func (s *stripper) clean() bool { return !isNameStart(s.at(0)) }

// string reads a string without a letter before it.
func (s *stripper) string() bool {
	if s.last == lastEscapes && s.newline && !s.split {
		return s.token(lastEscapes, s.escaped())
	}
	if s.last != lastOther && s.split {
		// Without a comment here the two strings might be one.
		s.copyTo(s.pos)
		s.out = append(s.out, "/**/"...)
	}
	return s.token(lastString, s.quoted('\''))
}

// quoted skips to the end of what is between quotes, where two stand for one.
func (s *stripper) quoted(quote byte) bool {
	for s.pos++; ; s.pos++ {
		i := bytes.IndexByte(s.text[s.pos:], quote)
		if i < 0 {
			return false
		}
		s.pos += i + 1
		if s.at(0) != quote {
			return true
		}
	}
}

// escaped skips to the end of a string in which a backslash escapes what follows.
func (s *stripper) escaped() bool {
	for s.pos++; s.pos < len(s.text); s.pos++ {
		switch s.text[s.pos] {
		case '\\':
			s.pos++
		case '\'':
			if s.at(1) != '\'' {
				s.pos++
				return true
			}
			s.pos++
		}
	}
	return false
}

// dollar reads a dollar quote, or the dollar alone.
func (s *stripper) dollar() bool {
	end := s.pos + 1
	for end < len(s.text) && (isNameStart(s.text[end]) || end > s.pos+1 && isDigit(s.text[end])) {
		end++
	}
	if end == len(s.text) || s.text[end] != '$' {
		s.pos++
		return true
	}
	tag := s.text[s.pos : end+1]
	i := indexTag(s.text[end+1:], tag)
	if i < 0 {
		return false
	}
	s.pos = end + 1 + i + len(tag)
	return true
}

// indexTag finds the next tag. It looks only at dollars, of which a tag has none
// inside: linear time whatever the text.
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

// lineComment leaves out everything up to the end of the line.
func (s *stripper) lineComment() {
	s.copyTo(s.pos)
	for s.pos < len(s.text) && s.text[s.pos] != '\n' && s.text[s.pos] != '\r' {
		s.pos++
	}
	s.copied = s.pos
	s.comments++
}

// blockComment leaves out a comment, in which others may be nested.
func (s *stripper) blockComment() bool {
	s.copyTo(s.pos)
	depth := 1
	for s.pos += 2; depth > 0; s.pos++ {
		i := bytes.IndexAny(s.text[s.pos:], "*/")
		if i < 0 {
			return false
		}
		s.pos += i
		switch c, next := s.text[s.pos], s.at(1); {
		case c == '*' && next == '/':
			s.pos++
			depth--
		case c == '/' && next == '*':
			s.pos++
			depth++
		}
	}
	s.copied = s.pos
	s.comments++
	s.split = true
	if n := len(s.out); n > s.start && !isSpace(s.out[n-1]) && s.pos < len(s.text) && !isSpace(s.text[s.pos]) {
		s.out = append(s.out, ' ')
	}
	return true
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' }

func (s *stripper) copyTo(end int) {
	s.out = append(s.out, s.text[s.copied:end]...)
	s.copied = end
}

// trimmed returns what is left, without white space at both ends: there was a
// comment, perhaps. What was in dst stays.
func (s *stripper) trimmed() []byte {
	for len(s.out) > s.start && isSpace(s.out[len(s.out)-1]) {
		s.out = s.out[:len(s.out)-1]
	}
	n := s.start
	for n < len(s.out) && isSpace(s.out[n]) {
		n++
	}
	return append(s.out[:s.start], s.out[n:]...)
}
