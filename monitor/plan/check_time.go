package plan

import "fmt"

// expensiveNode finds where most of the time went.
func expensiveNode(f *finder) {
	if !f.Analyzed {
		return
	}
	for n := range f.Nodes() {
		if s := graded(f.share(n), f.ShareLow, f.ShareMedium, f.ShareHigh); s > 0 {
			f.add(n, s, n.Exclusive, fmt.Sprintf("%s took %.1f ms alone, %.0f %% of the time", n.Label(), n.Exclusive, 100*f.share(n)), "")
		}
	}
}

// expensiveByCost does the same by the planner's estimate, where nothing was executed.
func expensiveByCost(f *finder) {
	if f.Analyzed {
		return
	}
	for n := range f.Nodes() {
		if s := graded(f.share(n), f.ShareLow, f.ShareMedium, f.ShareHigh); s > 0 {
			f.add(n, s, 0, fmt.Sprintf("the planner expects %s to cost %.0f alone, %.0f %% of all", n.Label(), n.ExclusiveCost, 100*f.share(n)), "")
		}
	}
}

// rowMisestimate finds the deepest nodes whose number of rows was far from what the
// planner thought: what is above them is wrong because of them.
func rowMisestimate(f *finder) {
	if !f.Analyzed {
		return
	}
	for n := range f.Nodes() {
		if n.misestimated(f) == 0 || f.share(n) <= 0.05 || n.misestimatedBelow(f) {
			continue
		}
		hint := "run ANALYZE; where columns depend on each other, CREATE STATISTICS on them"
		f.add(n, n.misestimated(f), 0, fmt.Sprintf("%s: the planner expected %.0f rows and got %.0f", n.Label(), n.PlanRows, n.Rows), hint)
	}
}

func (n *Node) misestimated(f *finder) Severity {
	if n.Loops == 0 {
		return 0
	}
	return graded(n.Misestimate(), f.MisestimateLow, f.MisestimateMedium, f.MisestimateHigh)
}

// Misestimate is by what factor the number of rows was wrong, at least 1.
func (n *Node) Misestimate() float64 {
	planned, actual := max(n.PlanRows, 1), max(n.Rows, 1)
	return max(planned/actual, actual/planned)
}

func (n *Node) misestimatedBelow(f *finder) bool {
	for _, c := range n.Children {
		if c.misestimated(f) > 0 || c.misestimatedBelow(f) {
			return true
		}
	}
	return false
}

func jitOverhead(f *finder) {
	if f.JIT > f.JITMS && f.JIT > f.Execution/4 {
		f.add(nil, graded(f.JIT/max(f.Execution, 0.001), 0, 0.5, 0.75), f.JIT,
			fmt.Sprintf("compiling (JIT) took %.0f of %.0f ms", f.JIT, f.Execution), "raise jit_above_cost, or switch jit off for this user")
	}
}

func planningHeavy(f *finder) {
	if !f.Analyzed {
		return
	}
	if f.Planning > f.PlanningMS && f.Planning > f.Execution || f.Planning > 10*f.PlanningMS {
		f.add(nil, Medium, f.Planning, fmt.Sprintf("planning took %.1f ms, executing %.1f ms", f.Planning, f.Execution),
			"prepare the statement once; fewer joins, partitions or indexes to choose from")
	}
}

func parallelShortfall(f *finder) {
	for n := range f.Nodes() {
		if f.Analyzed && n.Planned > n.Launched {
			f.add(n, Medium, 0, fmt.Sprintf("%d workers were planned and %d came", n.Planned, n.Launched), "raise max_parallel_workers, or lower max_parallel_workers_per_gather")
		}
		if low, high := n.workerRows(); high > f.WorkerSkew*low && high > 1000 {
			f.add(n, Low, 0, fmt.Sprintf("%s: one worker had %.0f rows, another %.0f", n.Label(), high, low), "")
		}
	}
}

// workerRows returns the fewest and the most rows that a worker had.
func (n *Node) workerRows() (low, high float64) {
	if len(n.Workers) < 2 {
		return 0, 0
	}
	low = n.Workers[0].Rows * n.Workers[0].Loops
	for _, w := range n.Workers {
		rows := w.Rows * w.Loops
		low, high = min(low, rows), max(high, rows)
	}
	return max(low, 1), high
}

func coldCache(f *finder) {
	b := f.Root.Buffers
	if all := b.SharedHit + b.SharedRead; b.SharedRead >= f.ColdBlocks && b.SharedRead > f.ColdShare*all {
		f.add(nil, Low, 0, fmt.Sprintf("%.0f of %.0f blocks were not in shared_buffers", b.SharedRead, all), "it may be faster the next time; else read less, or raise shared_buffers")
	}
}
