package explain

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pgjay/pgjay/monitor/plan"
	"github.com/pgjay/pgjay/pool"
)

// shop is a database of tables that are large enough for bad plans.
const shop = `
	CREATE TABLE orders (id int PRIMARY KEY, customer int, status text, made timestamptz, note text, doc jsonb);
	INSERT INTO orders SELECT i, i % 1000, CASE i % 100 WHEN 0 THEN 'open' ELSE 'done' END, '2020-01-01'::timestamptz + i * interval '1 minute',
		'note ' || md5(i::text), jsonb_build_object('k', i) FROM generate_series(1, 60000) i;
	CREATE TABLE customers (id int PRIMARY KEY, name text, region int); INSERT INTO customers SELECT i, 'c' || i, i % 10 FROM generate_series(1, 1000) i;
	CREATE INDEX orders_made ON orders (made); CREATE INDEX customers_region ON customers (region);
	CREATE TABLE loose (a int, b int); INSERT INTO loose SELECT i % 300, i % 300 FROM generate_series(1, 30000) i;
	VACUUM ANALYZE; GRANT SELECT ON ALL TABLES IN SCHEMA public TO app`

// provoked is a statement that a check is about.
type provoked struct {
	check    string
	before   string // what the superuser does first
	sql      string
	settings map[string]string
	change   func(*plan.Thresholds)
	where    string // in the message
}

var provocations = []provoked{
	{check: "expensive node", sql: "SELECT sum(length(note)) FROM orders"},
	{check: "row misestimate", sql: "SELECT count(*) FROM loose WHERE a = 5 AND b = 5 AND a + b = 10", change: func(t *plan.Thresholds) { t.MisestimateLow = 5 }},
	{check: "slow scan", sql: "SELECT * FROM orders WHERE customer = 7", settings: serial, where: "59940 of 60000"},
	{check: "inefficient index", sql: "SELECT count(*) FROM orders WHERE made > '2020-01-01' AND note = 'x'", settings: with(serial, "enable_seqscan", "off", "enable_bitmapscan", "off")},
	{check: "index recheck", before: "CREATE EXTENSION IF NOT EXISTS pg_trgm; CREATE INDEX orders_note ON orders USING gin (note gin_trgm_ops)",
		sql: "SELECT count(*) FROM orders WHERE note LIKE '%abc%abc%'", settings: with(serial, "enable_seqscan", "off")},
	{check: "lossy bitmap", before: `CREATE TABLE wide AS SELECT i % 50 AS a, repeat('x', 700) AS pad FROM generate_series(1, 40000) i; CREATE INDEX ON wide (a); ANALYZE wide; GRANT SELECT ON wide TO app`,
		sql: "SELECT count(pad) FROM wide WHERE a < 25", settings: with(serial, "work_mem", "64kB", "enable_seqscan", "off", "enable_indexscan", "off")},
	{check: "disk sort", sql: "SELECT * FROM orders ORDER BY note", settings: with(serial, "work_mem", "64kB")},
	{check: "hash batches", sql: "SELECT count(*) FROM orders a JOIN orders b ON a.note = b.note", settings: with(serial, "work_mem", "64kB", "enable_mergejoin", "off", "enable_nestloop", "off")},
	{check: "aggregate spill", sql: "SELECT note, count(*) FROM orders GROUP BY note", settings: with(serial, "work_mem", "64kB", "enable_sort", "off", "hash_mem_multiplier", "1")},
	{check: "temporary files", sql: "SELECT * FROM orders a, generate_series(1, 3) ORDER BY note", settings: with(serial, "work_mem", "64kB")},
	{check: "heap fetches", before: "CREATE TABLE fresh (id int); INSERT INTO fresh SELECT generate_series(1, 5000); CREATE INDEX ON fresh (id); ANALYZE fresh; GRANT SELECT ON fresh TO app",
		sql: "SELECT id FROM fresh WHERE id < 2000", settings: with(serial, "enable_seqscan", "off", "enable_bitmapscan", "off")},
	{check: "large offset", sql: "SELECT * FROM orders ORDER BY id LIMIT 10 OFFSET 20000", where: "20010 rows"},
	{check: "index for the order only", sql: "SELECT * FROM orders WHERE status || '' = 'none' ORDER BY made LIMIT 5", settings: with(serial, "enable_sort", "off")},
	{check: "inefficient nested loop", sql: "SELECT count(*) FROM loose l JOIN customers c ON c.id = l.a WHERE l.a + l.b >= 0 AND l.a * 2 >= 0 AND l.b + 1 > 0", settings: with(serial, "enable_hashjoin", "off", "enable_mergejoin", "off", "enable_memoize", "off")},
	{check: "late or filter", sql: "SELECT count(*) FROM customers a JOIN customers b ON a.name = 'c1' OR b.name = a.name", settings: serial},
	{check: "unindexed join", sql: "SELECT count(*) FROM customers c JOIN loose l ON l.a = c.id WHERE c.region = 3", settings: with(serial, "enable_hashjoin", "off", "enable_mergejoin", "off", "enable_memoize", "off", "enable_indexscan", "off", "enable_indexonlyscan", "off", "enable_bitmapscan", "off")},
	{check: "correlated subplan", sql: "SELECT c.id, (SELECT count(*) FROM loose l WHERE l.a = c.id) FROM customers c WHERE c.id < 200", settings: serial},
	{check: "memoize thrash", sql: "SELECT count(c.name) FROM orders o JOIN customers c ON c.id = o.customer",
		settings: with(serial, "work_mem", "64kB", "hash_mem_multiplier", "1", "enable_hashjoin", "off", "enable_mergejoin", "off")},
	{check: "jit overhead", sql: "SELECT sum(id + 1), avg(customer) FROM orders WHERE id > 5", settings: with(serial, "jit", "on", "jit_above_cost", "0", "jit_inline_above_cost", "0", "jit_optimize_above_cost", "0"), change: func(t *plan.Thresholds) { t.JITMS = 1 }},
	{check: "planning heavy", sql: "SELECT 1 FROM customers a JOIN customers b USING (id) JOIN customers c USING (id) JOIN customers d USING (id) JOIN customers e USING (id) WHERE a.id = 0", change: func(t *plan.Thresholds) { t.PlanningMS = 0.01 }},
	{check: "parallel shortfall", sql: "SELECT count(*) FROM orders WHERE note > 'a'", settings: map[string]string{"max_parallel_workers": "0", "min_parallel_table_scan_size": "0", "parallel_setup_cost": "0", "parallel_tuple_cost": "0"}},
	{check: "predicate defeats index", sql: "SELECT * FROM orders WHERE lower(note) = 'x'", settings: serial},
	{check: "stale statistics", before: "CREATE TABLE aged (a int); ALTER TABLE aged SET (autovacuum_enabled = off); INSERT INTO aged VALUES (1); ANALYZE aged; INSERT INTO aged SELECT 2 FROM generate_series(1, 20000); SELECT pg_stat_force_next_flush(); GRANT SELECT ON aged TO app",
		sql: "SELECT * FROM aged WHERE a = 2 AND a + 0 = 2", settings: serial},
	{check: "many partitions", before: `CREATE TABLE parts (a int) PARTITION BY LIST (a);
		DO $$ BEGIN FOR i IN 1..12 LOOP EXECUTE format('CREATE TABLE parts_%s PARTITION OF parts FOR VALUES IN (%s)', i, i); END LOOP; END $$; GRANT SELECT ON parts TO app`,
		sql: "SELECT * FROM parts WHERE a + 0 = 3", change: func(t *plan.Thresholds) { t.Partitions = 10 }},
}

var serial = map[string]string{"max_parallel_workers_per_gather": "0", "jit": "off"}

func with(base map[string]string, more ...string) map[string]string {
	m := make(map[string]string)
	for k, v := range base {
		m[k] = v
	}
	for i := 0; i < len(more); i += 2 {
		m[more[i]] = more[i+1]
	}
	return m
}

// Each check finds what it is for, in a plan of PostgreSQL's.
func TestFindings(t *testing.T) {
	w := newWorld(t, "SELECT 1")
	for _, sql := range strings.Split(shop, ";\n") {
		for _, part := range strings.Split(sql, "; ") { // VACUUM wants to be alone
			w.run(w.admin, part)
		}
	}
	seen := map[string]bool{"expensive by cost": true, "cold cache": true} // have tests of their own
	for _, p := range provocations {
		seen[p.check] = true
		t.Run(p.check, func(t *testing.T) { w.provoke(t, p) })
	}
	for _, name := range plan.Checks() {
		if !seen[name] {
			t.Errorf("nothing provokes %q", name)
		}
	}
	w.cfg.Thresholds, w.cfg.Mode = plan.DefaultThresholds(), Plan
	if r := w.explain("SELECT sum(length(note)) FROM orders"); !has(r, "expensive by cost") || has(r, "expensive node") {
		t.Errorf("a plan that was not executed has %v", r.Findings)
	}
}

func (w *world) provoke(t *testing.T, p provoked) {
	if p.before != "" {
		w.run(w.admin, p.before)
	}
	w.cfg.Thresholds = plan.DefaultThresholds()
	request := w.request(p.sql)
	for name, value := range p.settings {
		request.Settings = append(request.Settings, pool.Setting{Name: name, Value: value})
	}
	quiet := w.cfg.Thresholds
	if p.change != nil {
		p.change(&w.cfg.Thresholds)
	}
	r := w.explainRequest(request)
	i := slices.IndexFunc(r.Findings, func(f plan.Finding) bool { return f.Check == p.check })
	if i < 0 || !strings.Contains(r.Findings[i].Message, p.where) || r.Findings[i].Severity == 0 {
		t.Errorf("found %v in\n%s", r.Findings, strings.Join(r.Lines(), "\n"))
		return
	}
	// With thresholds that nothing reaches, there is nothing.
	never := unreachable(quiet)
	for _, f := range r.Plan.Find(never, plan.Facts{}) {
		if f.Check == p.check && !boolean[p.check] {
			t.Errorf("found in any case: %v", f)
		}
	}
}

// boolean are checks that have no threshold: what they look for is bad in any amount.
var boolean = map[string]bool{
	"lossy bitmap": true, "disk sort": true, "hash batches": true, "aggregate spill": true, "heap fetches": true,
	"memoize thrash": true, "parallel shortfall": true, "unindexed join": true, "jit overhead": false,
}

func unreachable(t plan.Thresholds) plan.Thresholds {
	const much = 1e18
	return plan.Thresholds{
		ShareLow: 2, ShareMedium: 2, ShareHigh: 2, MisestimateLow: much, MisestimateMedium: much, MisestimateHigh: much,
		RemovedMedium: 2, RemovedHigh: 2, RemovedRows: much, IndexRemovedRows: much, RecheckShare: 2, TempMB: much,
		OffsetFactor: much, OffsetRows: much, LoopsNested: much, LoopsSubplan: much, JITMS: much, PlanningMS: much,
		WorkerSkew: much, ColdShare: 2, ColdBlocks: much, StaleDays: much, StaleShare: much, Partitions: 1 << 30,
	}
}

func has(r *Result, check string) bool {
	return slices.ContainsFunc(r.Findings, func(f plan.Finding) bool { return f.Check == check })
}

// What a server that has just started reads is cold.
func TestColdCache(t *testing.T) {
	w := newWorld(t, "CREATE TABLE big AS SELECT i, repeat('x', 500) AS pad FROM generate_series(1, 20000) i; GRANT SELECT ON big TO app")
	w.cfg.Thresholds.ColdBlocks, w.cfg.Thresholds.ColdShare = 1, 0.0000001
	// A ring of buffers is used for what is larger than a quarter of them, so some of it
	// is read again each time.
	w.run(w.admin, "CREATE TABLE bigger AS SELECT i, repeat('y', 2000) AS pad FROM generate_series(1, 60000) i; GRANT SELECT ON bigger TO app")
	r := w.explain("SELECT count(*) FROM bigger")
	if !has(r, "cold cache") {
		t.Errorf("found %v; %v", r.Findings, fmt.Sprintf("%+v", r.Plan.Root.Buffers))
	}
}
