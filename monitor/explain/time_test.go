package explain

import (
	"strings"
	"testing"

	"github.com/pgjay/pgjay/monitor/plan"
	"github.com/pgjay/pgjay/pool"
)

// The times of all steps alone add up to the whole, whatever the plan is like.
func TestExclusiveTimes(t *testing.T) {
	w := newWorld(t, `CREATE TABLE a (id int, b int, c text); INSERT INTO a SELECT i, i % 100, md5(i::text) FROM generate_series(1, 30000) i;
		CREATE INDEX ON a (b); ANALYZE a; GRANT SELECT ON a TO app; ALTER TABLE a SET (parallel_workers = 2)`)
	parallel := []pool.Setting{{Name: "parallel_setup_cost", Value: "0"}, {Name: "parallel_tuple_cost", Value: "0"}, {Name: "min_parallel_table_scan_size", Value: "0"}, {Name: "jit", Value: "off"}}
	serial := []pool.Setting{{Name: "max_parallel_workers_per_gather", Value: "0"}, {Name: "jit", Value: "off"}}
	for _, sql := range []string{
		"SELECT count(*) FROM a WHERE c > 'a'",
		"SELECT b, count(*), max(c) FROM a GROUP BY b ORDER BY 2",
		"SELECT count(*) FROM a x JOIN a y ON x.id = y.id WHERE x.c > y.c || 'x'",
		"WITH t AS MATERIALIZED (SELECT * FROM a WHERE c > 'b') SELECT count(*) FROM t x JOIN t y USING (id)",
		"SELECT count(*) FROM a WHERE id > (SELECT avg(id) FROM a)",
		"SELECT (SELECT count(*) FROM a z WHERE z.b = x.b) FROM a x WHERE x.id < 50",
		"SELECT * FROM a WHERE b = 5 AND c > '8' ORDER BY c LIMIT 3",
		"WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 20000) SELECT sum(n) FROM r",
		"SELECT c FROM a WHERE b < 20 UNION ALL SELECT c FROM a WHERE b > 80",
	} {
		for name, settings := range map[string][]pool.Setting{"parallel": parallel, "serial": serial} {
			r := w.request(sql)
			r.Settings = settings
			got := w.explainRequest(r)
			if got.Plan == nil || !got.Plan.Analyzed {
				t.Fatalf("%s: %s", sql, got.Reason)
			}
			sum := 0.0
			for n := range got.Plan.Nodes() {
				if n.Exclusive < 0 || n.ExclusiveCost < 0 {
					t.Errorf("%s: %s took %v", sql, n.Label(), n.Exclusive)
				}
				sum += n.Exclusive
			}
			if whole := got.Plan.Root.Total; sum < 0.6*whole || sum > 1.4*whole+1 {
				t.Errorf("%s, %s: %.1f of %.1f ms\n%s", sql, name, sum, whole, strings.Join(got.Lines(), "\n"))
			}
		}
	}
}

// A plan of thousands of steps is understood.
func TestLargePlan(t *testing.T) {
	const steps = 5000
	deep := strings.Repeat(`{"Node Type": "Append", "Plans": [{"Node Type": "Seq Scan", "Relation Name": "t", "Filter": "(a = 'secret')"},`, steps/2) +
		`{"Node Type": "Result"}` + strings.Repeat(`]}`, steps/2)
	p, err := plan.Parse([]byte(`[{"Plan": ` + deep + `}]`))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for range p.Nodes() {
		n++
	}
	if n != steps+1 || p.ID == "" {
		t.Errorf("%d steps", n)
	}
	p.Find(plan.DefaultThresholds(), plan.Facts{})
	lines := (&Result{Plan: p}).Lines()
	if len(lines) < steps || strings.Contains(strings.Join(lines, "\n"), "secret") {
		t.Errorf("%d lines", len(lines))
	}
}
