package sqlparse

import "testing"

// FuzzClassify looks for panics and for texts whose class depends on comments
// between their tokens or on the case of their words.
func FuzzClassify(f *testing.F) {
	stateful, _ := stateful(f)
	for _, text := range append(append(corpus(f, "applications.sql"), corpus(f, "psql.sql")[:20]...), stateful...) {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		want := Classify(text)
		want.Resets("work_mem")
		for what, other := range map[string][]byte{"comments": withComments(t, text), "other case": inOtherCase(text)} {
			got := Classify(other)
			got.text, want.text = nil, nil
			if got.Pin != want.Pin || got.First != want.First || got.Statements != want.Statements || got.Reset != want.Reset ||
				got.ReadsState != want.ReadsState || got.writes != want.writes {
				t.Errorf("%q is %+v\nwith %s %q is %+v", text, want, what, other, got)
			}
		}
	})
}

// withComments puts a comment behind each token.
func withComments(t *testing.T, text []byte) (out []byte) {
	s := scanner{text: text}
	for at := 0; ; at = s.pos {
		tok := s.next()
		out = append(out, text[at:s.pos]...)
		if tok == tokEnd {
			return out
		}
		if s.pos <= at || s.pos > len(text) {
			t.Fatalf("%q: token from %d to %d", text, at, s.pos)
		}
		if s.pos < len(text) {
			out = append(out, "/**/"...)
		}
	}
}

// inOtherCase changes the case of words that are not quoted.
func inOtherCase(text []byte) []byte {
	out := append([]byte(nil), text...)
	s := scanner{text: text}
	for tok := s.next(); tok != tokEnd; tok = s.next() {
		if !tok.isWord() || tok == tokQuoted {
			continue
		}
		for i := s.start; i < s.end; i++ {
			if c := out[i] | 0x20; 'a' <= c && c <= 'z' {
				out[i] ^= 0x20
			}
		}
	}
	return out
}
