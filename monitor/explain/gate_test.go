package explain

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/pool"
)

// dangers is a database in which much can go wrong.
const dangers = `
	CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT i, 'v' FROM generate_series(1, 100) i;
	CREATE TABLE touched (n int); CREATE SEQUENCE s; GRANT ALL ON ALL TABLES IN SCHEMA public TO app; GRANT ALL ON SEQUENCE s TO app;
	CREATE FUNCTION bump() RETURNS int LANGUAGE plpgsql VOLATILE AS $$ BEGIN PERFORM pg_advisory_lock(7); RETURN 1; END $$;
	CREATE FUNCTION attribute(t) RETURNS int LANGUAGE plpgsql VOLATILE AS $$ BEGIN RETURN bump(); END $$;
	CREATE FUNCTION lying(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM pg_advisory_lock(8); RETURN 1; END $$;
	CREATE FUNCTION counting() RETURNS int LANGUAGE plpgsql VOLATILE AS $$ BEGIN RETURN nextval('s'); END $$;
	CREATE FUNCTION lying_more(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN counting(); END $$;
	CREATE FUNCTION crosstab(text) RETURNS int LANGUAGE plpgsql STABLE AS $$ BEGIN EXECUTE $1; RETURN 1; END $$;
	CREATE VIEW hiding AS SELECT id, bump() AS b FROM t; GRANT ALL ON hiding TO app;
	CREATE VIEW hiding_limit AS SELECT id FROM t LIMIT bump(); CREATE VIEW hiding_more AS SELECT * FROM hiding_limit;
	CREATE VIEW hiding_values AS SELECT * FROM (VALUES (bump()), (2)) v(a);
	CREATE VIEW hiding_frame AS SELECT count(*) OVER (ORDER BY id ROWS bump() PRECEDING) FROM t;
	GRANT ALL ON hiding_limit, hiding_more, hiding_values, hiding_frame TO app;
	CREATE FUNCTION step(s int, x int) RETURNS int LANGUAGE plpgsql VOLATILE AS $$ BEGIN RETURN bump(); END $$;
	CREATE AGGREGATE hiding_sum(int) (SFUNC = step, STYPE = int, INITCOND = '0');
	CREATE FUNCTION stable_sql() RETURNS int LANGUAGE sql STABLE AS 'SELECT bump()';
	CREATE FUNCTION stable_body() RETURNS int LANGUAGE sql STABLE BEGIN ATOMIC SELECT count(*)::int FROM hiding_limit; END;
	CREATE FUNCTION stable_set() RETURNS SETOF hiding_limit LANGUAGE sql STABLE AS 'SELECT * FROM hiding_more';
	CREATE FUNCTION stable_wrapped() RETURNS int LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN stable_sql(); END $$;
	CREATE FUNCTION stable_made() RETURNS int LANGUAGE plpgsql STABLE AS $$ DECLARE r int; BEGIN EXECUTE 'SELECT ' || 'bu' || 'mp()' INTO r; RETURN r; END $$;
	CREATE FUNCTION stable_xml() RETURNS xml LANGUAGE sql STABLE AS 'SELECT table_to_xml(''hiding'', true, true, '''')';
	CREATE FUNCTION stable_fine() RETURNS int LANGUAGE sql STABLE AS 'SELECT max(id) FROM t';
	CREATE TABLE guarded_by_view (id int); INSERT INTO guarded_by_view VALUES (1); ALTER TABLE guarded_by_view ENABLE ROW LEVEL SECURITY;
	CREATE POLICY p ON guarded_by_view USING ((SELECT count(*) FROM hiding_limit) >= 0); GRANT ALL ON guarded_by_view TO app;
	CREATE TABLE guarded_more (id int); INSERT INTO guarded_more VALUES (1); ALTER TABLE guarded_more ENABLE ROW LEVEL SECURITY;
	CREATE POLICY p ON guarded_more USING (id IN (SELECT 1 LIMIT bump())); GRANT ALL ON guarded_more TO app;
	CREATE TABLE guarded (id int); INSERT INTO guarded VALUES (1); ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
	CREATE POLICY p ON guarded USING (bump() = id); GRANT ALL ON guarded TO app;
	CREATE PROCEDURE proc() LANGUAGE sql AS 'INSERT INTO touched VALUES (1)'`

// residue is all that a statement could have left.
const residue = `SELECT concat_ws(' ',
	(SELECT count(*) FROM pg_class), (SELECT count(*) FROM t), (SELECT count(*) FROM touched), (SELECT is_called FROM s),
	(SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'), (SELECT count(*) FROM pg_largeobject_metadata),
	(SELECT count(*) FROM pg_listening_channels()), (SELECT count(*) FROM pg_prepared_xacts))`

// The check of a domain is executed by whoever casts to it.
func TestGateOfDomains(t *testing.T) {
	w := newWorld(t, dangers+"; CREATE DOMAIN checked AS int CHECK (VALUE IS NULL OR bump() > 0)")
	before := w.value(residue)
	w.expectReason(w.explain("SELECT g::checked FROM generate_series(1, 1) g"), "bump is volatile")
	w.expectReason(w.explain("SELECT '1'::checked"), "bump is volatile") // which names nothing that could be looked up
	if now := w.value(residue); now != before {
		t.Errorf("it has left something: %s, before %s", now, before)
	}
}

// Nothing that does more than read is executed, and nothing of it stays.
func TestGates(t *testing.T) {
	w := newWorld(t, dangers)
	before := w.value(residue)
	for _, c := range []struct {
		sql, why string
		planned  bool
	}{
		{"CREATE TABLE made AS SELECT * FROM t", "no SELECT", false},
		{"CREATE MATERIALIZED VIEW made AS SELECT * FROM t", "no SELECT", false},
		{"SELECT * INTO made FROM t", "creates or changes made", true},
		{"SELECT id INTO TEMP made FROM t", "creates or changes made", true},
		{"INSERT INTO touched VALUES (1)", "no SELECT", true},
		{"UPDATE t SET v = 'x'", "no SELECT", true},
		{"DELETE FROM t", "no SELECT", true},
		{"MERGE INTO t USING touched ON t.id = touched.n WHEN NOT MATCHED THEN INSERT VALUES (n, 'x')", "no SELECT", true},
		{"WITH gone AS (DELETE FROM t RETURNING *) SELECT * FROM gone", "creates or changes t", true},
		{"SELECT * FROM (WITH x AS (SELECT 1) SELECT * FROM x) y, t FOR UPDATE OF t", "locks rows", true},
		{"SELECT * FROM t FOR SHARE", "locks rows", true},
		{"SELECT 1; DROP TABLE t", "not exactly one statement", false},
		{"EXPLAIN ANALYZE DELETE FROM t", "no SELECT", false},
		{"EXECUTE p", "no SELECT", false},
		{"CALL proc()", "no SELECT", false},
		{"COPY t TO STDOUT", "no SELECT", false},
		{"DECLARE c CURSOR WITH HOLD FOR SELECT * FROM t", "no SELECT", false},
		{"DO 'BEGIN INSERT INTO touched VALUES (1); END'", "no SELECT", false},
		{"SELECT nextval('s')", "nextval is volatile", true},
		{"SELECT setval('s', 10)", "setval is volatile", true},
		{"SELECT pg_advisory_lock(1)", "pg_advisory_lock is volatile", true},
		{"SELECT 1 FROM t WHERE pg_try_advisory_lock(id)", "pg_try_advisory_lock is volatile", true},
		{"SELECT pg_notify('c', 'x')", "pg_notify is volatile", true},
		{"SELECT lo_create(0)", "lo_create is volatile", true},
		{"SELECT set_config('work_mem', '1MB', false)", "set_config is volatile", true},
		{"SELECT pg_logical_emit_message(false, 'p', 'x')", "pg_logical_emit_message is volatile", true},
		{"SELECT pg_terminate_backend(pid) FROM pg_stat_activity", "pg_terminate_backend is volatile", true},
		{"SELECT pg_cancel_backend(pid) FROM pg_stat_activity", "pg_cancel_backend is volatile", true},
		{"SELECT txid_current()", "txid_current is volatile", true},
		{"SELECT pg_sleep(100)", "pg_sleep is volatile", true},
		{"SELECT query_to_xml('DELETE FROM t', false, false, '')", "query_to_xml executes what it is given", false},
		{"SELECT crosstab('SELECT pg_advisory_lock(9)')", "crosstab executes what it is given", false},
		{"SELECT * FROM pg_locks", "pg_lock_status is volatile", true},
		{"SELECT * FROM hiding", "bump is volatile", true},
		{"SELECT * FROM hiding_limit", "bump is volatile", true},
		{"SELECT * FROM hiding_more", "bump is volatile", true},
		{"SELECT * FROM hiding_values", "bump is volatile", true},
		{"SELECT * FROM hiding_frame", "bump is volatile", true},
		{"SELECT * FROM guarded_more", "bump is volatile", true},
		{"SELECT * FROM guarded_by_view", "bump is volatile", true},
		{"SELECT stable_sql() FROM t", "bump is volatile", false},
		{"SELECT stable_body() FROM t", "bump is volatile", false},
		{"SELECT * FROM stable_set()", "bump is volatile", false},
		{"SELECT stable_wrapped() FROM t", "bump is volatile", false},
		{"SELECT stable_made() FROM t", "makes statements up", false},
		{"SELECT id FROM t WHERE stable_xml() IS NOT NULL", "table_to_xml executes what it is given", false},
		{"SELECT id FROM t WHERE v = 'dblinkSECRET('", "functions of dblink", true},
		{"SELECT hiding_sum(id) FROM t", "step is volatile", true},
		{"SELECT schema_to_xml('public', true, true, '')", "schema_to_xml executes what it is given", false},
		{"SELECT table_to_xml_and_xmlschema('hiding', true, true, '')", "table_to_xml_and_xmlschema executes what it is given", false},
		{"SELECT * FROM guarded", "bump is volatile", true},
		{"SELECT (t).attribute FROM t", "attribute is volatile", true},
		{`SELECT "attribute"(t) FROM t`, "attribute is volatile", true},
	} {
		r := w.explain(c.sql)
		w.expectReason(r, c.why)
		if (r.Plan != nil) != c.planned {
			t.Errorf("%s: plan %v, reason %q", c.sql, r.Plan, r.Reason)
		}
		if after := w.value(residue); after != before {
			t.Fatalf("%s has left something: %s, not %s", c.sql, after, before)
		}
	}
}

// What is not to be known from a text is refused by what the server says.
func TestGatesOfThePlan(t *testing.T) {
	w := newWorld(t, dangers)
	w.run(w.admin, `CREATE FUNCTION noisy(int, int) RETURNS bool LANGUAGE plpgsql VOLATILE AS $$ BEGIN RETURN bump() = 1; END $$`)
	r := w.explain("SELECT 1 FROM t WHERE id = 1")
	if r.Reason != "" || !r.Plan.Analyzed {
		t.Fatalf("a plain SELECT was not executed: %q", r.Reason)
	}
	w.run(w.admin, `CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = noisy)`)
	w.expectReason(w.explain("SELECT 1 FROM t WHERE id === 1"), "noisy is volatile")
	w.run(w.admin, "DROP OPERATOR === (int, int)")
	if w.value("SELECT count(*) FROM pg_available_extensions WHERE name = 'file_fdw'") == "1" {
		w.run(w.admin, `CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
			CREATE FOREIGN TABLE far (a text) SERVER files OPTIONS (program 'false'); GRANT ALL ON far TO app`)
		w.expectReason(w.explain("SELECT * FROM far"), "may do more than read: Foreign Scan")
	}
}

// What cannot be harmless by its size is planned only.
func TestGatesOfSize(t *testing.T) {
	w := newWorld(t, dangers)
	slow := w.request("SELECT 1 FROM t WHERE id = 1")
	slow.Observed = 2 * w.cfg.MaxDuration
	w.expectReason(w.explainRequest(slow), "explain_max_duration")
	w.cfg.MaxCost = 1
	w.expectReason(w.explain("SELECT count(*) FROM t"), "explain_max_cost")
	w.cfg.MaxCost = 1e12
	w.cfg.Timeout = 150 * time.Millisecond
	endless := w.request("SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b")
	endless.Settings = []pool.Setting{{Name: "jit", Value: "off"}} // which takes long to load
	r := w.explainRequest(endless)
	w.expectReason(r, "it took too long (57014)")
	if r.Plan == nil {
		t.Errorf("the plan has not stayed: %s", r.Reason)
	}
}

func TestGatesOfCircumstances(t *testing.T) {
	w := newWorld(t, dangers)
	const sql = "SELECT 1 FROM t WHERE id = 1"
	w.cfg.Mode = Plan
	w.expectReason(w.explain(sql), "monitor.explain is plan")
	w.cfg.Mode = Analyze
	w.explainer.SetConnect(w.connect, func(pool.Key) bool { return true })
	w.expectReason(w.explain(sql), "busy")
	w.explainer.SetConnect(w.connect, nil)
	temporary := w.request(sql)
	temporary.Note = "its session has temporary objects"
	w.expectReason(w.explainRequest(temporary), "temporary")
	w.user = "postgres"
	w.expectReason(w.explain(sql), "superuser")
	w.cfg.Superuser = true
	if r := w.explain(sql); r.Reason != "" {
		t.Errorf("a superuser's statement was not executed: %s", r.Reason)
	}
	w.cfg.Superuser, w.user = false, "app"
	w.run(w.admin, "GRANT postgres TO app")
	as := w.request(sql)
	as.Settings = []pool.Setting{{Name: "role", Value: "postgres"}}
	w.expectReason(w.explainRequest(as), "superuser")
	w.run(w.admin, "REVOKE postgres FROM app")
}

// What volatile functions say that do nothing does not hinder.
func TestHarmlessFunctions(t *testing.T) {
	w := newWorld(t, dangers)
	if r := w.explain("SELECT random(), clock_timestamp(), now(), upper(v), count(*) OVER (), stable_fine() FROM t"); r.Reason != "" || !r.Plan.Analyzed {
		t.Errorf("it was not executed: %s", r.Reason)
	}
}

// A function that is not what it is declared to be leaves nothing all the same.
func TestNothingStays(t *testing.T) {
	w := newWorld(t, dangers)
	w.expectReason(w.explain("SELECT lying(id) FROM t"), "pg_advisory_lock is volatile")
	w.expectReason(w.explain("SELECT lying_more(id) FROM t"), "counting is volatile")
	for _, f := range []string{"pg_advisory_lock(bigint)", "pg_advisory_lock(int, int)", "nextval(regclass)", "counting()"} {
		w.run(w.admin, "ALTER FUNCTION "+f+" STABLE") // so that the gates let it through
	}
	before := w.value(residue)
	r := w.explain("SELECT lying(id) FROM t")
	if r.Reason != "" || !r.Plan.Analyzed {
		t.Fatalf("it was not executed: %s", r.Reason)
	}
	if after := w.value(residue); after != before {
		t.Errorf("it has left something: %s, not %s", after, before)
	}
	w.expectReason(w.explain("SELECT lying_more(id) FROM t"), "25006")
	if after := w.value(residue); after != before {
		t.Errorf("a sequence has moved: %s, not %s", after, before)
	}
	set := w.request("SELECT 1 FROM t")
	set.Settings = []pool.Setting{{Name: "work_mem", Value: "64kB"}}
	if r := w.explainRequest(set); r.Plan == nil || r.Plan.Settings["work_mem"] != "64kB" {
		t.Errorf("the client's settings were not in force: %v", r.Plan)
	}
	if r := w.explain("SELECT 2 FROM t"); r.Plan == nil || r.Plan.Settings["work_mem"] != "" {
		t.Errorf("settings have stayed: %v", r.Plan)
	}
}

// A temporary table is there for its session alone, and so is an uncommitted one.
func TestNotThere(t *testing.T) {
	w := newWorld(t, dangers)
	r := w.explain("SELECT * FROM gone WHERE a = 'secret'")
	if r.Plan != nil || !strings.Contains(r.Reason, "42P01") || strings.Contains(r.Reason, "secret") {
		t.Errorf("it is %v, %q", r.Plan, r.Reason)
	}
	r = w.explain("SELECT 'secret'::int")
	if r.Plan != nil || r.Reason != "PostgreSQL says 22P02" {
		t.Errorf("it is %v, %q", r.Plan, r.Reason)
	}
}

// What PostgreSQL says of a value is not told.
func TestRefusalHidesValues(t *testing.T) {
	w := newWorld(t, "CREATE TABLE plain (a int); CREATE FUNCTION tells(text) RETURNS text LANGUAGE plpgsql STABLE AS "+
		"$$ BEGIN RAISE insufficient_privilege USING MESSAGE = 'no access to ' || $1; END $$")
	for sql, reason := range map[string]string{
		"SELECT 'secret'::int":      "PostgreSQL says 22P02",
		"SELECT 'secret'::regclass": "something that it names is not there (42P01)",
		"SELECT 1 FROM generate_series(1, 2) AS n WHERE tells('secret') = 'x'": "it may not do that (42501)",
	} {
		if r := w.explain(sql); !strings.HasSuffix(r.Reason, reason) || strings.Contains(r.Reason, "secret") {
			t.Errorf("%s: %+v", sql, r)
		}
	}
}

// A lock is not waited for.
func TestLocked(t *testing.T) {
	w := newWorld(t, dangers)
	w.run(w.admin, "BEGIN; LOCK TABLE t")
	r := w.explain("SELECT * FROM t")
	w.run(w.admin, "ROLLBACK")
	if r.Plan != nil || !strings.Contains(r.Reason, "55P03") {
		t.Errorf("it is %v, %q", r.Plan, r.Reason)
	}
}

// Rights and row security are those of the client.
func TestIdentity(t *testing.T) {
	w := newWorld(t, `CREATE TABLE mine (id int, owner name); INSERT INTO mine VALUES (1, 'app'), (2, 'other'), (3, 'other');
		ALTER TABLE mine ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON mine USING (owner = current_user); GRANT SELECT ON mine TO app, other;
		CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.mine2 (id int); GRANT USAGE ON SCHEMA elsewhere TO app; GRANT SELECT ON elsewhere.mine2 TO app`)
	if r := w.explain("SELECT * FROM mine"); r.Plan == nil || r.Plan.Root.Rows != 1 {
		t.Errorf("app sees %+v, %s", r.Plan, r.Reason)
	}
	other := w.request("SELECT * FROM mine")
	other.Settings = []pool.Setting{{Name: "role", Value: "other"}}
	if r := w.explainRequest(other); r.Plan == nil || r.Plan.Root.Rows != 2 {
		t.Errorf("other sees %+v, %s", r.Plan, r.Reason)
	}
	path := w.request("SELECT * FROM mine2")
	path.Settings = []pool.Setting{{Name: "search_path", Value: "elsewhere"}}
	if r := w.explainRequest(path); r.Plan == nil || r.Plan.Root.Schema != "elsewhere" {
		t.Errorf("the path was not in force: %s", r.Reason)
	}
}

// Parameters are bound as the client has bound them.
func TestParameters(t *testing.T) {
	w := newWorld(t, dangers)
	r := w.request("SELECT * FROM t WHERE id = ANY ($1) AND v = $2 LIMIT $3", "{1,2,3}", "v", "10")
	r.Values[2] = nil
	if got := w.explainRequest(r); got.Plan == nil || got.Plan.Root.Rows != 3 {
		t.Errorf("text: %+v, %s", got.Plan, got.Reason)
	}
	b := w.request("SELECT * FROM t WHERE id > $1")
	b.Values, b.Formats, b.Types = [][]byte{{0, 0, 0, 90}}, []int16{1}, []uint32{23}
	if got := w.explainRequest(b); got.Plan == nil || got.Plan.Root.Rows != 10 {
		t.Errorf("binary: %+v, %s", got.Plan, got.Reason)
	}
}

// An error of our own ends nothing but the explanation.
func TestPanic(t *testing.T) {
	w := newWorld(t, dangers)
	w.explainer.SetConnect(func(context.Context, pool.Key) (*pgconn.PgConn, error) { panic("secret") }, nil)
	if r := w.explain("SELECT 1"); r.Plan != nil || !strings.Contains(r.Reason, "PgJay itself") {
		t.Errorf("it is %v, %q", r.Plan, r.Reason)
	}
	w.explainer.SetConnect(w.connect, nil)
	if r := w.explain("SELECT 1"); r.Plan == nil {
		t.Errorf("the next one: %q", r.Reason)
	}
}

// The slowest goes first, each shape once, and not too many in a minute.
func TestQueue(t *testing.T) {
	w := newWorld(t, "SELECT 1")
	q, now := newQueue(), time.Now()
	put := func(sql string, took time.Duration) bool {
		r := w.request(sql)
		r.Observed = took
		if q.skips(r.Shape.ID(), took, now) != "" {
			return false
		}
		q.put(r)
		return true
	}
	for i := range maxQueued {
		put("select a"+strings.Repeat("a", i), time.Duration(i+10)*time.Second)
	}
	if put("select b", time.Second) || !put("select c", time.Hour) || len(q.waiting) != maxQueued {
		t.Errorf("%d wait", len(q.waiting))
	}
	if put("select c", time.Minute) || !put("select c", 2*time.Hour) || len(q.waiting) != maxQueued {
		t.Error("a faster one takes the place of a slower one, or the other way round")
	}
	first, _ := q.take(now, 2)
	if put("select c", 4*time.Hour) {
		t.Error("it is queued again while it is being explained")
	}
	q.cool(first.Shape.ID(), now, 0)
	second, _ := q.take(now, 2)
	third, wait := q.take(now, 2)
	if first == nil || first.Observed != 2*time.Hour || second == nil || second.Observed >= first.Observed || third != nil || wait <= 0 || wait > 30*time.Second {
		t.Errorf("%v, %v, %v after %v", first, second, third, wait)
	}
	if third, _ = q.take(now.Add(wait), 2); third == nil {
		t.Error("nothing comes when it should")
	}
	q.cool(first.Shape.ID(), now, time.Minute)
	if put("select c", 3*time.Hour) {
		t.Error("it has not cooled down")
	}
	now = now.Add(2 * time.Minute)
	if !put("select c", 3*time.Hour) {
		t.Error("it has cooled down for ever")
	}
}
