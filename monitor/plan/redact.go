package plan

import (
	"regexp"
	"strings"

	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// notShown stands for an expression of which it is not certain what its literals are.
const notShown = "(not shown)"

// redact takes the literals out of all that PostgreSQL has deparsed.
func (n *Node) redact() {
	c := &n.Conditions
	n.Infix = infix.MatchString(c.Filter)
	for _, field := range []*string{
		&c.Filter, &c.IndexCond, &c.RecheckCond, &c.HashCond, &c.MergeCond, &c.JoinFilter, &c.OneTime, &c.OrderBy,
		&c.TIDCond, &c.FunctionCall, &c.TableCall, &c.CacheKey,
	} {
		*field = Redact(*field)
	}
	for _, list := range [][]string{c.Output, c.SortKey, c.PresortedKey, c.GroupKey} {
		for i := range list {
			list[i] = Redact(list[i])
		}
	}
}

// infix is LIKE with a pattern that begins with anything, or ILIKE, for which the
// beginning is of no use either.
var infix = regexp.MustCompile(`~~ '[%_]|~~\* `)

// Redact returns an expression as PostgreSQL writes it with ? in the place of literals.
func Redact(expression string) string {
	if expression == "" {
		return ""
	}
	hidden, ok := sqlparse.Hide(expression)
	if !ok {
		return notShown
	}
	return strings.ToValidUTF8(hidden, "?")
}
