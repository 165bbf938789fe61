package plan

import (
	"regexp"
	"slices"
	"strings"
)

// measure finds the times of all nodes.
func (p *Plan) measure() {
	p.Root.measureTotal(1)
	elsewhere := p.elsewhere()
	for n := range p.Nodes() {
		n.measureExclusive(elsewhere[n])
	}
}

// elsewhere returns what of the time of a node belongs to an InitPlan or a CTE, which hangs
// somewhere else in the tree: it is executed by the first that asks for what comes of it.
func (p *Plan) elsewhere() map[*Node]float64 {
	times := make(map[*Node]float64)
	for n := range p.Nodes() {
		switch {
		case n.Type == "CTE Scan":
			if from := n.definition(); from != nil {
				times[n] += from.Total
			}
		case n.Parent != nil && n.Relationship == "InitPlan" && !strings.HasPrefix(n.Subplan, "CTE "):
			times[n.user()] += n.Total
		}
	}
	return times
}

// returns is how the name of an InitPlan says what others refer to.
var returns = regexp.MustCompile(`\$[0-9]+`)

// user returns the node that asks for an InitPlan: the first that names what it returns, or
// where it hangs. Below a Gather it is the Gather, which gives its workers what it returns
// (execParallel.c, ExecInitParallelPlan).
func (n *Node) user() (user *Node) {
	user = n.Parent
	result := returns.FindString(n.Subplan)
	n.Parent.walk(func(other *Node) bool {
		c := &other.Conditions
		for _, text := range []string{c.Filter, c.IndexCond, c.RecheckCond, c.JoinFilter, c.HashCond, c.MergeCond, c.OneTime} {
			if result != "" && slices.Contains(returns.FindAllString(text, -1), result) || result == "" && strings.Contains(text, "initplan") {
				user = other
				return false
			}
		}
		return true
	})
	for up := user; up != n.Parent.Parent; up = up.Parent {
		if up.Gathers() {
			user = up
		}
	}
	return user
}

// Gathers reports whether a node has workers.
func (n *Node) Gathers() bool { return n.Type == "Gather" || n.Type == "Gather Merge" }

// measureTotal finds the time of a node as the clock shows it. Between a Gather and its
// workers loops are processes that work at once: there the sum is divided by them.
func (n *Node) measureTotal(processes float64) {
	if n.Loops > 0 {
		n.Total = n.TotalTime * max(n.Loops/max(processes, 1), 1)
		if processes > 1 && n.Loops < processes { // some came to nothing
			n.Total = n.TotalTime
		}
	}
	below := processes
	if n.Gathers() {
		below = float64(n.Launched) + 1
	}
	for _, child := range n.Children {
		if child.Relationship == "InitPlan" { // runs once, in the leader
			child.measureTotal(1)
			continue
		}
		child.measureTotal(below)
	}
}

// measureExclusive takes off what the children took, and what of its time was spent on
// plans that hang elsewhere.
func (n *Node) measureExclusive(elsewhere float64) {
	time, cost := n.Total-elsewhere, n.TotalCost
	for _, child := range n.Children {
		if child.Relationship != "InitPlan" {
			time -= child.Total
		}
		if child.Relationship != "SubPlan" {
			cost -= child.TotalCost
		}
	}
	n.Exclusive, n.ExclusiveCost = max(time, 0), max(cost, 0)
}

// definition returns the plan of the CTE that is scanned.
func (n *Node) definition() *Node {
	for up := n.Parent; up != nil; up = up.Parent {
		for _, c := range up.Children {
			if c.Relationship == "InitPlan" && c.Subplan == "CTE "+n.CTE {
				return c
			}
		}
	}
	return nil
}

// share is the part of the whole time that the node alone took, of the cost where the
// plan was not executed; from 0 to 1.
func (p *Plan) share(n *Node) float64 {
	if p.Analyzed {
		if p.Root.Total <= 0 {
			return 0
		}
		return min(n.Exclusive/p.Root.Total, 1)
	}
	if p.Root.TotalCost <= 0 {
		return 0
	}
	return min(n.ExclusiveCost/p.Root.TotalCost, 1)
}
