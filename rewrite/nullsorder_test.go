package rewrite

import (
	"strings"
	"testing"
)

func TestNullsOrder(t *testing.T) {
	w := newWorld(t, `CREATE TABLE t (a int NOT NULL, b int, c int NOT NULL); CREATE TABLE u (x int NOT NULL, a int NOT NULL, y int)`)
	const same = ""
	for _, test := range []struct{ text, want, why string }{
		{"SELECT * FROM t ORDER BY a DESC NULLS LAST LIMIT 5", "SELECT * FROM t ORDER BY a DESC  LIMIT 5", "needs no NULLS LAST"},
		{"SELECT * FROM t ORDER BY t.a NULLS FIRST", "SELECT * FROM t ORDER BY t.a ", ""},
		{"SELECT * FROM t ORDER BY a ASC NULLS FIRST, b, c desc nulls last", "SELECT * FROM t ORDER BY a ASC , b, c desc ", ""},
		{`SELECT * FROM public.t "Q" ORDER BY "Q"."a" DESC NULLS LAST`, `SELECT * FROM public.t "Q" ORDER BY "Q"."a" DESC `, ""},
		{"SELECT a AS n FROM t ORDER BY n DESC NULLS LAST", "SELECT a AS n FROM t ORDER BY n DESC ", ""},
		{"SELECT count(*) FROM (SELECT 1 FROM t ORDER BY a DESC NULLS LAST LIMIT 3) x", "SELECT count(*) FROM (SELECT 1 FROM t ORDER BY a DESC  LIMIT 3) x", ""},
		{"SELECT t.b FROM t LEFT JOIN u ON u.x = t.a ORDER BY t.a DESC NULLS LAST", "SELECT t.b FROM t LEFT JOIN u ON u.x = t.a ORDER BY t.a DESC ", ""},
		{"SELECT a, count(*) FROM t GROUP BY a ORDER BY a DESC NULLS LAST", "SELECT a, count(*) FROM t GROUP BY a ORDER BY a DESC ", ""},
		// 1
		{"SELECT a FROM t UNION SELECT b FROM t ORDER BY a DESC NULLS LAST", same, "set operation"},
		{"SELECT a FROM t GROUP BY ROLLUP (a) ORDER BY a DESC NULLS LAST", same, "grouping sets"},
		// 2
		{"SELECT a FROM t ORDER BY a DESC NULLS FIRST", same, "no ORDER BY"},
		{"SELECT a FROM t ORDER BY a NULLS LAST", same, "no ORDER BY"},
		{"SELECT a FROM t ORDER BY a + 1 DESC NULLS LAST", same, "no ORDER BY"},
		{"SELECT b FROM t ORDER BY 1 DESC NULLS LAST", same, "no ORDER BY"},
		{"SELECT a FROM t ORDER BY a USING > NULLS LAST", same, "no ORDER BY"},
		// 3
		{"SELECT b AS a FROM t ORDER BY a DESC NULLS LAST", same, "may be NULL"},
		{"SELECT b + 1 AS a FROM t ORDER BY a DESC NULLS LAST", same, "output column"},
		{"SELECT b::a FROM t ORDER BY a DESC NULLS LAST", same, "output column"},
		{"SELECT * FROM t JOIN u USING (a) ORDER BY a DESC NULLS LAST", same, "not sure"},
		{"SELECT * FROM t, (SELECT NULL::int AS z) s ORDER BY z DESC NULLS LAST", same, "not sure"},
		{"SELECT * FROM t, LATERAL (SELECT 1 AS k) s ORDER BY s.k DESC NULLS LAST", same, "not sure"},
		{"WITH t AS (SELECT NULL::int AS a) SELECT * FROM t ORDER BY a DESC NULLS LAST", same, "not sure"},
		{"SELECT * FROM t AS q (b, a) ORDER BY q.a DESC NULLS LAST", same, "not sure"},
		{"SELECT * FROM (t JOIN u ON true) AS j ORDER BY c DESC NULLS LAST", same, "not sure"},
		// 4
		{"SELECT * FROM t LEFT JOIN u ON u.x = t.a ORDER BY u.x DESC NULLS LAST", same, "outer join"},
		{"SELECT * FROM t RIGHT JOIN u ON u.x = t.a ORDER BY t.a DESC NULLS LAST", same, "outer join"},
		{"SELECT * FROM t FULL JOIN u ON u.x = t.a ORDER BY t.c DESC NULLS LAST", same, "outer join"},
		{"SELECT * FROM u y LEFT JOIN (t JOIN u ON true) ON true ORDER BY t.c DESC NULLS LAST", same, "outer join"},
		// 5
		{"SELECT * FROM t ORDER BY b DESC NULLS LAST", same, "may be NULL"},
	} {
		got, why := w.rewritten(nullsOrder{}, test.text)
		want := test.want
		if want == same {
			want = test.text
		}
		if got != want || !strings.Contains(why, test.why) {
			t.Errorf("%s\nbecomes %s\n   want %s (%s; want %q)", test.text, got, want, why, test.why)
		}
	}
}
