package sqlparse

import (
	"strconv"
	"strings"
)

// The pattern of a text is its shape in which those literals are left that could
// be code, or part of it: texts with the same pattern call the same functions,
// with other numbers and words.

// AppendPattern appends the pattern of a text to buf, and reports whether it has
// one.
func AppendPattern(buf, text []byte) (pattern []byte, ok bool) {
	s := shaper{scanner: scanner{text: text}, out: buf, code: true, hiding: hiding{stage: hidingNone}}
	_, _, ok = s.run()
	return s.out, ok
}

// Normal returns a pattern for people: with $1, $2 and so on in the place of literals, those
// that are left in it as well, and behind the parameters that it has.
func Normal(pattern []byte) string {
	shape, ok := appendHidden(nil, []byte(asLiterals.Replace(string(pattern))))
	if !ok {
		return unreadableText
	}
	out := make([]byte, 0, len(shape)+16)
	n := highestParameter(shape)
	for _, c := range shape {
		if c > shapeFloat {
			out = append(out, c)
			continue
		}
		n++
		out = strconv.AppendInt(append(out, '$'), int64(n), 10)
	}
	return string(out)
}

// asLiterals puts literals in the place of what stands for them.
var asLiterals = strings.NewReplacer(string(rune(shapeString)), "''", string(rune(shapeInteger)), "0", string(rune(shapeFloat)), "0.")

// unreadableText is what people see of a pattern that is not to be read for sure.
const unreadableText = "(not to be read for sure)"

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
