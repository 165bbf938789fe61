package sqlparse

import (
	"slices"
	"strings"
	"testing"
)

// TestScan shows tokens divided by bars.
func TestScan(t *testing.T) {
	tests := map[string]string{
		"":                           "",
		"a b":                        "a|b",
		"a/*x/*y*/z*/b--c\nd":        "a|b|d",
		"a/*/ */b":                   "a|b",
		"a//**/b":                    "a|/|b",
		"'a''b' 'c'":                 "'a''b'|'c'",
		"'a'\n'b'":                   "'a'|'b'",
		`'a\' b`:                     `'a\'|b`,
		`E'a\'b' c`:                  `E'a\'b'|c`,
		`e'a\\' c`:                   `e'a\\'|c`,
		"E'a'\n'b\\'c' d":            "E'a'\n'b\\'c'|d",
		"E'a' --x\n 'b\\'c' d":       "E'a' --x\n 'b\\'c'|d",
		"E'a'--x\r--y\n\t'b\\'c' d":  "E'a'--x\r--y\n\t'b\\'c'|d",
		`E'a' 'b\' c`:                `E'a'|'b\'|c`,
		"E'a' -- 'b":                 "E'a'",
		"E'a' - 'b'":                 "E'a'|-|'b'",
		`U&'a\' b`:                   `U&'a\'|b`,
		`B'01'x'f'N'n'`:              `B'01'|x'f'|N'n'`,
		`xe'a\'b`:                    `xe|'a\'|b`,
		`"a""b".c`:                   `a""b|.|c`,
		"$$a'b$$ c":                  "$$a'b$$|c",
		"$x$a$$b$X$c$x$d":            "$x$a$$b$X$c$x$|d",
		"$é_1$a$é_1$":                "$é_1$a$é_1$",
		"a$b$ c":                     "a$b$|c",
		"$1 $23a":                    "$1|$23|a",
		"1 1.5 .5 1e5 1E-5 1.e2":     "1|1.5|.5|1e5|1E-5|1.e2",
		"1_000 0x1f 1a 1e 1_a":       "1_000|0|x1f|1|a|1|e|1|_a",
		"a.b.*":                      "a|.|b|.|*",
		"a::int[1:2]":                "a|::|int|[|1|:|2|]",
		"a<--b":                      "a|<",
		"f(a,b);":                    "f|(|a|,|b|)|;",
		"a\u00a0b":                   "a\u00a0b",
		"a\t\n\r\f\vb":               "a|b",
		"x'a' X 'b'":                 "x'a'|X|'b'",
		"u&a U & 'x'":                "u|&|a|U|&|'x'",
		"SELECT e'\\047' FROM n'x'y": "SELECT|e'\\047'|FROM|n'x'|y",
	}
	for text, want := range tests {
		s := scanner{text: []byte(text)}
		var tokens []string
		for tok := s.next(); tok != tokEnd; tok = s.next() {
			end := s.pos
			if tok == tokQuoted {
				end = s.end
			}
			tokens = append(tokens, text[s.start:end])
		}
		if got := strings.Join(tokens, "|"); got != want || s.broken {
			t.Errorf("%q: %q, want %q; broken %t", text, got, want, s.broken)
		}
	}
}

// TestScanEscapes reads with standard_conforming_strings off.
func TestScanEscapes(t *testing.T) {
	for text, broken := range map[string]bool{`'a\'`: true, `'a\'b'`: false, `'a\\'`: false, `n'a\'`: true,
		"'a'\n'\\'": true, `"a\"`: false, `$$\$$`: false, `'a' LIKE 'b' ESCAPE '\'`: true} {
		s := scanner{text: []byte(text), escapes: true}
		for s.next() != tokEnd {
		}
		if s.broken != broken {
			t.Errorf("%s: broken %t", text, s.broken)
		}
	}
}

// TestAmbiguous says which strings end elsewhere when backslashes escape.
func TestAmbiguous(t *testing.T) {
	for text, want := range map[string]bool{`'a'`: false, `'\'`: true, `'\\'`: false, `'\\\'`: true, `'\n'`: false,
		`'a\''b'`: true, `'a\\''b'`: false, `'''\'`: true, `n'\'`: true, `b'\'`: false, `E'\''`: false, `"\"`: false,
		`$$\'$$`: false, `''`: false} {
		s := scanner{text: []byte(text)}
		for s.next() != tokEnd {
		}
		if s.ambiguous != want {
			t.Errorf("%s: ambiguous %t", text, s.ambiguous)
		}
	}
}

func TestByteKindsOfWords(t *testing.T) {
	if !slices.IsSorted([]byteKind{byteLetter, byteDigit, byteDollar}) || byteDollar-byteLetter != 2 {
		t.Error("scanner.word needs these kinds to be neighbours")
	}
}
