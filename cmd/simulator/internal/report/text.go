package report

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/pgjay/pgjay/cmd/simulator/internal/compare"
	"github.com/pgjay/pgjay/cmd/simulator/internal/load"
)

// Run prints one run.
func Run(w io.Writer, r *load.Result) {
	t := newTable(w)
	fmt.Fprintln(t, "\tqueries\tp50 ms\tp95 ms\tp99 ms\tmax ms\t")
	for p, h := range r.ByPattern {
		if h != nil {
			l := compare.LatenciesOf(h)
			fmt.Fprintf(t, "%v\t%d\t%.2f\t%.2f\t%.2f\t%.2f\t\n", load.Pattern(p), h.TotalCount(), l.P50, l.P95, l.P99, l.Max)
		}
	}
	l := compare.LatenciesOf(r.All)
	fmt.Fprintf(t, "all\t%d\t%.2f\t%.2f\t%.2f\t%.2f\t\n", r.Queries, l.P50, l.P95, l.P99, l.Max)
	_ = t.Flush()
	fmt.Fprintf(w, "%d queries in %v, %.0f a second\n", r.Queries, r.Elapsed.Round(time.Millisecond), r.QPS())
}

func newTable(w io.Writer) *tabwriter.Writer {
	return tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
}

// Text prints a comparison.
func Text(w io.Writer, c *compare.Comparison) {
	fmt.Fprintf(w, "%s, %s, %d cores; PostgreSQL %s; %s\n", c.When.Format(time.DateOnly), c.Machine.CPU, c.Machine.Cores,
		c.Machine.PostgreSQL, c.Machine.Go)
	fmt.Fprintf(w, "scenario %s, seed %d: %d queries in %d interleaved rounds, %d clients, %s, %s protocol\n",
		c.Scenario.Name, c.Seed, c.Queries, c.Rounds, c.Clients, c.Connect.Describe(), c.Protocol)
	if c.Unlike != "" {
		fmt.Fprintln(w, c.Unlike)
	}
	fmt.Fprintln(w)
	t := newTable(w)
	fmt.Fprintln(t, "path\tqueries/s\tp50 ms\tp95 ms\tp99 ms\ttimes as fast as\t\t95 % interval\t")
	for _, m := range c.Paths {
		fmt.Fprintln(t, pathLine(m))
	}
	fmt.Fprintln(t)
	fmt.Fprintln(t, "pattern\tqueries\tdirect p50\tPgJay p50\tdirect p95\tPgJay p95\ttimes as fast\t95 % interval\t")
	for _, p := range c.Patterns {
		fmt.Fprintf(t, "%s\t%d\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%s\t\n", p.Pattern, p.Queries, p.Direct.P50, p.PgJay.P50,
			p.Direct.P95, p.PgJay.P95, p.Gain.Ratio, p.Gain)
	}
	_ = t.Flush()
	fmt.Fprintln(w)
	for _, m := range c.Paths {
		fmt.Fprintf(w, "%s: %s\n", m.Name, what(m))
	}
	for _, b := range c.Batching {
		fmt.Fprintln(w, "batching:", batching(b))
	}
	if c.Verification != nil {
		Verification(w, c.Verification)
	}
}

func pathLine(m compare.Measured) string {
	if m.Missing != "" {
		return m.Name + "\tnot measured\t\t\t\t\t\t\t"
	}
	line := fmt.Sprintf("%s\t%.0f\t%.2f\t%.2f\t%.2f\t", m.Name, m.QPS, m.Latencies.P50, m.Latencies.P95, m.Latencies.P99)
	if m.Against == "" {
		return line + "\t\t\t"
	}
	return line + fmt.Sprintf("%s\t%.2f\t%s\t", m.Against, m.Gain.Ratio, m.Gain)
}

func what(m compare.Measured) string {
	if m.Missing != "" {
		return "not measured: " + m.Missing
	}
	return m.What
}

func batching(b compare.Batching) string {
	return fmt.Sprintf("on the path %s, imports in batches of 200, %.0f rows/s, to one by one, %.0f rows/s: %.2f times as fast (%s)",
		b.Path, b.Batched, b.Single, b.Gain.Ratio, b.Gain)
}

// Verification prints how answers compared.
func Verification(w io.Writer, v *compare.Verification) {
	if v.TablesDiffer {
		fmt.Fprintf(w, "\n%s\n", tablesDiffer)
	}
	if v.Count == 0 {
		fmt.Fprintf(w, "\nall %d answers, by three protocols, are the same directly and through PgJay: %s\n", v.Compared, exercised(v))
		return
	}
	fmt.Fprintf(w, "\n%d of %d answers DIFFER:\n", v.Count, v.Compared)
	for _, m := range v.Mismatches {
		fmt.Fprintf(w, "  query %d (%s, %s protocol): %s\n    %s %s\n", m.Number, m.Pattern, m.Protocol, m.Detail, m.SQL, m.Args)
	}
}

const tablesDiffer = "After all queries the tables DIFFER: what was written through PgJay is not what was written directly."

// exercised says what of PgJay had a part in the answers.
func exercised(v *compare.Verification) string {
	return fmt.Sprintf("%d came from its cache, %d by rewritten statements, %d were deep pages got from bookmarks or keys in an index",
		v.FromCache, v.Rewritten, v.Bookmarked)
}

// JSON writes anything.
func JSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
