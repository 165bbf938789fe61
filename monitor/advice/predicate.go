package advice

import (
	"regexp"
	"slices"
	"strings"
)

// operation is what a predicate does with a column, or an expression of columns.
type operation uint8

const (
	equals operation = iota + 1
	ranges
	isNull
	notNull
	isTrue
	isFalse
	like     // LIKE or ILIKE
	contains // @>
	overlaps // &&
	hasKey   // ?, ?| or ?&
	searches // @@
)

// predicate is one of the conditions that a row must meet.
type predicate struct {
	op operation
	// column is the name of the column; empty: it is an expression.
	column     string
	expression string // as PostgreSQL writes it, without the table's alias
	cast       bool   // of the column, to text
	either     bool   // it is one of several values that OR holds together
}

// conditions cuts a condition, as PostgreSQL writes it, into what AND holds together,
// and returns what is understood of it: comparisons of columns of the table with this
// alias with something else.
func conditions(text, alias string) (list []predicate) {
	for _, part := range split(text) {
		if p, ok := understand(part, alias); ok {
			list = append(list, p)
		} else if p, ok := either(part, alias); ok {
			list = append(list, p)
		}
	}
	return list
}

// either understands what OR holds together if one column, or expression, is compared for
// equality in all parts of it: an index is looked into for each.
func either(text, alias string) (p predicate, ok bool) {
	parts := cut(text, " or ")
	if len(parts) < 2 {
		return p, false
	}
	common := equalitiesOf(parts[0], alias)
	cast := false
	for _, part := range parts[1:] {
		others := equalitiesOf(part, alias)
		common = slices.DeleteFunc(common, func(p predicate) bool { return !slices.ContainsFunc(others, p.sameSide) })
		cast = cast || slices.ContainsFunc(others, func(p predicate) bool { return p.cast })
	}
	if len(common) == 0 {
		return p, false
	}
	p = common[0]
	p.cast, p.either = p.cast || cast, true
	return p, true
}

func equalitiesOf(text, alias string) []predicate {
	return slices.DeleteFunc(conditions(text, alias), func(p predicate) bool { return p.op != equals })
}

// sameSide reports whether both are about one column or expression.
func (p predicate) sameSide(o predicate) bool {
	return p.column == o.column && p.expression == o.expression
}

// unwrap takes parentheses around all of a text away.
func unwrap(text string) string {
	text = strings.TrimSpace(text)
	for len(text) > 1 && text[0] == '(' && closing(text, 0) == len(text)-1 {
		text = strings.TrimSpace(text[1 : len(text)-1])
	}
	return text
}

// closing returns where the parenthesis at i is closed, -1 if it is not.
func closing(text string, i int) int {
	depth := 0
	quoted := false
	for ; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '(' || c == '[':
			depth++
		case c == ')' || c == ']':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// split cuts a condition at the ANDs that are not in parentheses.
func split(text string) []string { return cut(text, " and ") }

// cut cuts a condition at the words that are not in parentheses.
func cut(text, word string) (parts []string) {
	text = unwrap(text)
	start := 0
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '(' || text[i] == '[':
			if end := closing(text, i); end > 0 {
				i = end
			}
		case strings.HasPrefix(text[i:], word):
			parts = append(parts, unwrap(text[start:i]))
			start = i + len(word)
			i = start - 1
		}
	}
	return append(parts, unwrap(text[start:]))
}

// operators are those that an index may be of use for, the longest first.
var operators = []struct {
	sign string
	op   operation
}{
	{" ~~* ", like}, {" ~~ ", like}, {" @> ", contains}, {" && ", overlaps}, {" ?| ", hasKey}, {" ?& ", hasKey}, {" @@ ", searches},
	{" <= ", ranges}, {" >= ", ranges}, {" < ", ranges}, {" > ", ranges}, {" = any ", equals}, {" = ", equals}, {" ? ?", hasKey},
}

func understand(part, alias string) (p predicate, ok bool) {
	for _, test := range []struct {
		suffix string
		op     operation
	}{{" is null", isNull}, {" is not null", notNull}, {" is true", isTrue}, {" is false", isFalse}} {
		if rest, found := strings.CutSuffix(part, test.suffix); found {
			return side(rest, alias, test.op)
		}
	}
	if rest, found := strings.CutPrefix(part, "not "); found {
		return side(rest, alias, isFalse)
	}
	for _, o := range operators {
		at := outside(part, o.sign)
		if at < 0 {
			continue
		}
		left, right := part[:at], part[at+len(o.sign):]
		if mentions(left, alias) == mentions(right, alias) {
			return p, false // of the same row, or of another table
		}
		if collated(part) {
			return p, false // by another collation than an index would have
		}
		if mentions(right, alias) {
			if o.op != equals && o.op != ranges || strings.HasPrefix(o.sign, " = any") {
				return p, false
			}
			left = right
		}
		return side(left, alias, o.op)
	}
	return side(part, alias, isTrue)
}

// collated reports whether a comparison names its collation.
func collated(part string) bool { return outside(strings.ToLower(part), " collate ") >= 0 }

// outside finds a sign that is not in parentheses.
func outside(text, sign string) int {
	for i := 0; i+len(sign) <= len(text); i++ {
		if text[i] == '(' || text[i] == '[' {
			if end := closing(text, i); end > 0 {
				i = end
				continue
			}
		}
		if strings.HasPrefix(text[i:], sign) {
			return i
		}
	}
	return -1
}

// mentions reports whether a column of the table with this alias is in a text.
func mentions(text, alias string) bool { return without(text, alias) != text }

// without takes the alias off the columns of its table.
func without(text, alias string) string {
	prefix := quote(alias) + "."
	var out strings.Builder
	for {
		at := strings.Index(text, prefix)
		if at < 0 {
			return out.String() + text
		}
		out.WriteString(text[:at])
		if at > 0 && inName(text[at-1]) { // the end of a longer one
			out.WriteString(prefix)
		}
		text = text[at+len(prefix):]
	}
}

func inName(c byte) bool {
	return c == '_' || c == '$' || c == '"' || c == '.' || c >= 0x80 || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

const name = `("(?:[^"]|"")+"|[a-z_][a-z0-9_$]*)`

// similar are casts that an index on the column itself is good for, if its type is one of
// them: they change nothing then.
var similar = regexp.MustCompile(`^(text|character varying)$`)

// unlike reports whether what is compared is not what an index on the column would have.
func (t *Table) unlike(p predicate) bool {
	return p.cast && !similar.MatchString(t.Columns[p.column].Type)
}

// stable are functions whose result never changes; an index may be on them.
var stable = regexp.MustCompile(`^(lower|upper|abs|md5|btrim|ltrim|rtrim|substr|"?substring"?|length|date_trunc|coalesce|reverse)\(`)

// side reads one side of a predicate: a column, or an expression of columns.
func side(text, alias string, op operation) (p predicate, ok bool) {
	text = unwrap(text)
	bare := without(text, alias)
	column := regexp.MustCompile(`^` + name + `$`)
	if mentions(text, alias) && column.MatchString(bare) {
		return predicate{op: op, column: unquote(bare)}, true
	}
	cast := regexp.MustCompile(`^\(` + name + `\)::([a-z ]+)$`)
	if found := cast.FindStringSubmatch(bare); found != nil && similar.MatchString(found[2]) {
		return predicate{op: op, column: unquote(found[1]), cast: true}, true
	}
	if !mentions(text, alias) || strings.Contains(bare, ".") {
		return p, false
	}
	if stable.MatchString(bare) && closing(bare, strings.IndexByte(bare, '(')) == len(bare)-1 || strings.Contains(bare, " ->> ") || strings.Contains(bare, " #>> ") {
		return predicate{op: op, expression: bare}, true
	}
	return p, false
}

func unquote(name string) string {
	if !strings.HasPrefix(name, `"`) {
		return name
	}
	return strings.ReplaceAll(name[1:len(name)-1], `""`, `"`)
}
