package plan

// measure finds the times of all nodes.
func (p *Plan) measure() {
	p.Root.measureTotal(1)
	for n := range p.Nodes() {
		n.measureExclusive()
	}
}

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
	if n.Type == "Gather" || n.Type == "Gather Merge" {
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

// measureExclusive takes off what the children took. The time of an InitPlan or a CTE is in
// that of whoever asked first for it, which the plan does not tell: it is taken off where
// it hangs in the tree, and where a CTE is scanned.
func (n *Node) measureExclusive() {
	time, cost := n.Total, n.TotalCost
	for _, child := range n.Children {
		time -= child.Total
		if child.Relationship != "SubPlan" {
			cost -= child.TotalCost
		}
	}
	if n.Type == "CTE Scan" {
		if from := n.definition(); from != nil {
			time -= from.Total
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
