package plan

import (
	"fmt"
	"regexp"
	"strings"
)

// slowScan finds whole tables that are read for a few rows.
func slowScan(f *finder) {
	for n := range f.Nodes() {
		if n.Type != "Seq Scan" || n.Filter == "" {
			continue
		}
		processes := n.processes()
		removed := n.RemovedByFilter * processes
		read := removed + n.Rows*processes
		s := graded(removed/max(read, 1), f.RemovedMedium, f.RemovedMedium, f.RemovedHigh)
		if s == 0 || removed < f.RemovedRows || read < f.RemovedRows {
			continue
		}
		f.add(n, s, n.Exclusive, fmt.Sprintf("all of %s is read and %.0f of %.0f rows are of no use", n.Table(), removed, read), "an index on what the filter compares: "+n.Filter)
	}
}

// processes is how many read the node's table together.
func (n *Node) processes() float64 {
	for up := n.Parent; up != nil; up = up.Parent {
		if up.Gathers() {
			return float64(up.Launched) + 1
		}
	}
	return 1
}

func (n *Node) scansIndex() bool {
	return strings.HasPrefix(n.Type, "Index") || n.Type == "Bitmap Heap Scan"
}

func inefficientIndex(f *finder) {
	for n := range f.Nodes() {
		removed := n.RemovedByFilter * max(n.Loops, 1)
		read := removed + n.Rows*max(n.Loops, 1)
		if n.scansIndex() && removed >= f.IndexRemovedRows && removed > f.RemovedHigh*read {
			f.add(n, Medium, n.Exclusive, fmt.Sprintf("%s finds %.0f rows of which the filter takes %.0f away", n.Label(), read, removed),
				"an index that has the filter's columns too: "+n.Filter)
		}
	}
}

func indexRecheck(f *finder) {
	for n := range f.Nodes() {
		if removed := n.RemovedByIndex; removed > 0 && removed > f.RecheckShare*(removed+n.Rows) {
			f.add(n, Medium, n.Exclusive, fmt.Sprintf("%s: %.0f of %.0f rows do not hold when they are looked at again", n.Label(), removed, removed+n.Rows),
				"raise work_mem if the bitmap is lossy, or use a more exact index")
		}
	}
}

func lossyBitmap(f *finder) {
	for n := range f.Nodes() {
		if n.LossyBlocks > 0 {
			s := Medium
			if n.LossyBlocks > n.ExactBlocks {
				s = High
			}
			f.add(n, s, 0, fmt.Sprintf("the bitmap of %s had no room: %.0f of %.0f blocks had to be searched", n.Table(), n.LossyBlocks, n.LossyBlocks+n.ExactBlocks), "raise work_mem")
		}
	}
}

func heapFetches(f *finder) {
	for n := range f.Nodes() {
		if n.Type != "Index Only Scan" || n.HeapFetches == 0 {
			continue
		}
		rows := max(n.Rows*max(n.Loops, 1), 1)
		f.add(n, graded(n.HeapFetches/rows, 0, 0.4, 0.9), 0, fmt.Sprintf("%.0f of %.0f rows were looked up in %s all the same", n.HeapFetches, rows, n.Table()), "VACUUM "+n.Table())
	}
}

func largeOffset(f *finder) {
	for n := range f.Nodes() {
		if n.Type != "Limit" || len(n.Children) == 0 {
			continue
		}
		read, kept := n.Children[0].Rows, max(n.Rows, 1)
		if read >= f.OffsetRows && read > f.OffsetFactor*kept {
			f.add(n, Medium, n.Children[0].Total*(1-kept/read), fmt.Sprintf("%.0f rows are made and thrown away to get %.0f (OFFSET)", read, n.Rows),
				"page by the last key that was shown (WHERE key > ...), not by OFFSET")
		}
	}
}

// orderIndex finds an index that was chosen for its order alone, and is read until
// enough rows have passed the filter.
func orderIndex(f *finder) {
	for n := range f.Nodes() {
		if n.Type != "Limit" {
			continue
		}
		for below := n; len(below.Children) == 1; {
			below = below.Children[0]
			if strings.HasPrefix(below.Type, "Index") && below.IndexCond == "" && below.RemovedByFilter*max(below.Loops, 1) >= f.RemovedRows {
				f.add(below, High, below.Exclusive, fmt.Sprintf("%s is read in its order until the LIMIT is reached: %.0f rows were of no use", below.Index, below.RemovedByFilter),
					"an index on the filter's columns, then those of ORDER BY")
			}
		}
	}
}

// defeats are predicates that an ordinary index on the column is of no use for.
var defeats = []struct {
	pattern *regexp.Regexp
	what    string
	hint    string
}{
	{regexp.MustCompile(`\b(lower|upper|date_trunc|date|to_char|coalesce|substr|substring|trim|btrim|md5|abs|date_part|extract)\(`), "a function of a column is compared", "an index on the expression, or compare the column itself"},
	{regexp.MustCompile(`!?~~\*?`), "LIKE that may begin with %, or ILIKE, is compared", "a GIN index with gin_trgm_ops (pg_trgm)"},
	{regexp.MustCompile(`\([a-z_][a-z_0-9.]*\)::(text|numeric|timestamp|timestamptz|date|double)[a-z_ ]* [=<>]`), "a column is cast before it is compared", "give the parameter the column's type"},
	{regexp.MustCompile(`->>|#>>`), "a part of a document is compared", "an index on the expression, or @> with a GIN index"},
}

func defeatedIndex(f *finder) {
	for n := range f.Nodes() {
		if n.Filter == "" || n.Name == "" || n.RemovedByFilter*n.processes() < f.RemovedRows {
			continue
		}
		for _, d := range defeats {
			if d.pattern.MatchString(n.Filter) {
				f.add(n, Medium, n.Exclusive, fmt.Sprintf("%s: %s, so no plain index helps: %s", n.Table(), d.what, n.Filter), d.hint)
				break
			}
		}
	}
}

func staleStatistics(f *finder) {
	for n := range f.Nodes() {
		t, ok := f.facts.Tables[n.Table()]
		if !ok || n.misestimated(f) == 0 {
			continue
		}
		old := t.SinceAnalyze < 0 || t.SinceAnalyze > f.StaleDays
		if old || t.Modified > f.StaleShare*max(t.Rows, 1) {
			f.add(n, Medium, 0, fmt.Sprintf("the statistics of %s are old (%.0f of %.0f rows changed since) and the number of rows was wrong by a factor of %.0f", n.Table(), t.Modified, t.Rows, n.Misestimate()), "ANALYZE "+n.Table())
		}
	}
}

func manyPartitions(f *finder) {
	for n := range f.Nodes() {
		if (n.Type == "Append" || n.Type == "Merge Append") && len(n.Children) > f.Partitions && n.SubplansRemoved == 0 {
			f.add(n, Medium, 0, fmt.Sprintf("%d partitions are read and none could be left out", len(n.Children)), "compare the partition key in WHERE, without a function or cast around it")
		}
	}
}
