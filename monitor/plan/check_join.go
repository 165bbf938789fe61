package plan

import (
	"fmt"
	"regexp"
	"strings"
)

func (n *Node) isJoin() bool {
	return n.Type == "Nested Loop" || n.Type == "Hash Join" || n.Type == "Merge Join"
}

// nestedLoop finds loops that the planner chose because it thought there were few.
func nestedLoop(f *finder) {
	for n := range f.Nodes() {
		outer, inner := n.child("Outer"), n.child("Inner")
		if n.Type != "Nested Loop" || outer == nil || inner == nil {
			continue
		}
		share := (n.Exclusive + inner.Total) / max(f.Root.Total, 0.001)
		if inner.Loops >= f.LoopsNested && outer.Misestimate() > f.MisestimateLow && share > f.ShareMedium {
			f.add(n, High, inner.Total, fmt.Sprintf("the inner side ran %.0f times; %.0f were expected", inner.Loops, outer.PlanRows),
				"better estimates (ANALYZE, CREATE STATISTICS), so that a hash join is chosen")
		}
	}
}

var orFilter = regexp.MustCompile(`\bor\b`)

// lateOr finds an OR over both sides of a join, which nothing can be looked up by.
func lateOr(f *finder) {
	for n := range f.Nodes() {
		if n.isJoin() && orFilter.MatchString(n.JoinFilter) && n.RemovedByJoin*max(n.Loops, 1) >= f.RemovedRows {
			f.add(n, High, n.Exclusive, fmt.Sprintf("an OR over both tables is checked for %.0f pairs of rows in vain: %s", n.RemovedByJoin, n.JoinFilter),
				"UNION of two statements, one for each side of the OR")
		}
	}
}

// unindexedJoin finds tables that are read as a whole for each row of another.
func unindexedJoin(f *finder) {
	for n := range f.Nodes() {
		if n.Type != "Nested Loop" {
			continue
		}
		inner := n.child("Inner")
		for inner != nil && (inner.Type == "Materialize" || inner.Type == "Memoize") && len(inner.Children) == 1 {
			inner = inner.Children[0]
		}
		if again := n.child("Inner"); inner != nil && inner.Type == "Seq Scan" && again.Loops > 1 {
			rows := again.Loops * (again.Rows + inner.RemovedByFilter)
			f.add(inner, graded(rows, 0, f.RemovedRows, 100*f.RemovedRows), again.Total+n.Exclusive,
				fmt.Sprintf("%s is gone through %.0f times", inner.Table(), again.Loops), "an index on the column that it is joined by: "+joinedBy(n, inner))
		}
	}
}

func joinedBy(n, inner *Node) string {
	if n.JoinFilter != "" {
		return n.JoinFilter
	}
	return inner.Filter
}

func correlatedSubplan(f *finder) {
	for n := range f.Nodes() {
		if n.Relationship != "SubPlan" || !strings.HasPrefix(n.Subplan, "SubPlan") || n.Loops < f.LoopsSubplan {
			continue
		}
		if share := n.Total / max(f.Root.Total, 0.001); share > 0.2 {
			f.add(n, High, n.Total, fmt.Sprintf("a subquery ran %.0f times, once for each row, and took %.0f %% of the time", n.Loops, 100*share),
				"a join, or one aggregate over all, in place of the subquery")
		}
	}
}

func memoizeThrash(f *finder) {
	for n := range f.Nodes() {
		asked := n.CacheHits + n.CacheMisses
		if n.Type == "Memoize" && n.CacheEvicted+n.CacheOverflow > 0 && n.CacheHits < asked/2 {
			f.add(n, Medium, n.Exclusive, fmt.Sprintf("of %.0f answers that could have been remembered %.0f were, as there was no room", asked, n.CacheHits), "raise work_mem or hash_mem_multiplier")
		}
	}
}
