package explain

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v5"

	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// What a text may name. Texts are read as bytes, without regard for strings, comments and
// what they are in: what is found is never less than PostgreSQL finds, and mostly more.

// mentions is what a text may name.
type mentions struct {
	calls []string // functions, relations and types
	loose []string // types, or columns
	text  []byte   // operators are looked for in it
	// foreign are names that are not ASCII, as patterns of LIKE: what the other bytes stand for
	// depends on encoding and locale.
	foreign, looseForeign []string
	oids                  []uint32 // types
	columns               []column // functions, unless they are columns
	// hidden is set when names may be written with escapes.
	hidden  bool
	planned bool   // they are from a plan
	any     string // a function that is told a type by its number
}

// escaped finds names that are written with escapes.
var escaped = regexp.MustCompile(`(?i)u&"`)

// ofAnyType are PostgreSQL's functions that are told a type by its number, which may be that
// of a domain: its checks are executed.
var ofAnyType = []string{"domain_in", "domain_recv", "array_in", "array_recv", "record_in", "record_recv", "range_in", "range_recv",
	"multirange_in", "multirange_recv", "pg_input_is_valid", "pg_input_error_info"}

// longestQuoted is how far apart the quotes of a name may be: a name has 63 bytes at most,
// and each may be a quote, which is written twice. What is longer is cut by the server.
const longestQuoted = 128

// unquoted notes a name without quotes. PostgreSQL makes capital letters of ASCII small, and
// others only in encodings with a byte for each: these are looked for in both ways.
func (m *mentions) unquoted(word string) {
	m.call(strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, word))
	if !ascii(word) {
		m.call(strings.ToLower(word))
	}
}

// words returns all that a text may name.
func words(text []byte) (m mentions) {
	m.text = text
	m.hidden = escaped.Match(text)
	for _, word := range identifiers(text) {
		m.unquoted(word)
		for i := strings.IndexByte(word, '$'); i >= 0; i = strings.IndexByte(word, '$') {
			m.unquoted(word[:i]) // it may be the end of a string in dollars
			if word = word[i+1:]; word != "" {
				m.unquoted(word)
			}
		}
	}
	for i, c := range text {
		if c == '"' {
			m.quoted(text[i+1:])
		}
	}
	for _, name := range m.calls {
		if slices.Contains(ofAnyType, name) {
			m.any = name
		}
	}
	return m
}

// identifiers returns the words of a text without quotes.
func identifiers(text []byte) (list []string) {
	start := -1
	for i, c := range text {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c >= 0x80
		switch more := letter || c >= '0' && c <= '9' || c == '$'; {
		case start < 0 && letter:
			start = i
		case start >= 0 && !more:
			list, start = append(list, string(text[start:i])), -1
		}
	}
	if start >= 0 {
		list = append(list, string(text[start:]))
	}
	return list
}

// quoted adds the names that may begin behind a quote: up to each one that follows.
func (m *mentions) quoted(rest []byte) {
	rest = rest[:min(len(rest), longestQuoted)]
	for i, c := range rest {
		if c == '"' || i == longestQuoted-1 {
			m.call(strings.ReplaceAll(string(rest[:i]), `""`, `"`))
		}
	}
}

// call adds what may be the name of a function.
func (m *mentions) call(name string) {
	switch {
	case name == "" || strings.IndexByte(name, 0) >= 0:
	case ascii(name):
		m.calls = append(m.calls, name)
	default:
		m.foreign = append(m.foreign, pattern(name))
	}
}

// pattern is what matches a name that is not ASCII, and more.
func pattern(name string) string {
	if len(name) > 30 { // it may be cut, at a place that depends on the encoding
		return "%"
	}
	var out []byte
	for i := range len(name) {
		c := name[i]
		switch {
		case c < 0x80 && c != '\\':
			out = append(out, c)
		case len(out) == 0 || out[len(out)-1] != '%':
			out = append(out, '%')
		}
	}
	return string(out)
}

func ascii(name string) bool {
	return strings.IndexFunc(name, func(r rune) bool { return r >= 0x80 }) < 0
}

// named returns what a statement names; part is nil if its text cannot be read for sure:
// then any word may be a function.
func named(part *sqlparse.Part, text []byte) (m mentions) {
	scanned, err := pg_query.Scan(string(text))
	if part == nil || err != nil {
		if m = words(text); len(m.foreign) > 0 {
			m.foreign = []string{"%"} // a letter may be a part of a character
		}
		return m
	}
	for _, token := range scanned.Tokens {
		switch token.Token {
		case pg_query.Token_SCONST, pg_query.Token_USCONST, pg_query.Token_BCONST, pg_query.Token_XCONST,
			pg_query.Token_SQL_COMMENT, pg_query.Token_C_COMMENT:
		default:
			m.text = append(append(m.text, text[token.Start:token.End]...), ' ')
		}
	}
	all := words(m.text)
	m.loose, m.looseForeign, m.hidden, m.any = all.calls, all.foreign, all.hidden, all.any
	for _, name := range slices.Concat(part.Functions, part.Reads, part.Types) {
		m.call(name[len(name)-1])
	}
	for _, name := range part.Operators {
		m.text = append(append(m.text, name[len(name)-1]...), ' ')
	}
	if len(part.Attributes) > 0 { // which may be functions of a row
		var unsure []string
		m.columns, unsure = columns(text, part.Attributes)
		for _, name := range unsure {
			m.call(name)
		}
	}
	return m
}

// called returns the names in a plan, as EXPLAIN has written it, that may be called. A
// literal in it may look like a call: then it is taken for one.
func called(explained []byte) (m mentions) {
	var tree any
	if json.Unmarshal(explained, &tree) != nil {
		return words(explained)
	}
	var visit func(any)
	visit = func(v any) {
		switch v := v.(type) {
		case string:
			m.plan([]byte(v))
		case []any:
			for _, e := range v {
				visit(e)
			}
		case map[string]any:
			for _, e := range v {
				visit(e)
			}
		}
	}
	visit(tree)
	m.planned = true
	return m
}

// plan adds what stands in an expression of a plan.
func (m *mentions) plan(text []byte) {
	all := words(text)
	m.loose, m.looseForeign = append(m.loose, all.calls...), append(m.looseForeign, all.foreign...)
	m.text = append(append(m.text, text...), ' ')
	for i, c := range text {
		if c != '(' || i == 0 {
			continue
		}
		from := max(0, i-longestQuoted-1)
		if text[i-1] != '"' {
			before := identifiers(text[from:i])
			if len(before) > 0 && strings.HasSuffix(string(text[:i]), before[len(before)-1]) {
				m.call(before[len(before)-1])
			}
			continue
		}
		for j := from; j < i-1; j++ {
			if text[j] == '"' {
				m.call(strings.ReplaceAll(string(text[j+1:i-1]), `""`, `"`))
			}
		}
	}
}
