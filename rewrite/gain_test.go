package rewrite

import (
	"context"
	"flag"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

var (
	gainRows   = flag.Int("rows", 0, "measure what each rule gains, on this many contacts")
	gainRounds = flag.Int("rounds", 5, "how often each statement is measured")
)

// gainSchema is contacts in a random order and what belongs to them.
const gainSchema = `
	CREATE EXTENSION IF NOT EXISTS pg_trgm;
	SET synchronous_commit = off; SET maintenance_work_mem = '256MB';
	SELECT setseed(0.5);
	CREATE TABLE companies (id int PRIMARY KEY, name text NOT NULL, city text);
	INSERT INTO companies SELECT i, 'company ' || i, 'city' || i %% 500 FROM generate_series(1, %[1]d / 20) i;
	CREATE INDEX ON companies (name);
	CREATE TABLE contacts AS SELECT i AS id, 1 + (random() * (%[1]d / 20 - 1))::int AS company_id, NULL::int AS company_n,
		'first' || (random() * 999)::int AS first_name, md5((random() * %[1]d)::int::text) AS last_name, 'c' || i || '@example.org' AS email,
		(ARRAY['lead', 'won', 'lost', 'new', 'old'])[1 + (random() * 4)::int] AS status, 'city' || (random() * 300)::int AS city,
		CASE WHEN i %% 7 <> 0 THEN (random() * 100000)::int END AS score, '2015-01-01'::timestamp + random() * interval '3000 days' AS made,
		CASE WHEN random() < 0.7 THEN '2015-01-01'::timestamp + random() * interval '3000 days' END AS seen,
		ARRAY(SELECT 'k' || (random() * 2000 + i * 0)::int FROM generate_series(1, 5)) AS keywords, repeat(md5(i::text), 8) AS bio
		FROM generate_series(1, %[1]d) i ORDER BY random();
	UPDATE contacts SET company_n = company_id WHERE id %% 20 <> 0;
	ALTER TABLE contacts ADD PRIMARY KEY (id), ADD FOREIGN KEY (company_id) REFERENCES companies, ADD FOREIGN KEY (company_n) REFERENCES companies,
		ALTER company_id SET NOT NULL, ALTER made SET NOT NULL, ALTER status SET NOT NULL, ALTER last_name SET NOT NULL;
	CREATE INDEX ON contacts (made, id); CREATE INDEX ON contacts (seen, id); CREATE INDEX ON contacts (last_name, id); CREATE INDEX ON contacts (company_id);
	CREATE INDEX ON contacts (email); CREATE INDEX ON contacts (score); CREATE INDEX ON contacts USING gin (keywords); CREATE INDEX ON contacts USING gin (last_name gin_trgm_ops);
	CREATE INDEX ON contacts (status); CREATE INDEX ON contacts (last_name text_pattern_ops);
	CREATE TABLE activities AS SELECT i AS id, 1 + (random() * (%[1]d / 2 - 1))::int AS contact_id, (random() * 100)::int AS amount FROM generate_series(1, %[1]d / 2) i;
	ALTER TABLE activities ADD PRIMARY KEY (id), ALTER contact_id SET NOT NULL;
	CREATE INDEX ON activities (contact_id); CREATE INDEX ON activities (amount);
	CREATE TABLE notes AS SELECT i AS id, 1 + (random() * (%[1]d - 1))::int AS contact_id, md5(i::text) AS body FROM generate_series(1, %[1]d / 10) i;
	ALTER TABLE notes ADD PRIMARY KEY (id), ALTER contact_id SET NOT NULL;
	CREATE INDEX ON notes (contact_id)`

// gainCases have for each rule a statement that it is for, and one of its form where it
// brings nothing: that is for the guard to refuse. %d is half of the rows.
var gainCases = map[string][2]string{
	"nulls_order": {"SELECT id, email FROM contacts ORDER BY made DESC NULLS LAST LIMIT 50", "SELECT id FROM contacts WHERE id < 10 ORDER BY made DESC NULLS LAST"},
	"any_contains": {"SELECT id, email FROM contacts WHERE 'k77' = ANY(keywords) ORDER BY made, id LIMIT 50",
		"SELECT id FROM contacts WHERE id < 100 AND 'k77' = ANY(keywords)"},
	"unused_left_join": {"SELECT count(*) FROM companies o WHERE EXISTS (SELECT 1 FROM contacts c LEFT JOIN activities a ON a.contact_id = c.id WHERE c.company_id = o.id AND c.score > 1000)",
		"SELECT DISTINCT c.status FROM contacts c LEFT JOIN activities a ON a.contact_id = c.id WHERE c.id = 5"},
	"in_distinct": {"SELECT count(*) FROM contacts WHERE id IN (SELECT DISTINCT contact_id FROM activities ORDER BY contact_id)",
		"SELECT count(*) FROM contacts WHERE id < 100 AND id IN (SELECT DISTINCT contact_id FROM activities WHERE id < 50)"},
	"count_exists": {"SELECT (SELECT count(*) FROM contacts WHERE status = 'lead') > 0",
		"SELECT (SELECT count(*) FROM contacts WHERE id = 7) > 0"},
	"inner_order": {"SELECT count(*) FROM (SELECT * FROM contacts ORDER BY city, bio) s",
		"SELECT count(*) FROM (SELECT * FROM contacts WHERE id < 10 ORDER BY id) s"},
	"coalesce_equals": {"SELECT id FROM contacts WHERE coalesce(score, 0) = 4711",
		"SELECT count(*) FROM contacts WHERE coalesce(score, 0) = 0 AND id > 0"},
	"strpos_like": {"SELECT id FROM contacts WHERE strpos(last_name, 'abcdef') > 0",
		"SELECT count(*) FROM contacts WHERE strpos(last_name, 'a') > 0"},
	"or_in": {"SELECT id FROM contacts WHERE " + manyOrs(1000), "SELECT count(*) FROM contacts WHERE " + manyOrs(8)},
	"limit_inside": {"SELECT c.id, c.bio, o.name FROM contacts c LEFT JOIN companies o ON o.id = c.company_n ORDER BY c.made, c.id LIMIT 50 OFFSET %d",
		"SELECT c.id, o.name FROM contacts c LEFT JOIN companies o ON o.id = c.company_n ORDER BY c.made, c.id LIMIT 50"},
	"count_column": {"SELECT count(made) FROM contacts", "SELECT count(id) FROM contacts WHERE id < 10"},
	"fk_join": {"SELECT c.id, c.email FROM contacts c JOIN companies o ON o.id = c.company_id ORDER BY c.made, c.id LIMIT 50 OFFSET %d",
		"SELECT count(*) FROM contacts c JOIN companies o ON o.id = c.company_id WHERE c.status = 'lead'"},
	"not_in": {"SELECT id FROM contacts WHERE id < 200 AND id NOT IN (SELECT contact_id FROM activities)",
		"SELECT count(*) FROM contacts WHERE id < 200 AND id NOT IN (SELECT contact_id FROM activities WHERE id < 20)"},
	"or_union": {"SELECT c.id, o.name FROM contacts c JOIN companies o ON o.id = c.company_id WHERE c.email = 'c77@example.org' OR o.name = 'company 77'",
		"SELECT c.id, o.name FROM contacts c JOIN companies o ON o.id = c.company_id WHERE c.score > 10 OR o.city > 'city1'"},
	"distinct_unique": {"SELECT DISTINCT id, email, status FROM contacts", "SELECT DISTINCT id, email FROM contacts WHERE id = 7"},
	"distinct_exists": {"SELECT DISTINCT c.id, c.bio FROM contacts c JOIN activities a ON a.contact_id = c.id",
		"SELECT DISTINCT c.id, c.email FROM contacts c JOIN activities a ON a.contact_id = c.id WHERE c.id = 7"},
	"nulls_split": {"SELECT id, email FROM contacts ORDER BY seen DESC NULLS LAST, id DESC LIMIT 50",
		"SELECT id, email FROM contacts WHERE company_id = 7 ORDER BY seen DESC NULLS LAST, id DESC LIMIT 50"},
	"date_range": {"SELECT id FROM contacts WHERE made::date = '2017-03-04'", "SELECT count(*) FROM contacts WHERE company_id = 7 AND extract(year FROM made) = 2017"},
	"left_like":  {"SELECT id FROM contacts WHERE left(last_name, 5) = 'abcde'", "SELECT count(*) FROM contacts WHERE left(last_name, 1) = 'a'"},
	"self_join": {"SELECT a.id, b.score FROM contacts a JOIN contacts b ON b.id = a.id WHERE a.status = 'lead'",
		"SELECT a.id, b.score FROM contacts a JOIN contacts b ON b.id = a.id WHERE a.id = 7"},
	"union_all": {"SELECT id, bio, status FROM contacts WHERE status = 'lead' UNION SELECT id, bio, status FROM contacts WHERE status = 'won'",
		"SELECT id, status FROM contacts WHERE id = 7 AND status = 'lead' UNION SELECT id, status FROM contacts WHERE id = 7 AND status = 'won'"},
	"loose_scan":     {"SELECT DISTINCT status FROM contacts", ""},
	"count_distinct": {"SELECT count(DISTINCT city) FROM contacts", "SELECT count(DISTINCT city) FROM contacts WHERE company_id = 7"},
	"window_count": {"SELECT *, count(*) OVER () FROM contacts WHERE status = 'lead' ORDER BY made, id LIMIT 50",
		"SELECT *, count(*) OVER () FROM contacts WHERE company_id = 7 ORDER BY made, id LIMIT 50"},
	"exists_or": {"SELECT c.id FROM contacts c WHERE EXISTS (SELECT 1 FROM activities a WHERE a.contact_id = c.id AND a.amount = 7) OR EXISTS (SELECT 1 FROM notes n WHERE n.contact_id = c.id AND n.body LIKE 'ab%%')",
		"SELECT c.id FROM contacts c WHERE c.id = 7 AND (EXISTS (SELECT 1 FROM activities a WHERE a.contact_id = c.id) OR EXISTS (SELECT 1 FROM notes n WHERE n.contact_id = c.id))"},
	"left_null": {"SELECT c.id FROM contacts c LEFT JOIN activities a ON a.contact_id = c.id WHERE a.id IS NULL",
		"SELECT c.id FROM contacts c LEFT JOIN activities a ON a.contact_id = c.id WHERE a.id IS NULL AND c.id = 7"},
}

func manyOrs(n int) string {
	var arms []string
	for i := range n {
		arms = append(arms, fmt.Sprintf("id = %d", i*7+1))
	}
	return strings.Join(arms, " OR ")
}

// TestGain measures each statement before and after its rule, in turns.
func TestGain(t *testing.T) {
	if *gainRows == 0 {
		t.Skip("make bench-rewrite")
	}
	w := newWorld(t, fmt.Sprintf(gainSchema, *gainRows))
	run(t, w.conn, "VACUUM ANALYZE")
	w.load()
	run(t, w.conn, "SET work_mem = '4MB'; SET random_page_cost = 1.1; SET max_parallel_workers_per_gather = 0; SET jit = off")
	fmt.Printf("%d contacts, median of %d\n%-18s %-8s %10s %10s %8s   %s\n", *gainRows, *gainRounds, "rule", "case", "before ms", "after ms", "ratio", "PostgreSQL's costs")
	for _, r := range allRules() {
		for k, text := range gainCases[r.Name()] {
			if text != "" {
				w.gain(r, []string{"its own", "counter"}[k], strings.ReplaceAll(strings.ReplaceAll(text, "%d", strconv.Itoa(*gainRows/2)), "%%", "%"))
			}
		}
	}
}

func (w *world) gain(r Rule, which, text string) {
	made := w.made(r, text)
	if made == text {
		_, why := w.rewritten(r, text)
		w.t.Errorf("%s does not apply to its case: %s: %s", r.Name(), text, why)
		return
	}
	if difference := w.differ(text, made, false); difference != "" {
		w.t.Errorf("%.1000s", difference)
	}
	var times [2][]time.Duration
	for range *gainRounds {
		for k, text := range []string{text, made} {
			begun := time.Now()
			w.outcome(text)
			times[k] = append(times[k], time.Since(begun))
		}
	}
	before, after := median(times[0]), median(times[1])
	fmt.Printf("%-18s %-8s %10.2f %10.2f %8.1f   %.0f -> %.0f\n", r.Name(), which, before, after, before/after, w.cost(text), w.cost(made))
}

func median(times []time.Duration) float64 {
	slices.Sort(times)
	return float64(times[len(times)/2].Microseconds()) / 1000
}

var totalCost = regexp.MustCompile(`cost=[0-9.]+\.\.([0-9.]+)`)

// cost is what the planner expects of a statement.
func (w *world) cost(text string) float64 {
	results, err := w.conn.Exec(context.Background(), "EXPLAIN "+text).ReadAll()
	if err != nil {
		w.t.Fatal(err)
	}
	return costOf(results[0])
}

func costOf(plan *pgconn.Result) float64 {
	cost, _ := strconv.ParseFloat(totalCost.FindStringSubmatch(string(plan.Rows[0][0]))[1], 64)
	return cost
}
