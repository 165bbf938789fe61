package plan

// Label names a node as EXPLAIN does: Seq Scan on public.t.
func (n *Node) Label() string {
	label := n.Type
	if n.Type == "ModifyTable" && n.Operation != "" {
		label = n.Operation
	}
	switch n.Strategy {
	case "Hashed", "Sorted", "Mixed":
		if n.Type == "Aggregate" {
			label = n.Strategy + " " + label
		}
	}
	if n.Index != "" {
		label += " using " + n.Index
	}
	switch {
	case n.Name != "":
		label += " on " + n.Table()
	case n.Function != "":
		label += " on " + n.Function
	case n.CTE != "":
		label += " on " + n.CTE
	}
	return label
}
