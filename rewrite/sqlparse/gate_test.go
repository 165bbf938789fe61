package sqlparse

import (
	"fmt"
	"strings"
	"testing"
)

// deep are texts that nest n deep, in each way there is.
var deep = map[string]func(n int) string{
	"operators":   func(n int) string { return "SELECT 1" + strings.Repeat("+1", n) },
	"names":       func(n int) string { return "SELECT a.or" + strings.Repeat("+a.or", n) },
	"signs":       func(n int) string { return "SELECT " + strings.Repeat("- ", n) + "a" },
	"casts":       func(n int) string { return "SELECT 1" + strings.Repeat("::int", n) },
	"unions":      func(n int) string { return "SELECT 1, 2" + strings.Repeat(" UNION SELECT 1, 2", n) },
	"excepts":     func(n int) string { return "SELECT 1" + strings.Repeat(" EXCEPT SELECT 1", n) },
	"intersects":  func(n int) string { return "TABLE a" + strings.Repeat(" INTERSECT TABLE a", n) },
	"joins":       func(n int) string { return "SELECT * FROM a" + strings.Repeat(" JOIN a ON f(b,c) AND d", n) },
	"crosses":     func(n int) string { return "SELECT * FROM a" + strings.Repeat(" NATURAL JOIN a", n) },
	"nots":        func(n int) string { return "SELECT " + strings.Repeat("NOT ", n) + "a" },
	"collations":  func(n int) string { return "SELECT a" + strings.Repeat(" COLLATE b", n) },
	"zones":       func(n int) string { return "SELECT a" + strings.Repeat(" AT TIME ZONE b", n) },
	"parentheses": func(n int) string { return "SELECT " + strings.Repeat("(", n) + "1" + strings.Repeat(")", n) },
	"queries":     func(n int) string { return strings.Repeat("SELECT (", n) + "SELECT 1" + strings.Repeat(")", n) },
	"calls":       func(n int) string { return "SELECT " + strings.Repeat("f(1,", n) + "1" + strings.Repeat(")", n) },
	"arrays":      func(n int) string { return "SELECT " + strings.Repeat("ARRAY[1,", n) + "1" + strings.Repeat("]", n) },
	"cases": func(n int) string {
		return "SELECT " + strings.Repeat("CASE WHEN a AND b OR ", n) + "a" + strings.Repeat(" THEN 1 END", n)
	},
	"ands": func(n int) string {
		return "SELECT " + strings.Repeat("CASE WHEN 1 AND ", n) + "a" + strings.Repeat(" AND b THEN 1 AND 2 END", n)
	},
	"elses": func(n int) string {
		return "SELECT " + strings.Repeat("CASE WHEN a THEN b ELSE ", n) + "a" + strings.Repeat(" END", n)
	},
	"likes":   func(n int) string { return "SELECT a" + strings.Repeat(" LIKE b||c", n) },
	"custom":  func(n int) string { return "SELECT a" + strings.Repeat(" OPERATOR(s.+) b", n) },
	"between": func(n int) string { return "SELECT a" + strings.Repeat(" BETWEEN b AND c + d", n) },
	"is":      func(n int) string { return "SELECT a" + strings.Repeat(" IS NULL = b", n) },
}

// TestGate lets no text through that nests deeper than the bound, and parses the
// deepest that it lets through: the process must survive.
func TestGate(t *testing.T) {
	for what, text := range deep {
		passed := 0
		for n := maxNesting; n >= 50; n = n * 19 / 20 {
			if s := text(n); parsable([]byte(s)) {
				parse(s)
				passed = n
				break
			}
		}
		if passed == 0 {
			t.Errorf("%s: 50 deep do not pass", what)
		}
		if parsable([]byte(text(maxNesting))) {
			t.Errorf("%s: %d deep pass", what, maxNesting)
		}
	}
}

// TestMeasure finds the true depth, or more.
func TestMeasure(t *testing.T) {
	parsed := 0
	for what, text := range deep {
		const n = 150
		s := text(n)
		if parse(s).Opaque {
			continue // PostgreSQL does not let it nest
		}
		parsed++
		if depth, _ := measure([]byte(s)); depth < n {
			t.Errorf("%s: %d, but it is %d deep", what, depth, n)
		}
	}
	if parsed < 15 {
		t.Errorf("only %d were parsed", parsed)
	}
}

// TestGateOfFlatTexts lets long lists through.
func TestGateOfFlatTexts(t *testing.T) {
	for what, text := range map[string]string{
		"in":     "SELECT * FROM t WHERE id IN (" + strings.Repeat("-123, ", 4000) + "1)",
		"values": "INSERT INTO t VALUES " + strings.Repeat("(1, 'a'::text, now(), $1 + 1), ", 1000) + "(1)",
		"or":     "SELECT * FROM t WHERE " + strings.Repeat("a = 1 OR b = 2 AND ", 1500) + "c",
		"case":   "SELECT CASE " + strings.Repeat("WHEN a = 1 THEN b + 1 ", 50) + "END, " + strings.Repeat("a + b AS c, ", 2000) + "d",
		"label":  "SELECT a AS case, b AS end, c.case, d AS or FROM t",
		"commit": "BEGIN; SELECT 1; END; BEGIN; END",
	} {
		if !parsable([]byte(text)) {
			t.Errorf("%s: %d bytes do not pass", what, len(text))
		}
		if f := NewStatement([]byte(text)).Facts(); f.Opaque {
			t.Errorf("%s is opaque", what)
		}
	}
}

// TestGateOfTexts lets all texts through that are not made to nest.
func TestGateOfTexts(t *testing.T) {
	for _, text := range texts(t) {
		if n, _ := measure([]byte(text)); n >= maxNesting && len(text) < maxParse && !NewStatement([]byte(text)).Class().Pins.Has(ReasonUnparsed) {
			if f := parse(text); !f.Opaque {
				t.Errorf("does not pass:\n%s", text)
			}
		}
	}
}

func TestOpaque(t *testing.T) {
	for _, text := range []string{"SELECT 1 WHERE", "SELECT 'a", "SELECT '\\' '", "SELECT U&\"a\"", "SELECT 1\x00", "SELECT 'a\xff'", "SELECT 1)",
		"SELECT " + strings.Repeat(" ", maxParse) + "1"} {
		s := NewStatement([]byte(text))
		if f := s.Facts(); !f.Opaque || len(f.Parts) > 0 {
			t.Errorf("%.40q is not opaque", text)
		}
		if s.Text() != text {
			t.Errorf("text %q", s.Text())
		}
	}
}

func BenchmarkGate(b *testing.B) {
	for _, n := range []int{50, 1000, 20000} {
		text := []byte(fmt.Sprintf("SELECT %s1 FROM t", strings.Repeat("a, ", n/3)))
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				measure(text)
			}
		})
	}
}
