package sqlparse

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

func shapeOf(t *testing.T, text string) string {
	t.Helper()
	shape, all, ok := NewStatement([]byte(text)).shape(nil)
	if !ok {
		return "none"
	}
	if got := all.In(text); strings.TrimSpace(got) != got {
		t.Errorf("%q begins or ends with space", got)
	}
	return strings.NewReplacer("\x01", "'", "\x02", "0", "\x03", "0.").Replace(string(shape))
}

// TestShape shows shapes with ' for a string, 0 for an integer and 0. for any
// other number.
func TestShape(t *testing.T) {
	for text, want := range map[string]string{
		"SELECT * FROM T WHERE a=1 AND b = 'x' -- c": "select * from t where a=0 and b = '",
		" /*+ x */ SELECT\n1,2.5,  .5, 1e3, $7 ":     "select 0,0., 0., 0., $7",
		`SELECT "A""b", E'\'', $$x$$, $a$'$a$ `:      `select "A""b", ', ', '`,
		"SELECT 2147483647, 2147483648, 00000000001": "select 0, 0., 0",
		"SELECT a/**/-/**/-1":                        "select a - -0",
		"SELECT a--1\n-1":                            "select a -0",
		"UPDATE t SET a = 'É' WHERE É = 1":           "update t set a = ' where É = 0",
		"WITH x AS (SELECT 1) DELETE FROM t":         "with x as (select 0) delete from t",
		"SELECT a FROM t WHERE b = $1":               "none", // its text is enough
		"; SELECT 1 ; ; -- c":                        "select 0",
		"SELECT 1; SELECT 2":                         "none",
		"SET a = 1":                                  "none",
		"EXPLAIN SELECT 1":                           "none",
		"SELECT 'a'\n'b'":                            "none",
		"SELECT 'a' 'b'":                             "none",
		"SELECT 0x1f, 1":                             "none",
		"SELECT 1_000":                               "none",
		"SELECT 1..2":                                "none",
		"SELECT a..2":                                "none",
		"SELECT 1a":                                  "none",
		"SELECT $1a, 1":                              "none",
		"SELECT B'1'":                                "none",
		"SELECT U&'a'":                               "none",
		"SELECT N'a'":                                "none",
		"SELECT \x01, 1":                             "none",
		"SELECT 'a":                                  "none",
	} {
		if got := shapeOf(t, text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// withOtherLiterals changes the values of literals, and adds comments.
func withOtherLiterals(text string, random *rand.Rand) string {
	var b strings.Builder
	s := scanner{text: []byte(text)}
	end := 0
	for t := s.next(); t != tokEnd; t = s.next() {
		start := s.start
		if t == tokQuoted {
			start--
		}
		written := text[start:s.pos]
		if start > end {
			b.WriteString([]string{" ", "\n", " /* ; ' */ ", " -- $$\n"}[random.IntN(4)])
		}
		if t == tokLiteral {
			written = otherLiteral(written, random)
		}
		b.WriteString(written)
		end = s.pos
	}
	return b.String()
}

func otherLiteral(written string, random *rand.Rand) string {
	switch kind := literalKind([]byte(written)); kind {
	case shapeString:
		return []string{"''", "'a''b'", "E'\\'' ", "$$ ; $$", "'pg_temp'", "'{1,2}'"}[random.IntN(6)]
	case shapeInteger:
		return fmt.Sprint(random.IntN(1 << 20))
	case shapeFloat:
		return []string{"1.5", ".25", "1e10", "99999999999"}[random.IntN(4)]
	}
	return written
}

// TestShapesShareFacts compares the facts that the memo gives for all texts, and
// for many of their shapes, with those of the text alone.
func TestShapesShareFacts(t *testing.T) {
	m := NewMemo(64 << 20)
	random := rand.New(rand.NewPCG(3, 4))
	shared, compared := 0, 0
	for i, text := range append(ownTexts(t), regression(t)...) {
		if i > 1000 && i%5 != 0 { // enough
			continue
		}
		for _, text := range []string{text, withOtherLiterals(text, random), withOtherLiterals(text, random)} {
			s, alone := m.Get([]byte(text)), NewStatement([]byte(text))
			if s.memo == nil || !parsable([]byte(text)) {
				continue
			}
			if m.knows(s) {
				shared++
			} else if _, _, ok := s.shape(nil); !ok && random.IntN(10) > 0 {
				continue // nothing is shared
			}
			compared++
			if f, want := s.Facts(), alone.Facts(); !want.Opaque && !reflect.DeepEqual(f, want) {
				t.Errorf("%s\n%s\nwith spans %v, want %s, %v", text, describe(s), f.Parts[0].Span, describe(alone), want.Parts[0].Span)
			}
		}
	}
	if shared < 300 {
		t.Errorf("of %d only %d shared facts", compared, shared)
	}
}

// TestShapeOfBrokenText keeps what is not parsed from those that are.
func TestShapeOfBrokenText(t *testing.T) {
	m := NewMemo(1 << 20)
	for _, text := range []string{`SELECT a FROM t WHERE b = E'\u00'`, `SELECT a FROM t WHERE b = 'x'`, `SELECT a FROM t WHERE b = 'y'`} {
		want := "select reads t computes ="
		if strings.Contains(text, "u00") {
			want = "opaque"
		}
		if got := describe(m.Get([]byte(text))); got != want {
			t.Errorf("%s: %s", text, got)
		}
	}
	if got := m.Stat(); got.Parses != 2 || got.Shapes != 1 {
		t.Errorf("%+v", got)
	}
}

// TestMemoOfLiterals remembers a text with literals when it comes again, and
// parses none whose shape is known.
func TestMemoOfLiterals(t *testing.T) {
	m := NewMemo(1 << 20)
	for i := range 1000 {
		s := m.Get(fmt.Appendf(nil, "SELECT * FROM t WHERE id = %d", i))
		if s.Cheap(); describe(s) != "select reads t computes =" {
			t.Fatal(describe(s))
		}
	}
	if got := m.Stat(); got.Parses != 1 || got.Shapes != 1 || got.Texts > 10 {
		t.Errorf("%+v", got)
	}
	text := []byte("SELECT * FROM t WHERE id = 1000")
	first, second, third := m.Get(text), m.Get(text), m.Get(text)
	if first == second || second != third {
		t.Error("remembered too early or too late")
	}
}

// TestLiteralsKeepTheirMeaning does not share what depends on a literal.
func TestLiteralsKeepTheirMeaning(t *testing.T) {
	m := NewMemo(1 << 20)
	for range 3 {
		for _, value := range []string{"1", "2"} {
			d, ok := m.Get([]byte("SET a.b = '" + value + "'")).Facts().Parts[0].Detail.(*Setting)
			if !ok || d.Values[0] != value {
				t.Errorf("%+v for %s", d, value)
			}
			names, known := m.Get([]byte("SELECT set_config('a" + value + "', 'x', false)")).Class().Changed()
			if !known || names[0] != "a"+value {
				t.Errorf("%v for %s", names, value)
			}
		}
	}
}

func BenchmarkShape(b *testing.B) {
	m := NewMemo(1 << 20)
	text := "SELECT abalance FROM pgbench_accounts WHERE aid = 0000000"
	m.Get([]byte(text)).Facts()
	b.ReportAllocs()
	for b.Loop() {
		s := m.Get([]byte(text))
		s.facts.Store(nil)
		s.Facts()
	}
}
