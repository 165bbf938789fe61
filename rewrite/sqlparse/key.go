package sqlparse

import "strconv"

// shapeMore stands in a squashed shape for the rest of a list of literals.
const shapeMore = 4

// AppendShape appends the shape of a text to buf, and reports whether it has one.
// Nothing of any literal or comment is left in it, and a list of literals counts as one
// however long it is: it tells statements apart for statistics.
func AppendShape(buf, text []byte) (shape []byte, ok bool) {
	s := shaper{scanner: scanner{text: text}, out: buf, several: true, people: true}
	if _, _, ok = s.run(); !ok {
		return s.out, false
	}
	return s.out[:len(buf)+squash(s.out[len(buf):])], true
}

// squash shortens runs of literals between commas, in place, and returns what is left.
func squash(shape []byte) (n int) {
	for i := 0; i < len(shape); i++ {
		c := shape[i]
		shape[n] = c
		n++
		if c > shapeFloat {
			continue
		}
		if end := listEnd(shape, i+1); end > i+1 {
			shape[n] = shapeMore
			n++
			i = end - 1
		}
	}
	return n
}

// listEnd returns where a list of literals ends that goes on at i.
func listEnd(shape []byte, i int) int {
	for {
		next := skipByte(shape, i, ' ')
		if next >= len(shape) || shape[next] != ',' {
			return i
		}
		next = skipByte(shape, next+1, ' ')
		if next >= len(shape) || shape[next] > shapeFloat {
			return i
		}
		i = next + 1
	}
}

func skipByte(p []byte, i int, c byte) int {
	for i < len(p) && p[i] == c {
		i++
	}
	return i
}

// ShapeText returns a shape for people: with $1, $2 and so on in the place of literals,
// behind the parameters that it has, and ", ..." for the rest of a list.
func ShapeText(shape []byte) string {
	out := make([]byte, 0, len(shape)+16)
	n := highestParameter(shape)
	for _, c := range shape {
		switch {
		case c == shapeMore:
			out = append(out, ", ..."...)
		case c <= shapeFloat:
			n++
			out = strconv.AppendInt(append(out, '$'), int64(n), 10)
		default:
			out = append(out, c)
		}
	}
	return string(out)
}

// Hide returns a text, or an expression, with ? in the place of its literals, without
// comments, and with words in lower case. It returns false where it cannot tell for sure
// what is a literal.
func Hide(text string) (string, bool) {
	out, _, ok := appendShape(nil, []byte(text))
	if !ok {
		return "", false
	}
	for i, c := range out {
		if c <= shapeFloat {
			out[i] = '?'
		}
	}
	return string(out), true
}
