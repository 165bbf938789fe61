package rewrite

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// The differential test makes statements around each rule, from templates, runs what it
// makes of them beside the originals on data with NULLs, duplicates and empty tables, and
// compares names, types and rows.

// expand makes one of the texts that a template stands for: {a|b|c} is one of a, b and c,
// which may have such in them.
func expand(r *rand.Rand, template string) string {
	var out strings.Builder
	for {
		open := strings.IndexByte(template, '{')
		if open < 0 {
			out.WriteString(template)
			return out.String()
		}
		out.WriteString(template[:open])
		options, rest := alternatives(template[open+1:])
		out.WriteString(expand(r, options[r.IntN(len(options))]))
		template = rest
	}
}

// alternatives splits what stands before the brace that closes.
func alternatives(text string) (options []string, rest string) {
	depth, from := 0, 0
	for i, c := range text {
		switch {
		case c == '{':
			depth++
		case c == '}' && depth > 0:
			depth--
		case c == '}':
			return append(options, text[from:i]), text[i+1:]
		case c == '|' && depth == 0:
			options, from = append(options, text[from:i]), i+1
		}
	}
	panic("a brace is not closed: " + text)
}

// fillCRM makes rows by chance: f is how many there are at most.
const fillCRM = `
	SET session_replication_role = replica;
	TRUNCATE companies, contacts, activities, notes, parts, part_refs, deals, visits, copied;
	INSERT INTO companies SELECT i, chr(97 + i %% 5), CASE i %% 4 WHEN 0 THEN NULL ELSE 'city' || i %% 3 END, 'c' || i, i FROM generate_series(1, %[1]d) i;
	INSERT INTO contacts (id, company_id, company_n, company_late, company_bad, first_name, last_name, email, email_u, status, city, score, small, big, price,
		flag, loose, fixed, born, made, seen, at, uid, keywords, tags, nums, bigs, prices, plain)
	SELECT i, 1 + (random() * (%[1]d - 1))::int, CASE WHEN random() < 0.7 THEN 1 + (random() * (%[1]d - 1))::int END, 1 + (random() * (%[1]d - 1))::int, (random() * 99)::int,
		CASE WHEN random() < 0.8 THEN chr(97 + (random() * 4)::int) END, (ARRAY['Ab', 'ab', 'abc', 'b%%c', 'b_c', 'b\c', '', 'xabx'])[1 + (random() * 7)::int],
		CASE WHEN random() < 0.7 THEN (ARRAY['a', 'ab', 'A', 'abc', ''])[1 + (random() * 4)::int] END, CASE WHEN random() < 0.7 THEN 'u' || i END,
		(ARRAY['lead', 'won', 'lost'])[1 + (random() * 2)::int], CASE WHEN random() < 0.7 THEN 'city' || (random() * 3)::int END,
		CASE WHEN random() < 0.7 THEN (random() * 6)::int END, CASE WHEN random() < 0.7 THEN (random() * 6)::int END, CASE WHEN random() < 0.7 THEN (random() * 6)::int END,
		CASE WHEN random() < 0.7 THEN (random() * 3)::int END, CASE WHEN random() < 0.7 THEN random() < 0.5 END,
		CASE WHEN random() < 0.7 THEN (ARRAY['a', 'A', 'b'])[1 + (random() * 2)::int] END, CASE WHEN random() < 0.7 THEN (ARRAY['a', 'a ', 'b'])[1 + (random() * 2)::int] END,
		CASE WHEN random() < 0.8 THEN (ARRAY['2021-12-31', '2022-01-01', '2022-01-02', '2022-12-31', '2023-01-01', 'infinity', '2022-02-03 BC']::date[])[1 + (random() * 6)::int] END,
		(ARRAY['2021-12-31 23:59:59.999999', '2022-01-01', '2022-01-01 13:10', '2022-01-02', '2022-12-31 23:30', '2023-01-01', '-infinity', '2022-01-01 BC']::timestamp[])[1 + (random() * 7)::int],
		CASE WHEN random() < 0.7 THEN (ARRAY['2021-12-31 23:59:59.999999', '2022-01-01', '2022-01-01 13:10', '2022-01-02', '2022-12-31 23:30', 'infinity']::timestamp[])[1 + (random() * 5)::int] END,
		CASE WHEN random() < 0.7 THEN '2022-11-06'::timestamptz + random() * interval '2 days' END, gen_random_uuid(),
		k, k::varchar(10)[], CASE WHEN random() < 0.8 THEN ARRAY[(random() * 3)::int, NULL, 1] END, CASE WHEN random() < 0.8 THEN ARRAY[(random() * 5)::int8] END, ARRAY[1.0, 1.00], k
	FROM generate_series(1, %[2]d) i,
		LATERAL (SELECT (CASE (random() * 5)::int + i * 0 WHEN 0 THEN NULL WHEN 1 THEN '{x}' WHEN 2 THEN '{x,NULL}' WHEN 3 THEN '{y,z}' WHEN 4 THEN '{}' ELSE '{{x,y},{z,z}}' END)::text[]) _(k);
	INSERT INTO activities SELECT i, (random() * %[2]d * 1.2)::int, CASE WHEN random() < 0.5 THEN (random() * %[1]d)::int END, (ARRAY['call', 'mail', NULL])[1 + (random() * 2)::int],
		'2022-01-01'::timestamp + i * interval '1 hour', CASE WHEN random() < 0.7 THEN (random() * 5)::int END FROM generate_series(1, %[3]d) i;
	INSERT INTO notes SELECT CASE WHEN random() < 0.8 THEN (random() * 9)::int END, (random() * %[2]d * 1.2)::int, chr(97 + (random() * 3)::int), '{}' FROM generate_series(1, %[3]d) i;
	INSERT INTO parts SELECT i, '2020-06-01'::date + i %% 2 * 300, 1 + (random() * (%[1]d - 1))::int, CASE WHEN random() < 0.7 THEN '{x}'::text[] END FROM generate_series(1, %[2]d) i;
	INSERT INTO part_refs SELECT i, CASE WHEN random() < 0.7 THEN i END, '2020-06-01'::date + i %% 2 * 300 FROM generate_series(1, %[2]d) i;
	INSERT INTO deals SELECT i, 1 + (random() * (%[1]d - 1))::int FROM generate_series(1, %[3]d) i;
	INSERT INTO visits SELECT i, CASE WHEN random() < %[4]f THEN 'k' || (random() * 3)::int END, (random() * 4)::int, CASE WHEN random() < %[4]f THEN 'c' || (random() * 3)::int END
		FROM generate_series(1, %[3]d) i;
	SET session_replication_role = DEFAULT`

func (w *world) fill(r *rand.Rand) {
	companies, contacts := 1+r.IntN(8), r.IntN(40)
	if r.IntN(6) == 0 {
		contacts = 0
	}
	run(w.t, w.conn, fmt.Sprintf("SELECT setseed(%f)", r.Float64()))
	run(w.t, w.conn, fmt.Sprintf(fillCRM, companies, contacts, r.IntN(50), 1-r.Float64()*float64(r.IntN(3))/2))
}

// outcome is what a client sees of a statement.
type outcome struct {
	shape string
	rows  []string
	code  string // of the error
}

func (w *world) outcome(text string) (o outcome) {
	result := w.conn.ExecParams(context.Background(), text, nil, nil, nil, nil)
	o.shape = fmt.Sprint(shape(result.FieldDescriptions()))
	for result.NextRow() {
		var row strings.Builder
		for _, v := range result.Values() {
			fmt.Fprintf(&row, "%v:%q,", v == nil, v)
		}
		o.rows = append(o.rows, row.String())
	}
	_, err := result.Close()
	var failed *pgconn.PgError
	if errors.As(err, &failed) {
		return outcome{code: failed.Code + " " + failed.Message}
	}
	return o
}

// differ says how two texts differ, if they do.
func (w *world) differ(before, after string, ordered bool) string {
	a, b := w.outcome(before), w.outcome(after)
	if !ordered {
		slices.Sort(a.rows)
		slices.Sort(b.rows)
	}
	if a.shape == b.shape && a.code == b.code && slices.Equal(a.rows, b.rows) {
		return ""
	}
	return fmt.Sprintf("%s\n%s\n%v\n%v", before, after, a, b)
}

var manyPairs = flag.Int("pairs", 0, "how many rewritten statements of each rule are compared")

// pairs is how many rewritten statements of each rule are compared.
func pairs() (n int, budget time.Duration) {
	if *manyPairs > 0 {
		return *manyPairs, time.Hour
	}
	if os.Getenv("PGJAY_SOAK") != "" {
		return 200_000 / len(allRules()), time.Hour
	}
	return 60, 20 * time.Second / time.Duration(len(allRules()))
}

// fewestPairs say something.
const fewestPairs = 15

// TestRulesDiffer compares what the rules make of statements with the originals.
func TestRulesDiffer(t *testing.T) {
	w := newWorld(t, crm)
	for _, rule := range allRules() {
		t.Run(rule.Name(), func(t *testing.T) {
			w := *w
			w.t = t
			w.compare(rule, ruleTemplates[rule.Name()])
		})
	}
}

// together is all rules, one after the other, each of what those before have made.
type together struct{ w *world }

func (together) Name() string  { return "together" }
func (together) About() string { return "all rules" }

func (a together) Match(q *Query) (m Match) {
	text := q.Text
	for range 2 {
		for _, r := range allRules() {
			text = a.w.made(r, text)
		}
	}
	if text == q.Text {
		return m
	}
	tree, _, _ := sqlparse.Tree(text)
	return Match{Edits: []Edit{{To: len(q.Text), Text: text}}, Tree: tree}
}

// TestRulesDifferTogether compares what all rules make of statements.
func TestRulesDifferTogether(t *testing.T) {
	w := newWorld(t, crm)
	var templates []string
	for _, name := range slices.Sorted(maps.Keys(ruleTemplates)) {
		templates = append(templates, ruleTemplates[name]...)
	}
	w.compare(together{w}, templates)
}

// made is what a rule makes of a text; the text itself where that is not SQL, does not
// pass the gate or is refused by PostgreSQL, which the guard sees.
func (w *world) made(rule Rule, text string) string {
	tree, facts, ok := sqlparse.Tree(text)
	if !ok || Gate(&Query{Text: text, Tree: tree, Scope: w.scope}, facts) != "" {
		return text
	}
	made, _ := w.rewritten(rule, text)
	if made != text {
		if _, err := w.conn.Prepare(w.t.Context(), "", text, nil); err != nil {
			return text
		}
	}
	return made
}

func (w *world) compare(rule Rule, templates []string) {
	want, budget := pairs()
	r := rand.New(rand.NewPCG(1, uint64(len(rule.Name()))))
	begun := time.Now()
	compared, failed := 0, 0
	for tried := 0; compared < want && (time.Since(begun) < budget || compared < fewestPairs); tried++ {
		if tried%60 == 0 {
			w.fill(r)
		}
		if tried > 100*want {
			break
		}
		text, ordered := strings.CutPrefix(expand(r, templates[r.IntN(len(templates))]), "ordered: ")
		made := w.made(rule, text)
		if made == text {
			continue
		}
		compared++
		if w.outcome(text).code != "" {
			failed++
		}
		if difference := w.differ(text, made, ordered); difference != "" {
			w.t.Fatal(difference)
		}
	}
	w.t.Logf("%d pairs, of which %d fail", compared, failed)
	if compared < fewestPairs || failed > compared/2 {
		w.t.Errorf("%d pairs, of which %d fail: that says little", compared, failed)
	}
}
