package sqlparse

import (
	"strings"
	"testing"
)

// TestPattern shows patterns with ' for a string, 0 for an integer and 0. for any
// other number.
func TestPattern(t *testing.T) {
	for text, want := range map[string]string{
		"SELECT F(1, 2.5, 'abc') -- c":                   "select f(0, 0., ')",
		"select f('a@b.com', '%x%', '2024-01-01 10:00')": "select f(', ', ')",
		"select f('É', '')":                              "select f(', ')",
		"select f('listen x', 1)":                        "select f('listen x', 0)",
		"select f('listen\"x\"')":                        "select f('listen\"x\"')",
		"select f('a/**/b')":                             "select f('a/**/b')",
		"select f('f(1)')":                               "select f('f(1)')",
		"select f('it''s')":                              "select f('it''s')",
		"select f(E'a', $$b$$, $x$c$x$)":                 "select f(E'a', $$b$$, $x$c$x$)",
		"CALL p($1, 5)":                                  "call p($1, 0)",
		"select f(x'1f')":                                "none",
		"select f('a":                                    "none",
		"select f('a' 'b')":                              "none",
	} {
		pattern, ok := AppendPattern(nil, []byte(text))
		got := strings.NewReplacer("\x01", "'", "\x02", "0", "\x03", "0.").Replace(string(pattern))
		if !ok {
			got = "none"
		}
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestNormal(t *testing.T) {
	for text, want := range map[string]string{
		"SELECT 'x', 1.5 FROM t WHERE a = 7 -- c": "select $1, $2 from t where a = $3",
		"select 1 where a = $2":                   "select $3 where a = $2",
		"select a from \"T\"":                     "select a from \"T\"",
		`select a from t where doc @> '{"k": "S"}' and n ~ 'S.*' and x in ('two words', E'S', $$S$$, -1)`: "select a from t where doc @> $1 and n ~ $2 and x in ($3, $4, $5, -$6)",
	} {
		pattern, ok := AppendPattern(nil, []byte(text))
		if got := Normal(pattern); !ok || got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
