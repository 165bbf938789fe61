package cache

import (
	"bytes"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unsafe"

	pg_query "github.com/pganalyze/pg_query_go/v5"
)

func TestStripComments(t *testing.T) {
	for text, want := range map[string]string{
		"select 1 -- one":                      "select 1",
		"select 1 /*traceparent='00-4bf9'*/":   "select 1",
		"/* a */ -- b\n select 1":              "select 1",
		"select/**/1":                          "select 1",
		"select a/*x*//*y*/b":                  "select a b",
		"select 1 -- x\n from t":               "select 1 \n from t",
		"select 1 --x\r from t":                "select 1 \r from t",
		"select /* /* nested */ */ 1":          "select  1",
		"select 1 */* times */ 2":              "select 1 * 2",
		"select 1 +--\n2":                      "select 1 +\n2",
		"select 1 //* c */ 2":                  "select 1 / 2",
		"-- only":                              "",
		"/**/":                                 "",
		"select 'a' /* c */ ":                  "select 'a'",
		"select 'a' /* c */ , 'b'":             "select 'a'  , 'b'",
		"select 'a' -- c\n'b' -- d":            "select 'a' \n'b'",
		"select 'a' /* c */\n'b'":              "select 'a' \n/**/'b'",
		"select 'a'/* c */'b'":                 "select 'a' /**/'b'",
		"select e'a' /* c */\n'b\\' -- ":       "select e'a' \n/**/'b\\'",
		"select '-- no' -- yes":                "select '-- no'",
		"select '/* no */', 'it''s -- no' --":  "select '/* no */', 'it''s -- no'",
		`select "-- no", "a""/*no*/" --`:       `select "-- no", "a""/*no*/"`,
		`select e'\'-- no' -- yes`:             `select e'\'-- no'`,
		`select E'a' -- yes` + "\n" + `'\'--'`: `select E'a' ` + "\n" + `'\'--'`,
		`select E'a' '\' -- yes`:               `select E'a' '\'`,
		`select '\' -- yes`:                    `select '\'`,
		`select type'\' -- yes`:                `select type'\'`,
		"select $$ -- no $$ -- yes":            "select $$ -- no $$",
		"select $a$ -- $$ no $b$ $a$ -- yes":   "select $a$ -- $$ no $b$ $a$",
		"select a$b$ -- yes":                   "select a$b$",
		"select $1$a$--$a$ -- yes":             "select $1$a$--$a$",
		"select $1 -- $1$":                     "select $1",
		"select 1e1$$--$$ --":                  "select 1e1$$--$$",
		"select a[1..2], .5e-1, 1.e3, 1.5 --":  "select a[1..2], .5e-1, 1.e3, 1.5",
		"select é$x$ --":                       "select é$x$",
	} {
		got, stripped := StripComments([]byte("before "), []byte(text), true)
		if !stripped || string(got) != "before "+want {
			t.Errorf("%q becomes %q (%v), want %q", text, got, stripped, want)
		}
		checkStripped(t, text)
	}
	for _, text := range []string{"", "select 1", "select 1 ", "select a-b, c/d", "select '--'", "select $$/*$$", "select '-- ", "select /* ",
		"select /* /* */", "select $a$ -- ", `select " --`, `select e'\' --`, "select 1a --", "select $1a --", "select 1e --", "select 0x1f --", "select\v1 -- "} {
		given := []byte(text)
		got, stripped := StripComments([]byte("before "), given, true)
		if stripped || unsafe.SliceData(got) != unsafe.SliceData(given) || len(got) != len(given) {
			t.Errorf("%q becomes %q (%v)", text, got, stripped)
		}
	}
	if got, stripped := StripComments(nil, []byte(`select '\' -- '`), false); stripped {
		t.Errorf("with a backslash that may escape: %q", got)
	}
	if got, _ := StripComments(nil, []byte(`select 'a' -- x`), false); string(got) != "select 'a'" {
		t.Errorf("without a backslash: %q", got)
	}
}

// checkStripped compares what is read before and after.
func checkStripped(t *testing.T, text string) {
	t.Helper()
	got, stripped := StripComments(nil, []byte(text), true)
	out := string(got)
	before, ok := reference(text, true)
	if !ok {
		if stripped {
			t.Errorf("%q cannot be read, and becomes %q", text, out)
		}
		return
	}
	if after, ok := reference(out, true); !ok || !slices.Equal(before, after) {
		t.Errorf("%q becomes %q: %q, then %q", text, out, before, after)
	}
	if again, _ := StripComments(nil, got, true); !bytes.Equal(again, got) {
		t.Errorf("%q becomes %q, and that %q", text, out, again)
	}
	if before, ok := postgresTokens(text); ok {
		if after, ok := postgresTokens(out); !ok || !slices.Equal(before, after) {
			t.Errorf("%q becomes %q: PostgreSQL reads %q, then %q", text, out, before, after)
		}
	}
	loose, changed := StripComments(nil, []byte(text), false)
	if before, ok := reference(text, false); ok && changed {
		if after, ok := reference(string(loose), false); !ok || !slices.Equal(before, after) {
			t.Errorf("with escapes %q becomes %q: %q, then %q", text, loose, before, after)
		}
	}
}

var (
	blank    = regexp.MustCompile(`^(?:[ \t\n\r\f]+|--[^\n\r]*)`)
	gap      = regexp.MustCompile(`^(?:[ \t\f]|--[^\n\r]*)*[\n\r](?:[ \t\n\r\f]|--[^\n\r]*[\n\r])*'`)
	plain    = regexp.MustCompile(`^[^']*(?:''[^']*)*'`)
	escaping = regexp.MustCompile(`(?s)^(?:[^'\\]|\\.|'')*'`)
	name     = regexp.MustCompile(`^[A-Za-z_\x80-\xff][A-Za-z0-9_$\x80-\xff]*`)
	number   = regexp.MustCompile(`^(?:\$[0-9]+|(?:[0-9]+(?:\.[0-9]+)?|[0-9]+\.|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)`)
	operator = regexp.MustCompile("^(?:[-+*/<>=~!@#%^&|`?]+|:[:=]|\\.\\.)")
	tag      = regexp.MustCompile(`^\$(?:[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*)?\$`)
	quotes   = regexp.MustCompile(`^"[^"]*(?:""[^"]*)*"`)
)

// reference reads a text by scan.l, plainly. It returns its tokens; not if
// something is not ended, or if servers differ about it.
func reference(text string, standard bool) (tokens []string, ok bool) {
	latin := make([]rune, len(text)) // a rune for each byte
	for i := range len(text) {
		latin[i] = rune(text[i])
	}
	rest := string(latin)
	body := func(escapes bool) bool { // of a string whose first quote has been read
		re := plain
		if escapes || !standard {
			re = escaping
		}
		m := re.FindString(rest)
		if m == "" || strings.HasPrefix(rest[len(m):], "'") {
			return false
		}
		tokens[len(tokens)-1] += m
		rest = rest[len(m):]
		return true
	}
	for rest != "" {
		if m := blank.FindString(rest); m != "" {
			rest = rest[len(m):]
			continue
		}
		if strings.HasPrefix(rest, "/*") {
			if rest = behindComment(rest); rest == "/*" {
				return nil, false
			}
			continue
		}
		token := ""
		if m := name.FindString(rest); m != "" && !(strings.EqualFold(m, "e") && strings.HasPrefix(rest[1:], "'")) {
			token = m
		} else if m := tag.FindString(rest); m != "" {
			end := strings.Index(rest[len(m):], m)
			if end < 0 {
				return nil, false
			}
			token = rest[:len(m)+end+len(m)]
		} else if m := quotes.FindString(rest); m != "" {
			token = m
		} else if m := number.FindString(rest); m != "" {
			if token = m; strings.HasSuffix(m, ".") && strings.HasPrefix(rest[len(m):], ".") {
				token = strings.TrimSuffix(m, ".") // 1..10
			}
			if name.MatchString(rest[len(token):]) {
				return nil, false
			}
		} else if m := operator.FindString(rest); m != "" {
			for _, comment := range []string{"--", "/*"} {
				if i := strings.Index(m, comment); i > 0 {
					m = m[:i]
				}
			}
			token = m
		}
		if token != "" {
			tokens, rest = append(tokens, token), rest[len(token):]
			continue
		}
		if quote := strings.IndexByte(rest, '\''); quote == 0 || quote == 1 && rest[0]|0x20 == 'e' {
			escapes := quote == 1
			tokens, rest = append(tokens, rest[:quote+1]), rest[quote+1:]
			for again := true; again; {
				if !body(escapes) {
					return nil, false
				}
				m := gap.FindString(rest)
				again = m != ""
				rest = rest[len(m):]
			}
			continue
		}
		if rest[0] == '"' || rest[0] == '\v' {
			return nil, false
		}
		tokens, rest = append(tokens, rest[:1]), rest[1:]
	}
	return tokens, true
}

// behindComment returns what follows the block comment that s begins with, or
// "/*" if it is not ended.
func behindComment(s string) string {
	depth := 0
	for i := 0; i+1 < len(s); i++ {
		switch s[i : i+2] {
		case "/*":
			depth++
			i++
		case "*/":
			i++
			if depth--; depth == 0 {
				return s[i+1:]
			}
		}
	}
	return "/*"
}

// gapComment is a line comment between the parts of a string. There libpg_query,
// which returns comments as tokens, reads two strings; PostgreSQL reads one.
var gapComment = regexp.MustCompile(`'[ \t\n\r\f]*--[^\n\r]*[\n\r](?:[ \t\n\r\f]|--[^\n\r]*[\n\r])*'`)

// postgresTokens is what PostgreSQL's own scanner finds.
func postgresTokens(text string) (tokens []string, ok bool) {
	if strings.IndexByte(text, 0) >= 0 || gapComment.MatchString(text) {
		return nil, false
	}
	result, err := pg_query.Scan(text)
	if err != nil {
		return nil, false
	}
	for _, tok := range result.Tokens {
		if tok.Token != pg_query.Token_SQL_COMMENT && tok.Token != pg_query.Token_C_COMMENT {
			tokens = append(tokens, tok.Token.String()+" "+text[tok.Start:tok.End])
		}
	}
	return tokens, true
}

// TestStripRandomTexts puts texts together of what can go wrong.
func TestStripRandomTexts(t *testing.T) {
	skipUnderRace(t)
	pieces := []string{"'", "'", "''", `\`, "--", "/*", "*/", "/*x*/", "-- x\n", "\n", "\r", " ", "e", "E'", "n'", "U&'", "$", "$$", "$a$", "$1", "a", "é",
		"1", ".", "+", "-", "*", "/", "\"", "\t", "\f", ";", ":", "b'01'", "'x'", "e'\\''", "select"}
	rng := rand.New(rand.NewPCG(1, 1))
	stripped := 0
	for range 100_000 {
		var text strings.Builder
		for range 1 + rng.IntN(12) {
			text.WriteString(pieces[rng.IntN(len(pieces))])
		}
		checkStripped(t, text.String())
		if _, ok := StripComments(nil, []byte(text.String()), true); ok {
			stripped++
		}
		if t.Failed() {
			break
		}
	}
	if stripped < 10_000 {
		t.Errorf("only %d had comments to strip", stripped)
	}
}

func FuzzStripComments(f *testing.F) {
	for _, text := range []string{"select 1 -- x", "select /* /* */ */ E'\\'--' $a$ -- $a$ 'a' --\n'b'", `select "a--" || '/*' /* */ 'x'`} {
		f.Add(text)
	}
	f.Fuzz(checkStripped)
}
