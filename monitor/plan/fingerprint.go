package plan

import (
	"fmt"
	"hash/fnv"
	"io"
	"regexp"
)

// fingerprint is what makes a plan the same: which steps are done in which order, with
// which indexes and conditions. Costs, rows, times and workers are no part of it, nor
// are the partitions that happen to be left.
func (p *Plan) fingerprint() string {
	h := fnv.New64a()
	write := func(parts ...string) {
		for _, part := range parts {
			_, _ = io.WriteString(h, part+"\x00") // a hash returns no error
		}
	}
	var visit func(*Node)
	visit = func(n *Node) {
		name, index, again := n.Name, n.Index, false
		if n.Parent != nil && (n.Parent.Type == "Append" || n.Parent.Type == "Merge Append") {
			name, index = partition.ReplaceAllString(name, ""), partition.ReplaceAllString(index, "")
			again = n.sameAsSibling(name, index)
		}
		if again {
			return
		}
		write(n.Type, n.JoinType, n.Strategy, n.PartialMode, n.Relationship, n.Schema, name, index, n.Direction, n.Subplan, n.CTE)
		write(n.IndexCond, n.HashCond, n.MergeCond, n.JoinFilter, n.Filter)
		for _, child := range n.Children {
			visit(child)
		}
		write(")")
	}
	visit(p.Root)
	return fmt.Sprintf("%016x", h.Sum64())
}

// partition is what the names of partitions, and of their indexes, usually differ in.
var partition = regexp.MustCompile(`_?p?[0-9][0-9_]*`)

// sameAsSibling reports whether an earlier child of an Append reads another partition in
// the same way.
func (n *Node) sameAsSibling(name, index string) bool {
	for _, s := range n.Parent.Children {
		if s == n {
			return false
		}
		if s.Type == n.Type && partition.ReplaceAllString(s.Name, "") == name && partition.ReplaceAllString(s.Index, "") == index {
			return true
		}
	}
	return false
}
