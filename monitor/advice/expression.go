package advice

import "github.com/pgjay/pgjay/monitor/plan"

// Expression is one that a table's rows are looked for by.
type Expression struct {
	Table *Table
	Text  string // as PostgreSQL writes it, without literals
}

// maxExpressions bounds those of a plan.
const maxExpressions = 10

// Expressions returns those that Propose may want an index on: the server says, in
// Table.Expressions, whether it takes one.
func Expressions(p *plan.Plan, tables map[string]*Table, l Limits) (list []Expression) {
	for n := range p.Nodes() {
		t := tables[n.Table()]
		if t == nil || t.rows() < l.Rows || n.Filter == "" || !reads(n) {
			continue
		}
		for _, pred := range predicates(n) {
			if pred.expression != "" && len(list) < maxExpressions {
				list = append(list, Expression{Table: t, Text: pred.expression})
			}
		}
	}
	return list
}

// notAsked is why there is no index on an expression that the server was not asked about.
const notAsked = "whether it is immutable was not asked"

// unfit reports whether no index can be on what a predicate compares.
func (t *Table) unfit(p predicate) bool { return t.mutable(p.expression) != "" }

// mutable says why no index can be on an expression.
func (t *Table) mutable(expression string) string {
	if expression == "" {
		return ""
	}
	why, asked := t.Expressions[expression]
	if !asked {
		return notAsked
	}
	return why
}

// Unfit says why PostgreSQL would not take the index, and what can be done in its place;
// empty: it would.
func (c *Candidate) Unfit() string {
	for _, k := range c.Keys {
		if why := c.Table.mutable(k.Expression); why != "" {
			return "an index cannot be on " + k.Expression + ": " + why +
				"; compare the column itself, with a range in place of one value, or keep the result in a column of its own"
		}
	}
	return ""
}
