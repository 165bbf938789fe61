package rewrite

import (
	"bytes"
	"strconv"

	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// A rewritten text is made for one text, but used for all that differ from it in
// literals only. So what the rules have done is remembered as a template: runs of
// tokens of the original, and constant text between them. It is found by trial: the
// rules are applied to a probe, the same text with a literal in each place that is
// nowhere else, so that it can be told where each literal in the result comes from.

// piece is a part of a text that was edited: bytes of the text that it was at first,
// or constant text.
type piece struct {
	from, to int
	text     string // if from < 0
}

// whole is a text as it is.
func whole(text string) []piece { return []piece{{from: 0, to: len(text)}} }

func (p piece) length() int {
	if p.from < 0 {
		return len(p.text)
	}
	return p.to - p.from
}

// cut returns the part of a piece from and to these bytes of it.
func (p piece) cut(from, to int) piece {
	if p.from < 0 {
		return piece{from: -1, text: p.text[from:to]}
	}
	return piece{from: p.from + from, to: p.from + to}
}

// editPieces makes edits in the text that pieces stand for.
func editPieces(pieces []piece, edits []Edit) (edited []piece) {
	at := 0
	for _, e := range edits {
		edited = append(cutPieces(edited, pieces, at, e.From), piece{from: -1, text: e.Text})
		at = e.To
	}
	end := 0
	for _, p := range pieces {
		end += p.length()
	}
	return cutPieces(edited, pieces, at, end)
}

// cutPieces appends what pieces have from and to these bytes.
func cutPieces(to, pieces []piece, from, end int) []piece {
	at := 0
	for _, p := range pieces {
		a, b := max(from-at, 0), min(end-at, p.length())
		if a < b {
			to = append(to, p.cut(a, b))
		}
		at += p.length()
	}
	return to
}

// template makes the new text of all texts with one pattern.
type template struct {
	tokens int // how many the texts have
	parts  []templatePart
}

// templatePart is a run of tokens of the original, with what stands between them, or
// constant text.
type templatePart struct {
	first, last int
	text        string // if first < 0
}

// newTemplate turns what rules have done to a probe into a template. It returns nil
// where that is not made of whole tokens.
func newTemplate(probe string, pieces []piece) *template {
	spans, ok := sqlparse.AppendSpans(nil, []byte(probe))
	if !ok || len(spans) == 0 {
		return nil
	}
	t := &template{tokens: len(spans)}
	for _, p := range pieces {
		if p.from < 0 {
			ok = t.addConstant(probe, spans, p.text)
		} else {
			ok = t.addRun(spans, p)
		}
		if !ok {
			return nil
		}
	}
	return t
}

// addRun adds the tokens in a run of the original's bytes.
func (t *template) addRun(spans []sqlparse.Span, p piece) bool {
	first, last := -1, -1
	for i, s := range spans {
		switch {
		case s.End <= p.from || s.Start >= p.to:
		case s.Start < p.from || s.End > p.to:
			return false // it cuts a token
		default:
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	if first >= 0 {
		t.parts = append(t.parts, templatePart{first: first, last: last})
	}
	return true
}

// addConstant adds text that a rule has put in. Literals in it that the probe has are
// those of the original.
func (t *template) addConstant(probe string, spans []sqlparse.Span, text string) bool {
	tokens, ok := sqlparse.AppendSpans(nil, []byte(text))
	if !ok {
		return false
	}
	at := 0
	for _, token := range tokens {
		literal := []byte(token.In(text))
		if !sqlparse.IsValue(literal) {
			continue
		}
		for i, s := range spans {
			if s.In(probe) == string(literal) {
				t.addText(text[at:token.Start])
				t.parts = append(t.parts, templatePart{first: i, last: i})
				at = token.End
				break
			}
		}
	}
	t.addText(text[at:])
	return true
}

func (t *template) addText(text string) {
	if text != "" {
		t.parts = append(t.parts, templatePart{first: -1, text: text})
	}
}

// appendText appends the new text of a text with the pattern, whose tokens are at
// spans. What stands before its first token and behind its last one stays. It
// allocates nothing if buf is large enough.
func (t *template) appendText(buf, text []byte, spans []sqlparse.Span) (made []byte, ok bool) {
	if len(spans) != t.tokens {
		return buf, false
	}
	buf = append(buf, text[:spans[0].Start]...)
	for i, p := range t.parts {
		if i > 0 {
			buf = append(buf, ' ')
		}
		if p.first < 0 {
			buf = append(buf, p.text...)
		} else {
			buf = append(buf, text[spans[p.first].Start:spans[p.last].End]...)
		}
	}
	return append(buf, text[spans[len(spans)-1].End:]...), true
}

// origin returns where a byte of the new text comes from in the original: itself, or
// what stood in the place of the constant text that it is in.
func (t *template) origin(text []byte, spans []sqlparse.Span, place int) int {
	at, from := spans[0].Start, spans[0].Start
	if place < at {
		return place
	}
	for i, p := range t.parts {
		if i > 0 {
			at++
		}
		length := len(p.text)
		if p.first >= 0 {
			from = spans[p.first].Start
			length = spans[p.last].End - from
		}
		if place < at+length {
			if p.first >= 0 {
				return from + max(place-at, 0)
			}
			return from
		}
		at += length
		if p.first >= 0 {
			from = spans[p.last].End
		}
	}
	return min(from, len(text))
}

// probeOf returns a text with the same pattern in which no two literals are equal.
func probeOf(text string) (probe string, ok bool) {
	spans, ok := sqlparse.AppendSpans(nil, []byte(text))
	if !ok {
		return "", false
	}
	var out []byte
	at := 0
	for i, s := range spans {
		literal := []byte(s.In(text))
		if !sqlparse.IsValue(literal) {
			continue
		}
		out = append(append(out, text[at:s.Start]...), probeLiteral(literal, i)...)
		at = s.End
	}
	out = append(out, text[at:]...)
	was, ok := sqlparse.AppendPattern(nil, []byte(text))
	is, same := sqlparse.AppendPattern(nil, out)
	return string(out), ok && same && bytes.Equal(was, is)
}

// probeLiteral returns a literal of the same kind as another that no rule makes up.
func probeLiteral(literal []byte, i int) string {
	n := strconv.Itoa(731_950_000 + i)
	switch {
	case literal[0] == '\'':
		return "'" + n + "'"
	case bytes.ContainsAny(literal, ".eE"):
		return n + ".5"
	case len(literal) > 10 || len(literal) == 10 && string(literal) > "2147483647":
		return "731950" + n
	}
	return n
}
