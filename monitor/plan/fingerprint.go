package plan

import (
	"fmt"
	"hash"
	"hash/fnv"
	"io"
	"regexp"
)

// fingerprint is what makes a plan the same: which steps are done in which order, with
// which indexes and conditions. Costs, rows, times and workers are no part of it, nor
// are the partitions that happen to be left.
func (p *Plan) fingerprint() string {
	h := fnv.New64a()
	p.Root.hash(h, p.Root.Name, p.Root.Index)
	return fmt.Sprintf("%016x", h.Sum64())
}

// hash adds a step under these names, and those below it.
func (n *Node) hash(h hash.Hash64, name, index string) {
	for _, part := range []string{
		n.Type, n.JoinType, n.Strategy, n.PartialMode, n.Relationship, n.Schema, name, index, n.Direction, n.Subplan, n.CTE,
		n.IndexCond, n.HashCond, n.MergeCond, n.JoinFilter, n.Filter,
	} {
		_, _ = io.WriteString(h, part+"\x00") // a hash returns no error
	}
	partitioned := n.Type == "Append" || n.Type == "Merge Append"
	seen := make(map[[3]string]bool)
	for _, child := range n.Children {
		name, index := child.Name, child.Index
		if partitioned && name != "" {
			name, index = partition.ReplaceAllString(name, ""), partition.ReplaceAllString(index, "")
			same := [3]string{child.Type, name, index}
			if seen[same] {
				continue
			}
			seen[same] = true
		}
		child.hash(h, name, index)
	}
	_, _ = io.WriteString(h, ")")
}

// partition is what the names of partitions, and of their indexes, usually differ in.
var partition = regexp.MustCompile(`_?p?[0-9][0-9_]*`)
