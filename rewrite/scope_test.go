package rewrite

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	pg_query "github.com/pganalyze/pg_query_go/v5"
)

const scopeSchema = `
	CREATE TABLE a (id int PRIMARY KEY, x int NOT NULL, y text, late int NOT NULL UNIQUE DEFERRABLE, n int UNIQUE);
	CREATE TABLE b (id int PRIMARY KEY, a_id int NOT NULL, z text);
	CREATE TABLE c (k int, z text);
	CREATE UNIQUE INDEX ON a (x) WHERE y = 'p'`

func (w *world) work(text string) *work {
	w.t.Helper()
	q, _ := w.query(text)
	made := begin(q)
	if made == nil {
		w.t.Fatalf("%s cannot be read", text)
	}
	return made
}

// TestLevels has for each query of a statement what it is for, its items with what is
// known of them, and whether they are inner.
func TestLevels(t *testing.T) {
	w := newWorld(t, scopeSchema)
	names := map[use]string{answer: "answer", scalar: "scalar", exists: "exists", member: "member", all: "all", derived: "derived", with: "with", arm: "arm"}
	for text, want := range map[string]string{
		"SELECT 1 FROM a": "answer a:a+",
		"SELECT 1 FROM a q LEFT JOIN b ON true JOIN c ON true":                                                                       "answer q:a+ b:b- c:c+",
		"SELECT 1 FROM a RIGHT JOIN b ON true FULL JOIN c ON true":                                                                   "answer a:a- b:b- c:c-",
		"SELECT 1 FROM a LEFT JOIN (b JOIN c ON true) ON true, c d":                                                                  "answer a:a+ b:b- c:c- d:c+",
		"SELECT 1 FROM a q(i, j), (SELECT 1) s, generate_series(1, 2) g":                                                             "answer q:?+ s:?+ g:?+; derived",
		"WITH a AS (SELECT 1 FROM a) SELECT 1 FROM a, public.a d":                                                                    "answer a:?+ d:a+; with a:a+",
		"WITH RECURSIVE a AS (SELECT 1 FROM a) SELECT 1":                                                                             "answer; with a:?+",
		"SELECT (SELECT 1 FROM b), ARRAY(SELECT 2 FROM c) FROM a WHERE EXISTS (SELECT 3) AND x IN (SELECT 4) AND y < ALL (SELECT 5)": "answer a:a+; scalar b:b+; scalar c:c+; exists; member; all",
		"SELECT 1 FROM a UNION SELECT 2 FROM b":                                                                                      "answer; arm a:a+; arm b:b+",
	} {
		var got []string
		for _, l := range w.work(text).found.levels {
			line := names[l.use]
			for _, i := range l.items {
				name := "?"
				if i.rel != nil {
					name = i.rel.Name
				}
				line += fmt.Sprintf(" %s:%s%s", i.alias, name, map[bool]string{true: "+", false: "-"}[i.inner])
			}
			got = append(got, line)
		}
		if all := strings.Join(got, "; "); all != want {
			t.Errorf("%s: %s, not %s", text, all, want)
		}
	}
}

// TestMentioned asks whether WHERE may refer to the last item of FROM.
func TestMentioned(t *testing.T) {
	w := newWorld(t, scopeSchema)
	for condition, want := range map[string]bool{
		"a.x = 1": false, "b.z = 'q'": true, "z = 'q'": true, "x = 1": false, "b IS NULL": true, "b.* IS NULL": true, "b.ctid IS NULL": true, "xmin IS NULL": true,
		"public.b.z = 'q'":                                     true,
		"EXISTS (SELECT 1 FROM c WHERE c.k = b.id)":            true,
		"EXISTS (SELECT 1 FROM c WHERE c.k = a.x)":             false,
		"EXISTS (SELECT 1 FROM b WHERE b.id = 1)":              false, // another b
		"EXISTS (SELECT 1 FROM c WHERE z = 'q')":               false, // that of c
		"EXISTS (SELECT 1 FROM c WHERE a_id = 1)":              true,
		"EXISTS (SELECT 1 FROM (SELECT 1 AS z) s WHERE z = 1)": true, // what s has is not known
		"(SELECT count(*) FROM c) > 1":                         false,
		"(SELECT count(c.*) FROM c) > 1":                       false,
	} {
		made := w.work("SELECT 1 FROM a, b WHERE " + condition)
		l := made.found.levels[0]
		if got := made.mentioned(l.items[1], l.query.WhereClause); got != want {
			t.Errorf("%s mentions b: %v", condition, got)
		}
	}
	made := w.work("SELECT 1 FROM a JOIN b USING (id) WHERE a.x = 1")
	if l := made.found.levels[0]; !made.mentioned(l.items[1], l.query.WhereClause) {
		t.Error("columns that USING merges are not noted")
	}
}

func TestColumn(t *testing.T) {
	w := newWorld(t, scopeSchema)
	for text, want := range map[string]string{
		"SELECT x FROM a": "a.x", "SELECT a.x FROM a": "a.x", "SELECT q.x FROM a q": "a.x", "SELECT a.nothing FROM a": "", "SELECT z FROM b, c": "", "SELECT x FROM a, b": "a.x",
		"SELECT x FROM a, (SELECT 1) s": "", "SELECT x FROM a JOIN b USING (id)": "", "SELECT x + 1 FROM a": "", "SELECT a.* FROM a": "", "SELECT public.a.x FROM a": "",
	} {
		l := w.work(text).found.levels[0]
		got := ""
		if i, c := l.column(l.query.TargetList[0].GetResTarget().Val); i != nil {
			got = i.rel.Name + "." + c.Name
		}
		if got != want {
			t.Errorf("%s: %q, not %q", text, got, want)
		}
	}
}

func TestPositive(t *testing.T) {
	w := newWorld(t, scopeSchema)
	for text, want := range map[string]string{
		"SELECT 1 FROM a WHERE x = 1 AND (x = 2 OR NOT x = 3)":                                 "1 2",
		"SELECT x = 1 FROM a JOIN b ON x = 2 GROUP BY 1 HAVING x = 3":                          "2 3",
		"SELECT count(*) FILTER (WHERE x = 1) FROM a WHERE (x = 2) IS NULL":                    "1",
		"SELECT 1 FROM a WHERE CASE WHEN x = 1 THEN x = 2 END AND EXISTS (SELECT WHERE x = 3)": "3",
	} {
		made := w.work(text)
		positive := made.positive()
		var got []string
		made.eachIn(func(_ *level, n *pg_query.Node) {
			if left, right := made.operation(n, "="); left != nil && positive[n] {
				got = append(got, fmt.Sprint(right.GetAConst().GetIval().GetIval()))
			}
		})
		slices.Sort(got)
		if all := strings.Join(got, " "); all != want {
			t.Errorf("%s: %s are positive, not %s", text, all, want)
		}
	}
}

func TestIsUnique(t *testing.T) {
	w := newWorld(t, scopeSchema)
	r := w.scope.Catalog.Resolve(w.scope.Path, []string{"a"})
	for columns, want := range map[string]bool{"id": true, "id x": true, "x": false, "late": false, "n": false, "": false} {
		if got := isUnique(r, strings.Fields(columns)); got != want {
			t.Errorf("%q is unique: %v", columns, got)
		}
	}
}
