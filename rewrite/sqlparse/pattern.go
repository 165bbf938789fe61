package sqlparse

import "strconv"

// The pattern of a text is its shape in which those literals are left that could
// be code, or part of it: texts with the same pattern call the same functions,
// with other numbers and words.

// AppendPattern appends the pattern of a text to buf, and reports whether it has
// one.
func AppendPattern(buf, text []byte) (pattern []byte, ok bool) {
	s := shaper{scanner: scanner{text: text}, out: buf, code: true}
	_, _, ok = s.run()
	return s.out, ok
}

// Normal returns a pattern, or shape, for people: with $1, $2 and so on in the place of
// literals, and behind the parameters that it has.
func Normal(pattern []byte) string {
	out := make([]byte, 0, len(pattern)+16)
	n := highestParameter(pattern)
	for _, c := range pattern {
		if c > shapeFloat {
			out = append(out, c)
			continue
		}
		n++
		out = strconv.AppendInt(append(out, '$'), int64(n), 10)
	}
	return string(out)
}

// highestParameter returns the n of the highest $n in a text, or something higher.
func highestParameter(text []byte) (highest int) {
	for i := 0; i < len(text); i++ {
		if text[i] != '$' {
			continue
		}
		n := 0
		for i++; i < len(text) && byteKinds[text[i]] == byteDigit && n < 1<<16; i++ {
			n = n*10 + int(text[i]-'0')
		}
		highest = max(highest, n)
	}
	return highest
}

// isPlain reports whether a literal cannot be code. There is none without letters,
// nor any without something between two words: a space, a comment, a quote or a
// parenthesis.
func isPlain(literal []byte) bool {
	if literal[0] != '\'' {
		return byteKinds[literal[0]] == byteDigit || literal[0] == '.' || literal[0] == '$' && byteKinds[literal[1]] == byteDigit
	}
	letters, separate := false, false
	for _, c := range literal[1 : len(literal)-1] {
		switch {
		case c >= 0x80, c == '_', 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z':
			letters = true
		case '0' <= c && c <= '9', c == '.', c == ',', c == ':', c == '@', c == '%', c == '+', c == '-':
		case c == ' ':
			separate = true
		default:
			return false
		}
	}
	return !letters || !separate
}
