package catalog

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
)

// learns checks what a statement reads, with settings as name=value.
func (d *database) learns(s *Snapshot, text, want string, settings ...string) *Reading {
	d.t.Helper()
	q := Question{Text: text}
	for _, set := range settings {
		n, v, _ := strings.Cut(set, "=")
		q.Settings = append(q.Settings, Setting{n, v})
	}
	r, err := Learn(d.t.Context(), d.conn, q)
	if err != nil {
		d.t.Errorf("%s: %v", text, err)
		return &Reading{Columns: make([]ResultColumn, 9)}
	}
	if got := list(s, r.Relations); got != want {
		d.t.Errorf("%s reads %q, want %q", text, got, want)
	}
	d.isClean()
	return r
}

// isClean finds nothing of Learn on the connection.
func (d *database) isClean() {
	d.t.Helper()
	left := d.run(`SELECT name FROM pg_prepared_statements UNION ALL SELECT current_setting('search_path') || current_user ||
		current_setting('statement_timeout') || current_setting('plan_cache_mode')`)
	if want := `"$user", publicpostgres0auto`; len(left) != 1 || left[0] != want || d.conn.TxStatus() != 'I' {
		d.t.Errorf("on the connection is left %q, transaction status %c", left, d.conn.TxStatus())
	}
}

func TestTrap40Learn(t *testing.T) {
	d := newDatabase(t, `
		CREATE TABLE t (id int PRIMARY KEY, x int); CREATE TABLE u (id int PRIMARY KEY, t int REFERENCES t);
		CREATE VIEW v AS SELECT t.x FROM t JOIN u ON u.t = t.id; CREATE VIEW vv AS SELECT * FROM v;
		CREATE FUNCTION f() RETURNS SETOF int LANGUAGE sql STABLE AS 'SELECT id FROM u';
		CREATE FUNCTION folded() RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN (SELECT count(*) FROM u); END';
		CREATE TABLE root (id int, x int) PARTITION BY RANGE (id);
		CREATE TABLE p1 PARTITION OF root FOR VALUES FROM (0) TO (10); CREATE TABLE p2 PARTITION OF root FOR VALUES FROM (10) TO (20);
		CREATE INDEX ON root (id);
		CREATE TABLE allowed (name text); CREATE TABLE rows (id int); ALTER TABLE rows ENABLE ROW LEVEL SECURITY;
		CREATE POLICY p ON rows USING (EXISTS (SELECT FROM allowed WHERE name = current_user));
		CREATE ROLE ann; GRANT SELECT ON rows, allowed TO ann;
		CREATE SCHEMA app; CREATE TABLE app.t (id text)`)
	t.Cleanup(func() { d.run("DROP OWNED BY ann; DROP ROLE ann") })
	s := d.load()
	r := d.learns(s, "SELECT x, id AS nr, x + 1 FROM t WHERE id = $1", "t")
	if fmt.Sprint(r.Params) != "[23]" || len(r.Columns) != 3 || r.Columns[1] != (ResultColumn{"nr", 23, -1, rel(t, s, "t").OID, 1}) ||
		r.Columns[2].Table != 0 || fmt.Sprint(r.Path) != "[pg_catalog public]" {
		t.Errorf("%+v", r)
	}
	d.learns(s, "SELECT 1", "")
	d.learns(s, "SELECT * FROM vv", "t u v vv")
	d.learns(s, "SELECT * FROM t WHERE false", "t")
	d.learns(s, "SELECT * FROM f()", "u")
	d.learns(s, "SELECT folded()", "u")
	d.learns(s, "SELECT * FROM t WHERE id IN (SELECT t FROM u WHERE id = $1 AND $2::text IS NULL)", "t u")
	d.learns(s, "WITH x AS (SELECT * FROM u) SELECT 1 FROM x", "u")
	d.learns(s, "SELECT * FROM root WHERE id = $1", "p1 p2 root")
	d.learns(s, "SELECT * FROM root WHERE id = 3", "p1 root")
	d.learns(s, "SELECT relname FROM pg_class", "pg_catalog.pg_class")
	d.learns(s, "SELECT * FROM rows", "rows")
	d.learns(s, "SELECT * FROM rows", "allowed rows", "role=ann")
	r = d.learns(s, "SELECT id FROM t", "app.t", `search_path=nowhere, "$user", app, public`)
	if fmt.Sprint(r.Path) != "[pg_catalog app public]" || r.Columns[0].Type != 25 {
		t.Errorf("%+v", r)
	}
	d.learns(s, `SELECT 'a\' FROM t'`, "", "standard_conforming_strings=off")
	typed, err := Learn(t.Context(), d.conn, Question{Text: "SELECT $1", Types: []uint32{1184}})
	if err != nil || typed.Columns[0].Type != 1184 || fmt.Sprint(typed.Params) != "[1184]" {
		t.Errorf("%+v, %v", typed, err)
	}
}

// TestLearnFails leaves the connection as it was after each kind of failure.
func TestLearnFails(t *testing.T) {
	d := newDatabase(t, "CREATE TABLE t (x int); CREATE ROLE bob; CREATE FUNCTION slow() RETURNS int LANGUAGE plpgsql IMMUTABLE AS "+
		"'BEGIN PERFORM pg_sleep(60); RETURN 1; END'; "+
		"CREATE FUNCTION writes() RETURNS int LANGUAGE sql AS 'INSERT INTO t VALUES (1) RETURNING x'; "+
		"CREATE FUNCTION folded() RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN writes(); END'")
	t.Cleanup(func() { d.run("DROP ROLE bob") })
	for text, want := range map[string]string{
		"SELECT * FROM nothing": "42P01", "SELECT": "", "SELEC": "42601", "SELECT 1; SELECT 2": "42601", "SELECT slow()": "57014", "SELECT folded()": "25006",
		"INSERT INTO t VALUES (1)": "", "DELETE FROM t": "", "CREATE TABLE made ()": "", "COMMIT": "", "SELECT $1 + $2": "42725",
	} {
		_, err := Learn(t.Context(), d.conn, Question{Text: text})
		if want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
		d.isClean()
	}
	_, err := Learn(t.Context(), d.conn, Question{Text: "SELECT * FROM t", Settings: []Setting{{"role", "bob"}}})
	if err == nil || !strings.Contains(err.Error(), "42501") {
		t.Errorf("without rights: %v", err)
	}
	d.isClean()
	if got := d.run("SELECT count(*) FROM pg_class WHERE relname = 'made'"); got[0] != "0" {
		t.Error("what was learnt was done")
	}
	lost := d.connect("postgres")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := Learn(ctx, lost, Question{Text: "SELECT slow()"}); err == nil || !lost.IsClosed() {
		t.Errorf("given up: %v; closed: %v", err, lost.IsClosed())
	}
}
