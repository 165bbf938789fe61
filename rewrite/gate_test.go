package rewrite

import (
	"strings"
	"testing"

	pg_query "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/proto"
)

func TestGate(t *testing.T) {
	w := newWorld(t, gateSetup)
	for _, test := range []struct{ text, why string }{
		{"SELECT a FROM t ORDER BY a", ""},
		{"SELECT a FROM t JOIN u USING (a) WHERE b LIKE 'x%' AND t.a::text = $1 UNION SELECT mild(3)", ""},
		{"WITH x AS (SELECT now()) SELECT * FROM x, part, kept", ""},
		{"SELECT * FROM t, unnest(ARRAY[1]) n, ROWS FROM (generate_series(1, 2)) g", ""},
		{"SELECT 1; SELECT 2", "not one statement"},
		{"VALUES (1)", "only reads"},
		{"UPDATE t SET a = 1", "only reads"},
		{"EXPLAIN SELECT a FROM t", "only reads"},
		{"DECLARE c CURSOR FOR SELECT a FROM t", "only reads"},
		{"CREATE TABLE n AS SELECT a FROM t", "only reads"},
		{"COPY (SELECT a FROM t) TO STDOUT", "only reads"},
		{"PREPARE p AS SELECT a FROM t", "only reads"},
		{"WITH x AS (DELETE FROM t RETURNING a) SELECT a FROM x", "only reads"},
		{"SELECT a INTO n FROM t", "only reads"},
		{"SELECT a FROM t FOR UPDATE", "locks"},
		{"SELECT a FROM (SELECT a FROM t FOR SHARE SKIP LOCKED) x", "locks"},
		{"SELECT a FROM t TABLESAMPLE system (10)", "TABLESAMPLE"},
		{"SELECT random() FROM t", "volatile"},
		{"SELECT a FROM t WHERE a > (SELECT wild(1))", "wild"},
		{"SELECT a FROM t WHERE a <=!=> 1", "volatile"},
		{"SELECT t.of_row FROM t", "of_row"},
		{"SELECT x::odd FROM t", "odd"},
		{"SELECT nowhere.f(a) FROM t", "not known"},
		{"SELECT a, generate_series(1, 3) FROM t", "a set"},
		{"SELECT * FROM t, unnest(ARRAY[generate_series(1, 2)]) n", "a set"},
		{"SELECT a FROM nowhere", "not known"},
		{"SELECT a FROM seen", "not a table"},
		{"SELECT relname FROM pg_class", "PostgreSQL's own"},
		{"SELECT a FROM secret", "row security"},
		{"SELECT a FROM parent", "children"},
		{"SELECT a FROM heir", ""},
	} {
		q, facts := w.query(test.text)
		if why := Gate(q, facts); !strings.Contains(why, test.why) || (why == "") != (test.why == "") {
			t.Errorf("%s: %q, want %q", test.text, why, test.why)
		}
	}
	for name, value := range map[string]string{"standard_conforming_strings": "off", "client_encoding": "LATIN1"} {
		q, facts := w.query("SELECT a FROM t")
		known := q.Scope.Setting
		q.Scope.Setting = func(n string) string {
			if n == name {
				return value
			}
			return known(n)
		}
		if why := Gate(q, facts); !strings.Contains(why, name) {
			t.Errorf("with %s = %s: %q", name, value, why)
		}
	}
}

const gateSetup = `
	CREATE TABLE t (a int NOT NULL, b text); CREATE TABLE u (a int PRIMARY KEY);
	CREATE TABLE part (a int) PARTITION BY RANGE (a); CREATE TABLE part1 PARTITION OF part DEFAULT;
	CREATE TABLE parent (a int); CREATE TABLE heir () INHERITS (parent);
	CREATE VIEW seen AS SELECT * FROM t; CREATE MATERIALIZED VIEW kept AS SELECT * FROM t;
	CREATE TABLE secret (a int); ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
	CREATE FUNCTION wild(int) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT $1';
	CREATE FUNCTION wild(int, int) RETURNS boolean LANGUAGE sql VOLATILE AS 'SELECT $1 = $2';
	CREATE FUNCTION mild(int) RETURNS int LANGUAGE sql STABLE AS 'SELECT $1';
	CREATE FUNCTION of_row(t) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 1';
	CREATE DOMAIN odd AS int CHECK (wild(VALUE) > 0);
	CREATE OPERATOR <=!=> (LEFTARG = int, RIGHTARG = int, FUNCTION = wild)`

func TestSplice(t *testing.T) {
	w := &world{t: t}
	const text = "SELECT a, b FROM t /* keep */ ORDER BY a"
	q, _ := w.query(text)
	at := strings.Index(text, "b")
	meant := proto.Clone(q.Tree).(*pg_query.ParseResult)
	target := meant.Stmts[0].Stmt.GetSelectStmt().TargetList[1].GetResTarget().Val.GetColumnRef()
	target.Fields[0] = pg_query.MakeStrNode("longer")
	for name, test := range map[string]struct {
		m    Match
		want string
		err  error
	}{
		"right":              {Match{Edits: []Edit{{at, at + 1, "longer"}}, Tree: meant}, "SELECT a, longer FROM t /* keep */ ORDER BY a", nil},
		"not what is meant":  {Match{Edits: []Edit{{at, at + 1, "other"}}, Tree: meant}, "", errMeant},
		"nothing is meant":   {Match{Edits: []Edit{{at, at + 1, "longer"}}}, "", errMeant},
		"not SQL":            {Match{Edits: []Edit{{at, at + 1, "("}}, Tree: meant}, "", errUnparsed},
		"another statement":  {Match{Edits: []Edit{{at, at + 1, "longer FROM t; SELECT longer"}}, Tree: meant}, "", errMeant},
		"overlap":            {Match{Edits: []Edit{{at, at + 2, "x"}, {at + 1, at + 3, "y"}}, Tree: meant}, "", errEdits},
		"outside":            {Match{Edits: []Edit{{at, len(text) + 1, "x"}}, Tree: meant}, "", errEdits},
		"would kill parsers": {Match{Edits: []Edit{{at, at + 1, "1" + strings.Repeat("+1", 30000)}}, Tree: meant}, "", errUnparsed},
	} {
		if got, _, err := Splice(q, &test.m); got != test.want || err != test.err {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}
