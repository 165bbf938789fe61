package sqlparse

import (
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	pg_query "github.com/pganalyze/pg_query_go/v5"
)

// unit is a token in the terms that both scanners share.
type unit struct {
	kind string // word, reserved, quoted, literal, or the bytes of an operator
	Span
}

// ourUnits returns what our scanner finds.
func ourUnits(text string) (units []unit, broken bool) {
	s := scanner{text: []byte(text)}
	for t := s.next(); t != tokEnd; t = s.next() {
		u := unit{Span: Span{s.start, s.pos}}
		switch {
		case t == tokQuoted:
			u.kind = "quoted"
			u.Start-- // not for U&"..", but that is broken
		case t == tokIdent:
			u.kind = "word"
		case t.isReserved():
			u.kind = "reserved"
		case t.isWord():
			u.kind = "unreserved"
		case t == tokLiteral:
			u.kind = "literal"
		default:
			u.kind = u.In(text)
		}
		units = append(units, u)
	}
	return units, s.broken
}

// theirUnits returns what pg_query's scanner finds, without comments. It cuts
// operators into bytes, as ours does.
func theirUnits(text string) ([]unit, error) {
	result, err := pg_query.Scan(text)
	if err != nil {
		return nil, err
	}
	var units []unit
	for _, tok := range result.Tokens {
		u := unit{theirKind(tok), Span{int(tok.Start), int(tok.End)}}
		if tok.Token == pg_query.Token_IDENT {
			u.kind = map[bool]string{true: "quoted", false: "word"}[text[u.Start] == '"']
		}
		last := len(units) - 1
		switch {
		case u.kind == "comment":
		case u.kind == "literal" && text[u.Start] == '\'' && last >= 0 && isNational(units[last].In(text)) && units[last].End == u.Start:
			units[last].kind, units[last].End = "literal", u.End // N'..' is two tokens there
		case u.kind == "operator":
			for at := u.Start; at < u.End; at++ {
				units = append(units, unit{text[at : at+1], Span{at, at + 1}})
			}
		default:
			units = append(units, u)
		}
	}
	return units, nil
}

func isNational(word string) bool { return word == "n" || word == "N" }

func theirKind(tok *pg_query.ScanToken) string {
	switch tok.KeywordKind {
	case pg_query.KeywordKind_RESERVED_KEYWORD, pg_query.KeywordKind_COL_NAME_KEYWORD:
		return "reserved"
	case pg_query.KeywordKind_UNRESERVED_KEYWORD, pg_query.KeywordKind_TYPE_FUNC_NAME_KEYWORD:
		return "unreserved"
	}
	switch tok.Token {
	case pg_query.Token_SQL_COMMENT, pg_query.Token_C_COMMENT:
		return "comment"
	case pg_query.Token_UIDENT:
		return "quoted"
	case pg_query.Token_SCONST, pg_query.Token_USCONST, pg_query.Token_BCONST, pg_query.Token_XCONST,
		pg_query.Token_ICONST, pg_query.Token_FCONST, pg_query.Token_PARAM:
		return "literal"
	case pg_query.Token_TYPECAST:
		return "::"
	}
	return "operator"
}

// scanDifference tells how the two scanners differ over a text, "" if they do
// not. Differences that cannot matter are none:
//
//  1. A text that their scanner refuses PostgreSQL refuses as a whole. One that
//     is broken for ours is opaque, and pins.
//  2. A plain string that goes on behind a line break is one literal there and
//     several here: between them nothing can stand but space and comments.
//  3. Words with KeywordKind are those of PostgreSQL 16; ours are those of 15
//     to 18. TestKeywordsOfServer holds the list to the servers.
//  4. 0x1f, 0o7, 0b1 and 1e1_0 are numbers since 16; here, as before, they are a
//     number and a word, which is no call as no parenthesis can follow it.
//  5. Digits with several dots (1..2, 1.2.3) are one literal here, and in a..1
//     the second dot is part of the number: there is no statement in which
//     PostgreSQL takes two numbers in a row, or two dots.
//  6. pg_query does not say where U&'..' ends. What comes next must agree all
//     the same.
//  7. pg_query does not know that E'..' may go on behind a comment, as it does in
//     PostgreSQL. It finds two literals in a row then, which is a syntax error.
//  8. Two quotes inside B'..' or X'..' end it and begin a string; here they stand
//     for a quote. Two literals in a row are a syntax error.
//  9. A vertical tab is space since PostgreSQL 17, and was a syntax error before.
func scanDifference(text string) string {
	theirs, err := theirUnits(strings.ReplaceAll(text, "\v", " ")) // 9
	if err != nil {
		return ""
	}
	ours, broken := ourUnits(text)
	if broken && Classify([]byte(text)).Pin == ReasonNone {
		return "broken, but does not pin"
	}
	if broken {
		return ""
	}
	for len(ours) > 0 && len(theirs) > 0 {
		if theirs[0].End <= theirs[0].Start { // 6
			theirs[0].End = endBefore(ours, theirs)
		}
		i, j := covering(ours, theirs)
		if i == 0 || !agree(text, ours[:i], theirs[:j]) {
			break
		}
		ours, theirs = ours[i:], theirs[j:]
	}
	if len(ours) == 0 && len(theirs) == 0 {
		return ""
	}
	return fmt.Sprintf("there %s, here %s", describeUnits(text, theirs), describeUnits(text, ours))
}

// endBefore returns the end of our last literal before the second of theirs.
func endBefore(ours, theirs []unit) (end int) {
	for _, u := range ours {
		if u.kind != "literal" || len(theirs) > 1 && u.Start >= theirs[1].Start {
			break
		}
		end = u.End
	}
	return end
}

// covering returns how many of the first units on both sides cover the same
// bytes, 0 if they never do.
func covering(ours, theirs []unit) (i, j int) {
	for i, j = 1, 1; i <= len(ours) && j <= len(theirs); {
		switch a, b := ours[i-1].End, theirs[j-1].End; {
		case a == b:
			return i, j
		case a < b:
			i++
		default:
			j++
		}
	}
	return 0, 0
}

var (
	newNumber   = regexp.MustCompile(`^0[xXoObB]|[eE][+-]?[0-9]+_`)
	dottedDigit = regexp.MustCompile(`^[0-9_]*\.[0-9_]*\.`)
	bitString   = regexp.MustCompile(`^[bBxX]'`)
	// escapedAndCommented are strings that go on behind a comment.
	escapedAndCommented = regexp.MustCompile(`^(?s)[eE]'.*'\s*--`)
)

// agree compares units that cover the same bytes.
func agree(text string, ours, theirs []unit) bool {
	a, b := ours[0], theirs[0]
	switch {
	case len(ours) == 1 && len(theirs) == 1:
		return a.Span == b.Span && (a.kind == b.kind || a.kind != "literal" && isKeyword(a, text)) // 3
	case a.Start != b.Start || a.kind != "literal":
		return false
	case b.kind == ".":
		return a.Start > 0 && text[a.Start-1] == '.' // 5
	case b.kind != "literal":
		return false
	case newNumber.MatchString(b.In(text)): // 4
		return true
	case len(theirs) == 1 || bitString.MatchString(b.In(text)): // 2, 8
		return allLiterals(ours) && allLiterals(theirs)
	}
	return dottedDigit.MatchString(a.In(text)) || // 5
		len(ours) == 1 && escapedAndCommented.MatchString(a.In(text)) && allLiterals(theirs) // 7
}

func allLiterals(units []unit) bool {
	return !slices.ContainsFunc(units, func(u unit) bool { return u.kind != "literal" })
}

// isKeyword reports whether a word is a keyword of some version.
func isKeyword(u unit, text string) bool {
	word := u.In(text)
	return keywords.find([]byte(word), 0, len(word)) != tokIdent
}

func describeUnits(text string, units []unit) string {
	if len(units) == 0 {
		return "the end"
	}
	return fmt.Sprintf("%s %q at %d", units[0].kind, units[0].In(text), units[0].Start)
}

// TestScanAsPostgreSQL scans all texts there are.
func TestScanAsPostgreSQL(t *testing.T) {
	for _, text := range append(texts(t), whole(t)...) {
		if d := scanDifference(text); d != "" {
			t.Errorf("%s:\n%.500s", d, text)
		}
	}
}

// whole returns PostgreSQL's regression tests as they are.
func whole(t testing.TB) (all []string) {
	for _, file := range regressionFiles(t) {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(content))
	}
	return all
}

// lexical are pieces of text that mean something to a scanner.
var lexical = []string{"'", "''", `\'`, `"`, `""`, "E'", "e'a\\'b'", "U&'", "u&\"a\"", "N'", "B'0'", "X'f'", "$$", "$a$", "$a1$", "$é$", "$1", "$1a", "a$b", "é", "\u00a0",
	"--", "--x\n", "/*", "*/", "/*/**/*/", "\n", "\r", "\t", "\f", "\v", " ", "'a'\n'b'", "E'a'\n'b'", "E'a' --\n'b'", "E'a'\n'\\''", "U&'a'\n'b'", "N'a'\n'b'",
	"1", "1.", ".1", "1..2", "1.2.3", "1e5", "1e+5", "1e", "0x1f", "1_000", "1_", "::", ":=", "=>", "<=", "!=", "<>", "->>", "@>", "*", "+", "-", "/",
	";", ",", "(", ")", "[", "]", ".", ":", "?", "\\", "#", "~", "a", "select", "SELECT", "n", "e", "u&", "x", "_", "pg_temp"}

// TestScanOfRandomTexts puts pieces together.
func TestScanOfRandomTexts(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pieces := append(ownTexts(t), lexical...)
	compared := 0
	for range 30000 {
		var b strings.Builder
		for range 1 + random.IntN(8) {
			from := pieces[len(pieces)-len(lexical):]
			if random.IntN(10) == 0 {
				from = pieces
			}
			b.WriteString(from[random.IntN(len(from))])
		}
		if d := scanDifference(b.String()); d != "" {
			t.Errorf("%s:\n%q", d, b.String())
		}
		if _, err := theirUnits(b.String()); err == nil {
			compared++
		}
	}
	if compared < 5000 {
		t.Errorf("only %d could be compared", compared)
	}
}

// FuzzScan looks for texts that the two scanners cut differently.
func FuzzScan(f *testing.F) {
	for _, text := range append(ownTexts(f), lexical...) {
		if len(text) < 2000 {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 4000 || !utf8.ValidString(text) || strings.IndexByte(text, 0) >= 0 {
			return // the parser never sees these
		}
		if d := scanDifference(text); d != "" {
			t.Errorf("%s:\n%q", d, text)
		}
	})
}
