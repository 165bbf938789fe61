package explain

import "testing"

// A cast between types of PostgreSQL's own that must be written counts where one is.
func TestGateOfCasts(t *testing.T) {
	w := newWorld(t, `CREATE TABLE t (id bigint, v text, doc jsonb); INSERT INTO t VALUES (1, 'x', '{}'); CREATE DOMAIN flag AS bool;
		CREATE FUNCTION lies(bigint) RETURNS bool LANGUAGE plpgsql VOLATILE AS $$ BEGIN RAISE 'called'; END $$; CREATE CAST (bigint AS bool) WITH FUNCTION lies(bigint);
		CREATE VIEW casting AS SELECT id::bool AS b FROM t; CREATE VIEW plain AS SELECT id FROM t;
		CREATE FUNCTION inside(bigint) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1 WHERE CAST($1 AS boolean)';
		CREATE FUNCTION named(bigint) RETURNS bool LANGUAGE plpgsql STABLE AS 'BEGIN RETURN cast($1 AS boolean); END';
		CREATE FUNCTION fine(bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT $1 + 1'; GRANT ALL ON ALL TABLES IN SCHEMA public TO app`)
	harmless := []string{"SELECT 1", "SELECT id FROM t WHERE v = 'x' AND id IN (1, 2)", "SELECT id FROM plain", "SELECT fine(id) FROM t", "SELECT count(*) FROM t WHERE doc @> '{}'"}
	for _, sql := range harmless {
		w.executed(sql)
	}
	for _, sql := range []string{
		"SELECT id::bool FROM t", "SELECT CAST(id AS boolean) FROM t", "SELECT id::flag FROM t", "SELECT ARRAY[id]::bool[] FROM t", "SELECT b FROM casting", "SELECT inside(id) FROM t", "SELECT named(id) FROM t",
		"SELECT id FROM t LIMIT CASE WHEN CAST((SELECT max(id) FROM t) AS bool) THEN 1 END",
	} {
		if r := w.explain(sql); r.Plan != nil && r.Plan.Analyzed || r.Skip == SkipError {
			t.Errorf("%s was executed: %s", sql, r.Reason)
		} else {
			w.expectReason(r, "lies is volatile")
		}
	}
	for _, context := range []string{"ASSIGNMENT", "IMPLICIT"} { // which nobody need write
		w.run(w.admin, "DROP VIEW casting; DROP CAST (bigint AS bool); CREATE CAST (bigint AS bool) WITH FUNCTION lies(bigint) AS "+context+"; CREATE VIEW casting AS SELECT id::bool AS b FROM t")
		for _, sql := range harmless {
			w.expectReason(w.explain(sql), "lies is volatile")
		}
	}
}
