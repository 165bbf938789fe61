package explain

import (
	"slices"
	"strings"
	"testing"

	"github.com/pgjay/pgjay/monitor/advice"
)

const joined = `CREATE TABLE sales (id int PRIMARY KEY, kind int, day int, amount int); INSERT INTO sales SELECT i, i % 20, i % 5000, i FROM generate_series(1, 50000) i;
	CREATE TABLE kinds (kind int, floor int); INSERT INTO kinds SELECT i, 50000 - i FROM generate_series(0, 19) i;
	CREATE TABLE others (id int, amount int); INSERT INTO others SELECT i, 40000 + i FROM generate_series(1, 30000) i;
	CREATE TABLE pairs (kind int, day int); INSERT INTO pairs VALUES (3, 43), (4, 44);
	ANALYZE; GRANT SELECT ON ALL TABLES IN SCHEMA public TO app`

// An index for a join is advised where the planner uses it, and nowhere else.
func TestJoinAdvice(t *testing.T) {
	w := newWorld(t, joined)
	for _, tt := range []struct {
		name, sql, index string
		used             bool
	}{
		{"few", "SELECT s.id FROM others o JOIN sales s ON s.amount = o.amount WHERE o.id < 5", "sales (amount)", true},
		{"both columns", "SELECT s.id FROM pairs p JOIN sales s ON s.kind = p.kind AND s.day = p.day", "sales (day, kind)", true},
		{"exists", "SELECT o.id FROM others o WHERE o.id < 5 AND EXISTS (SELECT FROM sales s WHERE s.amount = o.amount)", "sales (amount)", true},
		{"filter leaves few", "SELECT s.id FROM kinds k JOIN sales s ON s.kind = k.kind WHERE s.amount + k.floor = 7 AND s.day + k.floor = 8", "sales (kind)", false},
		{"many look for few", "SELECT s.id FROM others o JOIN sales s ON s.amount = o.amount + 9990", "sales (amount)", false},
		{"without a partner", "SELECT s.id FROM sales s WHERE NOT EXISTS (SELECT FROM kinds k WHERE k.kind = s.kind)", "sales (kind)", false},
	} {
		for _, w.cfg.Mode = range []Mode{Analyze, Plan} {
			t.Run(tt.name+", "+string(w.cfg.Mode), func(t *testing.T) { w.joins(t, tt.sql, tt.index, tt.used) })
		}
	}
}

// joins wants an index to be advised for a statement if the planner uses it, and that to be so.
func (w *world) joins(t *testing.T, sql, index string, used bool) {
	a := advised{sql: sql}
	before := w.explainWith(a)
	list := w.advisedFor(before)
	w.run(w.admin, "CREATE INDEX looked ON "+index)
	defer w.run(w.admin, "DROP INDEX looked")
	uses := false
	for n := range w.explainWith(a).Plan.Nodes() {
		uses = uses || n.Index == "looked"
	}
	if uses != used {
		t.Errorf("the planner uses it: %v", uses)
	}
	told := slices.ContainsFunc(list, func(a advice.Advice) bool { return strings.Contains(a.DDL, "ON public."+index) })
	if told != used || !used && len(list) > 0 {
		t.Errorf("advised: %+v\n%s", list, strings.Join(before.Lines(), "\n"))
	}
}

// What the join filter took away has been found first, whatever the planner had thought.
func TestJoinAdviceRemoved(t *testing.T) {
	w := newWorld(t, `CREATE TABLE skewed (region int, amount int); INSERT INTO skewed SELECT CASE WHEN i % 10 > 0 THEN 1 ELSE i END, i FROM generate_series(1, 50000) i;
		CREATE TABLE regions (region int, floor int); INSERT INTO regions VALUES (1, 7); ANALYZE; GRANT SELECT ON ALL TABLES IN SCHEMA public TO app`)
	r := w.explain("SELECT s.amount FROM regions r JOIN skewed s ON s.region = r.region WHERE s.amount + r.floor = 9")
	if list := w.advisedFor(r); len(list) > 0 {
		t.Errorf("advised: %+v\n%s", list, strings.Join(r.Lines(), "\n"))
	}
}
