package explain

import (
	"fmt"
	"slices"
	"testing"

	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// It is certain of nothing that may be something else than a column of a relation.
func TestColumnsThatAreCertain(t *testing.T) {
	for sql, want := range map[string]string{
		"SELECT t.a FROM t": "[{t a}]",
		"SELECT x.a, x.b FROM s.t x JOIN u ON u.a = x.a":                        "[{t a} {t b} {u a}]",
		"SELECT t.a FROM t, LATERAL (SELECT t.a FROM u t) x":                    "[{t a} {u a}]",
		"SELECT t.a FROM (SELECT 1) t":                                          "[]",
		"SELECT t.a FROM t, LATERAL (SELECT 1) t":                               "[]",
		"SELECT t.a FROM t, generate_series(1, 2) t":                            "[]",
		"SELECT t.a FROM t, t()":                                                "[]",
		"SELECT t.a FROM t, current_date":                                       "[]",
		"WITH t AS (SELECT 1) SELECT t.a FROM t":                                "[]",
		"WITH t AS (SELECT 1) SELECT u.a FROM t u":                              "[]",
		"SELECT t.a FROM t JOIN u USING (id) AS t":                              "[]",
		"SELECT t.a FROM (u JOIN v USING (id)) AS t, t":                         "[]",
		"SELECT t.a FROM t AS t (b)":                                            "[]",
		"SELECT t.a, (t).a FROM t":                                              "[]",
		"SELECT t.a, (t.c).a, u.c FROM t":                                       "[]",
		"SELECT t.a, (t.*).a FROM t":                                            "[]",
		"SELECT s.t.a FROM s.t":                                                 "[]",
		"SELECT t.a, s.t.a FROM s.t":                                            "[]",
		"SELECT u.a FROM t":                                                     "[]",
		"SELECT t.a, u.a FROM t":                                                "[]",
		`SELECT t."ä" FROM t`:                                                   "[]",
		`SELECT "ä".a FROM "ä"`:                                                 "[]",
		"INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET b = excluded.a": "[]",
	} {
		f := sqlparse.NewStatement([]byte(sql)).Facts()
		certain, unsure := columns([]byte(sql), f.Parts[0].Attributes)
		if fmt.Sprint(certain) != want || len(certain) == 0 && !slices.Equal(unsure, f.Parts[0].Attributes) {
			t.Errorf("%s: %v, unsure %v", sql, certain, unsure)
		}
	}
}

// A name behind a dot is a column, and no call, where the catalog says so for certain.
func TestGateOfColumns(t *testing.T) {
	w := newWorld(t, `CREATE TABLE t (id int, status text); INSERT INTO t VALUES (1, 'x'); CREATE TABLE bare (id int); INSERT INTO bare VALUES (1);
		CREATE TYPE pair AS (a int, b int); CREATE TABLE pairs (id int, p pair); INSERT INTO pairs VALUES (1, (1, 2)); CREATE VIEW seen AS SELECT id, status FROM t;
		CREATE SCHEMA away; CREATE TABLE away.partly (id int); CREATE TABLE partly (id int, status text); GRANT ALL ON ALL TABLES IN SCHEMA public TO app;
		CREATE FUNCTION status(bare) RETURNS int LANGUAGE plpgsql VOLATILE AS $$ BEGIN RAISE 'called'; END $$;
		CREATE FUNCTION status(pair) RETURNS int LANGUAGE plpgsql VOLATILE AS $$ BEGIN RAISE 'called'; END $$;
		CREATE FUNCTION status(record) RETURNS int LANGUAGE plpgsql VOLATILE AS $$ BEGIN RAISE 'called'; END $$;
		CREATE FUNCTION status(partly) RETURNS int LANGUAGE plpgsql VOLATILE AS $$ BEGIN RAISE 'called'; END $$;
		CREATE FUNCTION id(pair) RETURNS int LANGUAGE plpgsql VOLATILE AS $$ BEGIN RAISE 'called'; END $$`)
	for _, sql := range []string{
		"SELECT t.status FROM t", "SELECT x.status FROM t AS x WHERE x.status <> 'y'", "SELECT x.status, bare.id FROM public.t x JOIN bare USING (id)",
		"SELECT (SELECT a.status) FROM t a, t b WHERE a.status = b.status", `SELECT "t"."status" FROM "t" TABLESAMPLE system (100)`,
		"SELECT id FROM t WHERE EXISTS (SELECT FROM bare b WHERE b.id = t.id AND t.status <> 'y')",
	} {
		w.executed(sql)
	}
	for _, sql := range []string{
		"SELECT bare.status FROM bare", "SELECT x.status FROM bare x", "SELECT t.status, bare.status FROM t, bare", "SELECT (p).status FROM pairs",
		"SELECT t.status FROM bare t", "SELECT t.status, (SELECT t.status FROM bare t) FROM t", "SELECT q.status FROM (SELECT 1) q", "SELECT t.status FROM (SELECT 1) t",
		"SELECT t.status, (p).status FROM t, pairs", "SELECT (pairs.p).status FROM pairs, t", "SELECT (p).id FROM pairs", "SELECT (t.*).status FROM (SELECT 1) t",
		"SELECT t.status FROM t AS t (id, other)", "WITH t AS (SELECT 1) SELECT t.status FROM t", "WITH u AS (SELECT 1) SELECT t.status FROM u t, LATERAL (SELECT t.status FROM t) x",
		"SELECT j.status FROM (t a JOIN bare b USING (id)) AS j", "SELECT j.status FROM t JOIN bare USING (id) AS j", "SELECT partly.status FROM partly",
		"SELECT f.status FROM generate_series(1, 2) f", "SELECT public.bare.status FROM bare, t", "SELECT count(*) FROM t LIMIT (SELECT b.status FROM bare b)",
		"SELECT status(bare) FROM bare, t WHERE t.status IS NULL", "SELECT t.status FROM nowhere t", "SELECT e.status FROM t",
	} {
		if r := w.explain(sql); r.Plan != nil && r.Plan.Analyzed || r.Reason == "" || r.Skip == SkipError && r.Plan != nil {
			t.Errorf("%s was executed: %s", sql, r.Reason)
		}
	}
	w.run(w.admin, "DROP TABLE away.partly")
	w.executed("SELECT partly.status FROM partly")
	w.run(w.admin, "ALTER TABLE partly DROP COLUMN status")
	w.expectReason(w.explain("SELECT partly.status FROM partly"), "status is volatile")
	w.expectReason(w.explain("SELECT seen.status FROM seen"), "is volatile") // as what a view says is read as words
}
