package sqlparse

// The shape of a text is what is left without its comments and the values of its
// literals, words in lower case: texts that differ only in these have the same
// facts. What stands for a literal is a byte that no token begins with; there is
// one for each kind that the grammar tells apart.
const (
	shapeString  = 1
	shapeInteger = 2
	shapeFloat   = 3
)

// isQuery reports whether texts of this class can share facts by shape: one
// query, which has no Detail.
func (c *Class) isQuery() bool {
	switch c.First {
	case CommandSelect, CommandValues, CommandInsert, CommandUpdate, CommandDelete, CommandMerge:
		return c.Statements == 1
	}
	return false
}

// hasLiteral reports whether there is a string or a number in a text.
func hasLiteral(text []byte) bool {
	s := scanner{text: text}
	for t := s.next(); t != tokEnd; t = s.next() {
		if t == tokLiteral && (text[s.start] != '$' || byteKinds[text[s.start+1]] != byteDigit) {
			return true
		}
	}
	return false
}

// shaper makes the shape of a text.
type shaper struct {
	scanner
	out  []byte
	all  Span  // from the first token to the last
	prev token // the token before
	code bool  // literals that could be code stay
	// people is set when the shape is for them: words that are values are hidden.
	people bool
	// several is set when the text may have several statements, which stay apart.
	several bool
	hiding
}

// hiding is what is known of the statement under way in a shape for people, in which wordList
// that are values are hidden, too.
type hiding struct {
	stage    hidingStage
	onlySets bool     // all behind the name of the setting is its value
	naming   bool     // the name of what it is about is to come
	foreign  bool     // it is about something FOREIGN
	let      wordList // those that are shown in hidingRest
	last     []byte   // the token before
	hidden   int      // the length of the shape behind what is hidden, if that was the token before
}

// appendShape appends the shape of a text to buf, and tells where the first
// token begins and the last one ends. It gives up, ok is false, where the
// literals are written in a way that few use and versions of PostgreSQL read
// differently.
func appendShape(buf, text []byte) (shape []byte, all Span, ok bool) {
	s := shaper{scanner: scanner{text: text}, out: buf, hiding: hiding{stage: hidingNone}}
	return s.run()
}

// appendHidden appends the shape of a text for people.
func appendHidden(buf, text []byte) (shape []byte, ok bool) {
	s := shaper{scanner: scanner{text: text}, out: buf, people: true}
	shape, _, ok = s.run()
	return shape, ok
}

func (s *shaper) run() (shape []byte, all Span, ok bool) {
	s.all.Start = -1
	between := false
	for t := s.next(); t != tokEnd; t = s.next() {
		if t == tokSemicolon { // before or behind the one statement
			between = s.several && s.all.Start >= 0
			if s.people {
				s.stage = hidingStart
			}
			continue
		}
		start := s.place(t).Start
		if between {
			s.out, s.prev, between = append(s.out, ';'), tokSemicolon, false
		}
		if s.all.Start < 0 {
			s.all.Start = start
		} else if start > s.all.End {
			s.out = append(s.out, ' ')
		}
		s.all.End = s.pos
		if !s.add(t, s.text[start:s.pos]) {
			return nil, Span{}, false
		}
		s.prev = t
	}
	return s.out, s.all, !s.broken && s.all.Start >= 0
}

// add adds a token.
func (s *shaper) add(t token, written []byte) bool {
	hides := s.stage != hidingNone && s.hides(t, written)
	ok := t != tokLiteral || s.readable(written)
	switch {
	case hides:
		s.hide()
	case t == tokLiteral:
		s.addLiteral(written)
	case t.isWord() && t != tokQuoted:
		from := len(s.out)
		s.out = append(s.out, written...)
		for i, c := range s.out[from:] {
			if 'A' <= c && c <= 'Z' {
				s.out[from+i] = c + 'a' - 'A'
			}
		}
	case written[0] < ' ':
		return false
	default:
		s.out = append(s.out, written...)
	}
	if !hides {
		s.hidden = 0
	}
	s.last = written
	return ok
}

// hide adds a placeholder, one for all tokens in a row that are hidden.
func (s *shaper) hide() {
	if s.hidden > 0 {
		s.out = s.out[:s.hidden]
		return
	}
	s.out = append(s.out, shapeString)
	s.hidden = len(s.out)
}

// readable reports whether it is certain what a literal is.
func (s *shaper) readable(written []byte) bool {
	kind := literalKind(written)
	return kind != 0 && s.prev != tokLiteral && s.prev != tokDot && (kind == shapeString || !s.continuesNumber())
}

func (s *shaper) addLiteral(written []byte) {
	if kind := literalKind(written); kind != '$' && (!s.code || isPlain(written)) {
		s.out = append(s.out, kind)
		return
	}
	s.out = append(s.out, written...)
}

// continuesNumber reports whether what follows a number or parameter may be part
// of it in some version of PostgreSQL: 0x1f, 1_000, 1..2.
func (s *shaper) continuesNumber() bool {
	switch byteKinds[s.peek()] {
	case byteLetter, byteDigit, byteDollar, byteDot:
		return true
	}
	return false
}

// literalKind returns what stands for a literal in a shape, '$' if it is a
// parameter, 0 if it is of a kind that few use.
func literalKind(written []byte) byte {
	switch c := written[0]; {
	case c == '$' && byteKinds[written[1]] == byteDigit:
		return '$'
	case c == '\'', c == '$', c|0x20 == 'e':
		return shapeString
	case byteKinds[c] == byteDigit || c == '.':
		return numberKind(written)
	}
	return 0
}

// numberKind tells an integer, which has 32 bits in the grammar, from other
// numbers.
func numberKind(written []byte) byte {
	var value int64
	dots := 0
	kind := byte(shapeInteger)
	for _, c := range written {
		switch {
		case byteKinds[c] == byteDigit:
			value = min(value*10+int64(c-'0'), 1<<31)
		case c == '_':
			return 0
		case c == '.':
			dots++
			kind = shapeFloat
		default: // of an exponent
			kind = shapeFloat
		}
	}
	switch {
	case dots > 1:
		return 0
	case value == 1<<31:
		return shapeFloat
	}
	return kind
}
