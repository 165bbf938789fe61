package advice

import (
	"maps"
	"slices"
	"strings"

	"github.com/pgjay/pgjay/monitor/plan"
)

// What a scan puts out may be whole rows, for nothing has to be made then. What is needed of
// them is what the steps above it, and those beside, name.

// passing are steps that put out what they get.
var passing = []string{"Hash", "Materialize", "Memoize", "Sort", "Incremental Sort", "Limit", "Gather", "Gather Merge", "Unique", "SetOp", "LockRows"}

// needed returns the columns of its table that the statement reads where a scan is; ok is
// false if that is not known.
func (c *Candidate) needed() (columns []string, ok bool) {
	root := c.Node
	for root.Parent != nil {
		if root = root.Parent; strings.HasSuffix(root.Type, "Append") {
			return nil, false // it names the columns of another table in their place
		}
	}
	var text strings.Builder
	top := plan.Plan{Root: root}
	for n := range top.Nodes() {
		text.WriteString(expressions(n, n == root || n != c.Node && !slices.Contains(passing, n.Type)))
	}
	all := text.String()
	if names(all, quote(c.Node.Alias)+".*") {
		return nil, false
	}
	// With one table in all of the statement, PostgreSQL leaves its name out in outputs.
	short := !mentions(strings.Join(c.Node.Output, "\n"), c.Node.Alias)
	for _, column := range slices.Sorted(maps.Keys(c.Table.Columns)) {
		name := quote(column)
		if names(c.Where, name) { // the index has no other rows
			continue
		}
		if names(all, quote(c.Node.Alias)+"."+name) || short && names(all, name) {
			columns = append(columns, column)
		}
	}
	return columns, true
}

// expressions is all that a step names.
func expressions(n *plan.Node, output bool) string {
	all := []string{n.Filter, n.IndexCond, n.RecheckCond, n.HashCond, n.MergeCond, n.JoinFilter, n.OneTime, n.OrderBy, n.TIDCond, n.FunctionCall, n.TableCall, n.CacheKey}
	all = append(append(append(all, n.SortKey...), n.PresortedKey...), n.GroupKey...)
	if output {
		all = append(all, n.Output...)
	}
	return strings.Join(all, "\n") + "\n"
}

// names reports whether a column is in a text, and not as a part of a longer name.
func names(text, column string) bool {
	for {
		before, after, found := strings.Cut(text, column)
		if !found {
			return false
		}
		if (before == "" || !inName(before[len(before)-1])) && (after == "" || !inName(after[0]) || after[0] == '.') {
			return true
		}
		text = after
	}
}
