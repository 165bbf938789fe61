package explain

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pgjay/pgjay/monitor/advice"
	"github.com/pgjay/pgjay/monitor/digest"
	"github.com/pgjay/pgjay/pool"
)

// market has tables for which indexes are missing.
const market = `
	CREATE DOMAIN fixed AS text COLLATE ucs_basic;
	CREATE TABLE items (id int PRIMARY KEY, owner int, kind text, made timestamp, deleted timestamp, hot bool, tags text[], doc jsonb, words tsvector, title varchar(80) COLLATE "C", note text, code char(20) COLLATE ucs_basic, fix fixed);
	INSERT INTO items SELECT i, i % 2000, 'k' || i % 20, '2020-01-01'::timestamp + i * interval '1 minute', CASE WHEN i % 100 <> 0 THEN now() END, i % 50 = 0,
		ARRAY['t' || i % 500, 'x'], jsonb_build_object('k', i % 5000, 'l', i), to_tsvector('simple', md5(i::text)), 'title ' || md5(i::text), 'note ' || md5((i * 7)::text), 'c' || i, 'f' || i FROM generate_series(1, 50000) i;
	CREATE TABLE "Odd Name" (id int, "Big" int, "user" int); INSERT INTO "Odd Name" SELECT i, i % 3000, i % 40 FROM generate_series(1, 30000) i;
	CREATE TABLE parents (id int PRIMARY KEY, name text); INSERT INTO parents SELECT i, 'p' || i FROM generate_series(1, 2000) i;
	VACUUM ANALYZE; GRANT SELECT ON ALL TABLES IN SCHEMA public TO app`

// advised is a statement and the index that is to be advised for it.
type advised struct {
	name, sql, ddl string
	settings       map[string]string
	before         string
	// replace is what stands for the placeholder.
	replace   string
	extension string
}

var advisedIndexes = []advised{
	{name: "one column", sql: "SELECT * FROM items WHERE owner = 7", ddl: "ON public.items (owner);"},
	{name: "composite", sql: "SELECT * FROM items WHERE kind = 'k3' AND owner = 7 AND made > '2020-01-02'", ddl: "ON public.items (owner"},
	{name: "equality and order", sql: "SELECT * FROM items WHERE owner = 7 ORDER BY made DESC LIMIT 5", ddl: "ON public.items (owner, made DESC);"},
	{name: "range", sql: "SELECT * FROM items WHERE made > '2020-02-04'", ddl: "ON public.items (made);"},
	{name: "covering", sql: "SELECT made FROM items WHERE owner = 9", ddl: "ON public.items (owner) INCLUDE (made);"},
	{name: "partial", sql: "SELECT id, kind, title, note, doc FROM items WHERE deleted IS NULL AND kind = 'k0'", ddl: "ON public.items (kind) WHERE deleted IS NULL;"},
	{name: "partial boolean", sql: "SELECT * FROM items WHERE hot ORDER BY made", ddl: "ON public.items (made) WHERE hot;"},
	{name: "expression", sql: "SELECT * FROM items WHERE lower(note) = 'note x'", ddl: "ON public.items ((lower(note)));"},
	{name: "expression of a document", sql: "SELECT * FROM items WHERE doc ->> 'l' = '77'", ddl: "ON public.items ((doc ->> <value of the statement>::text));", replace: "'l'"},
	{name: "column and expression", sql: "SELECT * FROM items WHERE owner = 7 AND lower(note) > 'note e'", ddl: "ON public.items (owner, (lower(note)));"},
	{name: "array", sql: "SELECT * FROM items WHERE tags @> ARRAY['t7']", ddl: "ON public.items USING gin (tags);"},
	{name: "array overlap", sql: "SELECT * FROM items WHERE tags && ARRAY['t8']", ddl: "ON public.items USING gin (tags);"},
	{name: "jsonb", sql: `SELECT * FROM items WHERE doc @> '{"l": 5}'`, ddl: "ON public.items USING gin (doc jsonb_path_ops);"},
	{name: "jsonb key", sql: `SELECT * FROM items WHERE doc ? 'none'`, ddl: "ON public.items USING gin (doc);"},
	{name: "text search", sql: `SELECT * FROM items WHERE words @@ 'abc'::tsquery`, ddl: "ON public.items USING gin (words);"},
	{name: "trigram", sql: `SELECT * FROM items WHERE note LIKE '%abcde%'`, ddl: "CREATE INDEX CONCURRENTLY ON public.items USING gin (note gin_trgm_ops);", extension: "CREATE EXTENSION IF NOT EXISTS pg_trgm;"},
	{name: "trigram without case", sql: `SELECT * FROM items WHERE note ILIKE '%ABCDE%'`, ddl: "USING gin (note gin_trgm_ops);"},
	{name: "prefix", sql: `SELECT * FROM items WHERE note LIKE 'note 00%'`, ddl: "ON public.items (note"},
	{name: "prefix in C", sql: `SELECT * FROM items WHERE title LIKE 'title 00%'`, ddl: "ON public.items (title);"},
	{name: "prefix of char", sql: `SELECT * FROM items WHERE code LIKE 'c777%'`, ddl: "ON public.items (code bpchar_pattern_ops);"},
	{name: "prefix of a domain", sql: `SELECT * FROM items WHERE fix LIKE 'f777%'`, ddl: "ON public.items (fix text_pattern_ops);"},
	{name: "order by a list", sql: `SELECT id FROM items WHERE note IN ('note 1', 'note 2') AND id > 3 ORDER BY note LIMIT 3`, ddl: "ON public.items (note, id)"},
	{name: "equality and range of one expression", sql: `SELECT * FROM items WHERE lower(note) = ANY ('{a,b,c}') AND lower(note) > 'b'`, ddl: "ON public.items ((lower(note)));"},
	{name: "odd names", sql: `SELECT * FROM "Odd Name" WHERE "Big" = 7 AND "user" > 5`, ddl: `ON public."Odd Name" ("Big"`},
	{name: "hash join", sql: "SELECT i.id FROM parents p JOIN items i ON i.owner = p.id WHERE p.name = 'p77'", ddl: "ON public.items (owner)"},
	{name: "nested loop", sql: "SELECT i.id FROM parents p JOIN items i ON i.owner = p.id WHERE p.id < 3", ddl: "ON public.items (owner)", settings: map[string]string{"enable_hashjoin": "off", "enable_mergejoin": "off"}},
	{name: "wrong index", sql: "SELECT * FROM items WHERE note = 'nothing' ORDER BY id LIMIT 5", ddl: "ON public.items (note"},
	{name: "one of two values", sql: "SELECT id FROM items WHERE owner = 7 OR owner = 9 ORDER BY made", ddl: "ON public.items (owner);"},
	{name: "one of two values and more", sql: "SELECT id FROM items WHERE (owner = 7 AND note > 'a') OR (kind = 'k3' AND owner = 9)", ddl: "ON public.items (owner);"},
	{name: "one of two values of a varchar", sql: "SELECT id FROM items WHERE title = 'title x' OR title = 'title y'", ddl: "ON public.items (title);"},
	{name: "one of two values of an expression", sql: "SELECT id FROM items WHERE lower(note) = 'note x' OR lower(note) = 'note y'", ddl: "ON public.items ((lower(note)));"},
	{name: "inefficient index", before: "CREATE INDEX items_kind ON items (kind)", sql: "SELECT * FROM items WHERE kind = 'k3' AND title = 'title x'", ddl: "ON public.items (title"},
}

// Each advised index is used by the planner once it is there, and is advised no more.
func TestIndexAdvice(t *testing.T) {
	w := newWorld(t, "SELECT 1")
	for _, sql := range strings.Split(market, ";\n") {
		for _, part := range strings.Split(sql, "; ") {
			w.run(w.admin, part)
		}
	}
	for _, a := range advisedIndexes {
		t.Run(a.name, func(t *testing.T) { w.advise(t, a) })
	}
}

func (w *world) advise(t *testing.T, a advised) {
	defer w.run(w.admin, "DROP INDEX IF EXISTS advised, items_kind")
	if a.before != "" {
		w.run(w.admin, a.before)
	}
	before := w.explainWith(a)
	ddl, table := w.advisedFor(before), ""
	i := slices.IndexFunc(ddl, func(d advice.Advice) bool { return strings.Contains(d.DDL, a.ddl) })
	if i < 0 {
		t.Fatalf("advised: %+v\n%s", ddl, strings.Join(before.Lines(), "\n"))
	}
	if ddl[i].Extension != a.extension {
		t.Errorf("the extension: %q", ddl[i].Extension)
	}
	if table = ddl[i].Table; ddl[i].Why == "" || ddl[i].Cost == "" || ddl[i].State == advice.Adopted {
		t.Errorf("advised: %+v", ddl[i])
	}
	create := strings.ReplaceAll(strings.ReplaceAll(ddl[i].DDL, " CONCURRENTLY", " CONCURRENTLY advised"), "<value of the statement>", a.replace)
	w.run(w.admin, a.extension)
	w.run(w.admin, create)
	if strings.Contains(create, "INCLUDE") {
		w.run(w.admin, "VACUUM "+table)
	}
	w.run(w.admin, "ANALYZE "+table)
	after := w.explainWith(a)
	used := false
	for n := range after.Plan.Nodes() {
		used = used || n.Index == "advised"
	}
	if !used {
		t.Errorf("%s is not used:\n%s", create, strings.Join(after.Lines(), "\n"))
	}
	for _, again := range w.advisedFor(after) {
		if again.DDL == ddl[i].DDL {
			t.Errorf("it is advised again: %s", again.DDL)
		}
	}
}

func (w *world) explainWith(a advised) *Result {
	w.explainer.mu.Lock()
	w.explainer.advices = newAdviceBook()
	w.explainer.mu.Unlock()
	r := w.request(a.sql)
	r.Settings = append(r.Settings, pool.Setting{Name: "jit", Value: "off"}, pool.Setting{Name: "max_parallel_workers_per_gather", Value: "0"})
	for name, value := range a.settings {
		r.Settings = append(r.Settings, pool.Setting{Name: name, Value: value})
	}
	result := w.explainRequest(r)
	if result.Plan == nil {
		w.t.Fatalf("%s: %s", a.sql, result.Reason)
	}
	return result
}

// advisedFor returns the indexes that the last explanation has led to, refuted ones too.
func (w *world) advisedFor(*Result) (list []advice.Advice) {
	w.explainer.mu.Lock()
	defer w.explainer.mu.Unlock()
	for _, a := range w.explainer.advices.known {
		if a.Kind == advice.Index {
			list = append(list, a.Advice)
		}
	}
	return list
}

// A table that is large and in the order of a column gets a small index.
func TestBRINAdvice(t *testing.T) {
	w := newWorld(t, `CREATE TABLE log (at timestamp, line text); INSERT INTO log SELECT '2020-01-01'::timestamp + i * interval '1 s', repeat('x', 100) FROM generate_series(1, 50000) i; GRANT SELECT ON log TO app`)
	w.run(w.admin, "VACUUM ANALYZE log")
	r := w.explain("SELECT * FROM log WHERE at < '2020-01-01 00:10'")
	tables := tablesOf(t.Context(), w.admin, r.Plan)
	limits := advice.DefaultLimits()
	limits.BRINBytes = 1 << 20
	c := advice.Propose(r.Plan, tables, limits)
	if len(c) != 1 || c[0].DDL() != "CREATE INDEX CONCURRENTLY ON public.log USING brin (at);" {
		t.Fatalf("proposed: %+v", c)
	}
	w.run(w.admin, strings.ReplaceAll(c[0].DDL(), "CONCURRENTLY", "advised"))
	r = w.explain("SELECT * FROM log WHERE at < '2020-01-01 00:10'")
	used := false
	for n := range r.Plan.Nodes() {
		used = used || n.Index == "advised"
	}
	if !used {
		t.Errorf("it is not used:\n%s", strings.Join(r.Lines(), "\n"))
	}
}

// No index is advised that there is already, or that would help nobody.
func TestNoAdvice(t *testing.T) {
	w := newWorld(t, `CREATE TABLE most (a int, b bool, c int, d int); INSERT INTO most SELECT i % 2, true, i, i FROM generate_series(1, 30000) i; CREATE INDEX ON most (c);
		CREATE TABLE few (a int); INSERT INTO few SELECT generate_series(1, 100); GRANT SELECT ON ALL TABLES IN SCHEMA public TO app; ANALYZE`)
	for _, sql := range []string{
		"SELECT * FROM most WHERE a = 1", "SELECT * FROM most WHERE b", "SELECT * FROM most WHERE c = 5", "SELECT * FROM few WHERE a = 1",
		"SELECT * FROM most WHERE c > 5 OR a = 2", "SELECT * FROM most WHERE d = 5 OR a = 7", "SELECT * FROM most WHERE d + a = 5 OR d * a = 7", "SELECT count(*) FROM most",
	} {
		w.explain(sql)
	}
	if list := w.advisedFor(nil); len(list) > 0 {
		t.Errorf("advised: %+v", list)
	}
}

// Where HypoPG is installed, the planner is asked.
func TestVerified(t *testing.T) {
	w := newWorld(t, "CREATE TABLE big (a int, b int); INSERT INTO big SELECT i, i % 3 FROM generate_series(1, 50000) i; GRANT SELECT ON big TO app; ANALYZE big")
	if w.value("SELECT count(*) FROM pg_available_extensions WHERE name = 'hypopg'") == "0" {
		t.Skip("hypopg is not installed here")
	}
	w.explain("SELECT * FROM big WHERE a = 5")
	if list := w.explainer.Advice(); len(list) != 1 || list[0].State != advice.Unverified {
		t.Errorf("without the extension: %+v", list)
	}
	w.run(w.admin, "CREATE EXTENSION hypopg")
	r := w.explain("SELECT * FROM big WHERE a = 6")
	list := w.explainer.Advice()
	if len(list) != 1 || list[0].State != advice.Verified || list[0].CostAfter >= list[0].CostBefore/2 || list[0].CostBefore < 100 {
		t.Errorf("verified: %+v", list)
	}
	if !r.Plan.Analyzed {
		t.Errorf("it was not executed: %s", r.Reason)
	}
	if hidden := w.value("SELECT count(*) FROM hypopg()"); hidden != "0" {
		t.Errorf("%s hypothetical indexes are left", hidden)
	}
}

// A statement that gets another plan is told of.
func TestPlanFlip(t *testing.T) {
	w := newWorld(t, "CREATE TABLE flips (a int); INSERT INTO flips SELECT generate_series(1, 20000); GRANT SELECT ON flips TO app; ANALYZE flips")
	const sql = "SELECT * FROM flips WHERE a = 5"
	first := w.explain(sql)
	w.run(w.admin, "CREATE INDEX ON flips (a)")
	second := w.explain(sql)
	third := w.explain("SELECT * FROM flips WHERE a = 6")
	if first.Flipped || !second.Flipped || third.Flipped || first.Plan.ID == second.Plan.ID || second.Plan.ID != third.Plan.ID {
		t.Errorf("%v %s, %v %s, %v %s", first.Flipped, first.Plan.ID, second.Flipped, second.Plan.ID, third.Flipped, third.Plan.ID)
	}
	if !slices.ContainsFunc(w.explainer.Advice(), func(a advice.Advice) bool { return a.Kind == advice.PlanFlip }) {
		t.Error("nothing is said of it")
	}
	w.run(w.admin, "DROP INDEX flips_a_idx")
	w.explain(sql)
	often := func() bool {
		return slices.ContainsFunc(w.explainer.Advice(), func(a advice.Advice) bool {
			return a.Kind == advice.PlanFlip && strings.Contains(a.Why, "three times within an hour")
		})
	}
	if often() {
		t.Error("two changes are three")
	}
	cheaper, dearer := Change{w.database, "cheaper"}, Change{w.database, "dearer"}
	if c := w.explainer.Counts().Changes; len(c) != 2 || c[cheaper] != 1 || c[dearer] != 1 {
		t.Errorf("counted: %v", c)
	}
	w.run(w.admin, "CREATE INDEX ON flips (a)")
	w.explain(sql)
	if !often() {
		t.Error("it is not said that it goes to and fro")
	}
}

// When an index that was advised is there, what it has brought is told.
func TestAdopted(t *testing.T) {
	w := newWorld(t, "CREATE TABLE big (a int, b int); INSERT INTO big SELECT i, i % 3 FROM generate_series(1, 20000) i; GRANT SELECT ON big TO app; ANALYZE big")
	const sql = "SELECT * FROM big WHERE a = 5"
	sh := w.request(sql).Shape
	record := func(n int, d time.Duration) {
		for range n {
			w.table.Recorder(0).Record(&digest.Record{Shape: sh, Duration: int64(d), Backend: int64(d)})
		}
	}
	record(10, 100*time.Millisecond)
	w.explain(sql)
	w.explainer.revisit(t.Context(), w.links)
	if list := w.explainer.Advice(); len(list) != 1 || list[0].State == advice.Adopted || list[0].Saved != time.Second {
		t.Fatalf("before: %+v", list)
	}
	record(1000, 200*time.Millisecond)
	w.explainer.revisit(t.Context(), w.links) // it is still missing
	w.run(w.admin, "CREATE INDEX ON big (a)")
	record(5000, 10*time.Microsecond) // before that is seen
	w.explainer.revisit(t.Context(), w.links)
	record(3, time.Millisecond)
	list := w.explainer.Advice()
	if len(list) != 1 || list[0].State != advice.Adopted || list[0].Before < 180*time.Millisecond || list[0].After > 2*time.Millisecond || list[0].After < 900*time.Microsecond {
		t.Errorf("after: %+v", list)
	}
}

// What is known of a statement when the advice was made is what there is to compare with, if
// nobody has looked since.
func TestAdoptedAtOnce(t *testing.T) {
	w := newWorld(t, "CREATE TABLE big (a int, b int); INSERT INTO big SELECT i, i % 3 FROM generate_series(1, 20000) i; GRANT SELECT ON big TO app; ANALYZE big")
	const sql = "SELECT * FROM big WHERE a = 5"
	rec := digest.Record{Shape: w.request(sql).Shape, Duration: int64(100 * time.Millisecond)}
	w.table.Recorder(0).Record(&rec)
	w.explain(sql)
	w.run(w.admin, "CREATE INDEX ON big (a)")
	rec.Duration = int64(time.Millisecond)
	for range 100 {
		w.table.Recorder(0).Record(&rec)
	}
	w.explainer.revisit(t.Context(), w.links)
	if list := w.explainer.Advice(); len(list) != 1 || list[0].State != advice.Adopted || list[0].Before < 90*time.Millisecond || list[0].After != 0 {
		t.Errorf("%+v", list)
	}
}

// What is told of before and after is of one row, however the statement's values are sent.
func TestAdoptedOfTextAndParameters(t *testing.T) {
	w := newWorld(t, "CREATE TABLE big (a int, b int); INSERT INTO big SELECT i, i % 3 FROM generate_series(1, 20000) i; GRANT SELECT ON big TO app; ANALYZE big")
	literal := w.request("SELECT * FROM big WHERE a = 5").Shape
	var others []*digest.Shape
	for _, value := range []string{"$1", "'5'", "5.0"} {
		others = append(others, w.table.Recorder(0).Find(literal.Owner(), []byte("SELECT * FROM big WHERE a = "+value)))
	}
	record := func(sh *digest.Shape, n int, d time.Duration) {
		for range n {
			w.table.Recorder(0).Record(&digest.Record{Shape: sh, Duration: int64(d), Backend: int64(d)})
		}
	}
	for _, sh := range others {
		record(sh, 10, 100*time.Microsecond)
	}
	record(literal, 100, 100*time.Millisecond)
	w.explain("SELECT * FROM big WHERE a = 5")
	w.run(w.admin, "CREATE INDEX ON big (a)")
	w.explainer.revisit(t.Context(), w.links)
	record(literal, 10, time.Millisecond)
	record(others[0], 10, time.Millisecond)
	list := w.explainer.Advice()
	if len(list) != 1 || list[0].Before < 80*time.Millisecond || list[0].After > 2*time.Millisecond || list[0].After < 900*time.Microsecond {
		t.Errorf("%+v", list)
	}
}
