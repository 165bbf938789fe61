package advice

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/pgjay/pgjay/monitor/plan"
)

const (
	// randomPage is the planner's random_page_cost where the plan does not say another.
	randomPage = 4
	// muchLess is what part of a join's cost may be left for an index to be worth it.
	muchLess = 0.5
)

// join is one that a table is read for.
type join struct {
	*plan.Node
	other *plan.Node // the side that the table is not on
}

// joinOf returns the join that a scan is for.
func joinOf(n *plan.Node) (j join, ok bool) {
	from, up := n, n.Parent
	for up != nil && (up.Type == "Hash" || up.Type == "Materialize" || up.Type == "Memoize") {
		from, up = up, up.Parent
	}
	if up == nil || up.HashCond == "" && up.JoinFilter == "" {
		return j, false
	}
	at := slices.IndexFunc(up.Children, func(c *plan.Node) bool {
		return c != from && (c.Relationship == "Outer" || c.Relationship == "Inner")
	})
	if at < 0 {
		return j, false
	}
	return join{Node: up, other: up.Children[at]}, true
}

// keeps reports whether rows of the table without a partner count too: then all are read.
func (j join) keeps() bool {
	switch j.JoinType {
	case "Left", "Anti":
		return j.other.Relationship == "Inner"
	case "Right", "Right Anti":
		return j.other.Relationship == "Outer"
	}
	return j.JoinType == "Full"
}

// forJoin looks for an index on the columns by which a table is joined that is read as a
// whole for a few of its rows.
func forJoin(p *plan.Plan, n *plan.Node, t *Table) (c Candidate, ok bool) {
	j, ok := joinOf(n)
	if !ok || n.Type != "Seq Scan" || n.Filter != "" || j.keeps() {
		return c, false
	}
	c = Candidate{Table: t, Node: n, Method: "btree"}
	parts := append(conditions(j.HashCond, n.Alias), conditions(j.JoinFilter, n.Alias)...)
	for _, pred := range c.equalities(parts) {
		if pred.column != "" && len(c.Keys) < maxKeys && !t.tooLong(pred) && !t.unlike(pred) {
			c.Keys = append(c.Keys, Key{Column: pred.column})
		}
	}
	lookups, found := j.work(&c)
	if len(c.Keys) == 0 || (lookups+found)*pageCost(p) > muchLess*(j.TotalCost-j.other.TotalCost) {
		return c, false
	}
	c.Why = fmt.Sprintf("all of %s is read for a join, though %.0f rows look for theirs in it and find %.0f", n.Table(), lookups, found)
	return c, true
}

// work is how often the index would be asked, and how many rows it would find: by what has
// been seen or by what the planner thinks, whichever is more, as it is the planner that
// chooses. What a Join Filter takes away is found too.
func (j join) work(c *Candidate) (lookups, found float64) {
	loops := max(j.Loops, 1)
	lookups = max(j.other.PlanRows, j.other.Rows*loops)
	found = max(j.PlanRows, j.Rows*loops)
	parts := 0
	if j.HashCond != "" {
		found += j.RemovedByJoin * loops
		parts = len(split(j.HashCond))
	}
	if j.JoinFilter != "" {
		parts += len(split(j.JoinFilter))
	}
	if parts > len(c.Keys) { // the other conditions are looked at afterwards
		each := c.Table.Rows
		for _, k := range c.Keys {
			each /= max(c.Table.distinct(k.Column), 1)
		}
		found = max(found, lookups*each)
	}
	return lookups, found
}

// pageCost is what the planner takes for reading a page somewhere.
func pageCost(p *plan.Plan) float64 {
	if cost, err := strconv.ParseFloat(p.Settings["random_page_cost"], 64); err == nil {
		return cost
	}
	return randomPage
}
