package explain

import (
	"fmt"
	"strings"

	"github.com/pgjay/pgjay/monitor/plan"
)

// Lines writes the result much as EXPLAIN does, with the findings where they belong.
func (r *Result) Lines() (lines []string) {
	lines = append(lines, r.Text, fmt.Sprintf("-- took %v; shape %v, database %s, user %s", r.Observed, r.Shape, r.Database, r.User))
	switch {
	case r.Told:
		lines = append(lines, "-- "+r.Reason)
	case r.Reason != "":
		lines = append(lines, "-- not executed: "+r.Reason)
	}
	if r.Plan == nil {
		return lines
	}
	findings := make(map[int][]plan.Finding)
	for _, f := range r.Findings {
		findings[f.Node] = append(findings[f.Node], f)
	}
	lines = appendNode(lines, r.Plan.Root, 0, r.Plan.Analyzed, findings)
	if r.Plan.Analyzed {
		lines = append(lines, fmt.Sprintf("Planning Time: %.3f ms", r.Plan.Planning), fmt.Sprintf("Execution Time: %.3f ms", r.Plan.Execution))
	}
	return appendFindings(lines, "", findings[0])
}

func appendNode(lines []string, n *plan.Node, depth int, analyzed bool, findings map[int][]plan.Finding) []string {
	indent := strings.Repeat("  ", depth)
	if n.Subplan != "" {
		lines = append(lines, indent+n.Subplan)
	}
	line := fmt.Sprintf("%s%s  (cost=%.2f..%.2f rows=%.0f width=%.0f)", indent, n.Label(), n.StartupCost, n.TotalCost, n.PlanRows, n.PlanWidth)
	switch {
	case analyzed && n.Loops == 0:
		line += " (never executed)"
	case analyzed:
		line += fmt.Sprintf(" (actual time=%.3f..%.3f rows=%.0f loops=%.0f alone=%.3f)", n.StartupTime, n.TotalTime, n.Rows, n.Loops, n.Exclusive)
	}
	lines = append(lines, line)
	for _, d := range details(n) {
		lines = append(lines, indent+"    "+d)
	}
	lines = appendFindings(lines, indent+"    ", findings[n.ID])
	for _, child := range n.Children {
		lines = appendNode(lines, child, depth+1, analyzed, findings)
	}
	return lines
}

func appendFindings(lines []string, indent string, findings []plan.Finding) []string {
	for _, f := range findings {
		line := fmt.Sprintf("%s! %s (%s): %s", indent, f.Check, f.Severity, f.Message)
		if f.Hint != "" {
			line += " -> " + f.Hint
		}
		lines = append(lines, line)
	}
	return lines
}

// details are the conditions of a step.
func details(n *plan.Node) (list []string) {
	add := func(name, value string) {
		if value != "" {
			list = append(list, name+": "+value)
		}
	}
	add("Index Cond", n.IndexCond)
	add("Recheck Cond", n.RecheckCond)
	add("Hash Cond", n.HashCond)
	add("Merge Cond", n.MergeCond)
	add("Join Filter", n.JoinFilter)
	add("Filter", n.Filter)
	add("Sort Key", strings.Join(n.SortKey, ", "))
	add("Group Key", strings.Join(n.GroupKey, ", "))
	if removed := n.RemovedByFilter + n.RemovedByJoin; removed > 0 {
		add("Rows Removed", fmt.Sprintf("%.0f", removed))
	}
	return list
}
