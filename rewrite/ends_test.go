package rewrite

import (
	"strings"
	"testing"

	pg_query "github.com/pganalyze/pg_query_go/v5"
)

func parseSelect(t *testing.T, text string) *pg_query.SelectStmt {
	t.Helper()
	tree, err := pg_query.Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return tree.Stmts[0].Stmt.GetSelectStmt()
}

// TestEndsOfExpressions finds each expression, which is all of the text between
// "SELECT 0, " and ", 1": alone, and with parentheses around it.
func TestEndsOfExpressions(t *testing.T) {
	for _, text := range []string{
		"a", `a.b`, `"a""b".c.d`, "a + b", "- a", "-1", "NOT a", "a IS NULL", "a IS NOT DISTINCT FROM b", "1", "'x'", "E'a\\'b'", "$1", "$$a$$",
		"f(x)", "f(DISTINCT x)", "count(*)", "count(*) FILTER (WHERE a > 1)", "count(*) OVER (PARTITION BY b ORDER BY c)", "sum(x) OVER w",
		"percentile_cont(0.5) WITHIN GROUP (ORDER BY a)", "a::int", "a::numeric(10, 2)", "a::text[]", "a::timestamp with time zone", "CAST(a AS varchar(3))",
		"int '1'", "interval '1' day", "a[1]", "a[1:2].b", "(a).b", "(f(x)).*", "(a + b) * c", "a * (b + c)", "((a) + (b))",
		"ARRAY[1, 2]", "ARRAY(SELECT x FROM y)", "ROW(1, 2)", "(1, 2)", "CASE WHEN a THEN b ELSE c END", "coalesce(a, b)", "nullif(a, b)",
		"a IN (1, 2)", "a NOT IN (SELECT b FROM c WHERE d LIMIT 3)", "EXISTS (SELECT FROM t FOR UPDATE)", "(SELECT count(*) FROM t LIMIT ALL) > 0",
		"a = ANY (b)", "a > ALL (SELECT x FROM y)", "a BETWEEN 1 AND 2", "a LIKE 'x' ESCAPE '!'", "a COLLATE \"C\"", "a AT TIME ZONE 'utc'",
		"current_date", "extract(year FROM a)", "position('a' IN b)", "substring(a FROM 1 FOR 2)", "trim(both from a)", "a OPERATOR(pg_catalog.+) b",
		"a AND b OR NOT c", "a /* x */ -- y\n + /* z */ b", "'a'\n'b'", "@ a", "a ->> 'x'", "x.y.z.w", "xmlelement(name a, b)", "grouping(a)",
	} {
		for _, form := range []string{"%", "(%)", "((%))"} {
			query := "SELECT 0, " + strings.ReplaceAll(form, "%", text) + ", 1"
			node := parseSelect(t, query).TargetList[1].GetResTarget().Val
			got := newSource(query).expression(node)
			from := strings.Index(query, text)
			// Parentheses that are part of the expression may be in its beginning.
			if alone := query[got.from:got.to]; got.none() || alone != text && alone != "("+text+")" && "("+alone+")" != text {
				t.Errorf("%s: found %q at %d, not at %d", query, alone, got.from, from)
			}
		}
	}
}

func TestEndsOfItems(t *testing.T) {
	for _, text := range []string{
		"t", "s.t", "ONLY t", "t AS a", "t a", "t AS a (b, c)", `"T" "A"`, "(SELECT 1) s", "LATERAL (SELECT 1) s", "f(1)", "f(1) AS g(x)", "f(1) WITH ORDINALITY",
		"t JOIN u ON t.a = u.a", "t LEFT JOIN u USING (a, b)", "t CROSS JOIN u", "t NATURAL JOIN u", "(t JOIN u ON true) AS j",
		"t JOIN (u JOIN v ON u.a = v.a) ON t.a = u.a", "t TABLESAMPLE bernoulli (1)", "t LEFT JOIN u ON t.a = u.a AND u.b = 1 LEFT JOIN v ON true",
	} {
		query := "SELECT x FROM y, " + text + ", z WHERE a"
		node := parseSelect(t, query).FromClause[1]
		if got := newSource(query).item(node); query[got.from:got.to] != text {
			t.Errorf("%s: found %q", query, query[got.from:got.to])
		}
	}
}

func TestClauses(t *testing.T) {
	for text, want := range map[string]string{
		"SELECT a, b FROM t": "targets= a, b;from= t",
		"SELECT DISTINCT a FROM t WHERE x IS DISTINCT FROM y ORDER BY a LIMIT 1 OFFSET 2 FOR UPDATE": "targets= a;from= t;where= x IS DISTINCT FROM y;order= a;limit= 1 OFFSET 2;for= UPDATE",
		"SELECT (SELECT a FROM b WHERE c) AS from FROM t GROUP BY a HAVING x WINDOW w AS (ORDER BY z)": "targets= (SELECT a FROM b WHERE c) AS from;from= t;" +
			"group= a;having= x;window= w AS (ORDER BY z)",
		"SELECT ((a)), extract(year FROM b) FROM t;":                              "targets= ((a)), extract(year FROM b);from= t",
		"WITH c AS (SELECT x FROM y) SELECT a FROM c":                             "targets= a;from= c",
		"SELECT FROM t OFFSET 1 LIMIT 2":                                          "targets=;from= t;limit= 1 LIMIT 2",
		"SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY a) FROM t GROUP BY b": "targets= percentile_cont(0.5) WITHIN GROUP (ORDER BY a);from= t;group= b",
		"SELECT t.from, t.where FROM t FETCH FIRST 3 ROWS ONLY":                   "targets= t.from, t.where;from= t;limit= FIRST 3 ROWS ONLY",
	} {
		c := newSource(text).clauses(parseSelect(t, text))
		var got []string
		for _, name := range []string{"targets", "from", "where", "group", "having", "window", "order", "limit", "for"} {
			if at, there := c.body[name]; there {
				to := at.to
				if name == "limit" {
					to = c.whole[name].to
				}
				got = append(got, name+"="+text[at.from:to])
			}
		}
		if all := strings.Join(got, ";"); all != want {
			t.Errorf("%s:\n%s, not\n%s", text, all, want)
		}
	}
}

// TestClausesOfArms finds each SELECT of several.
func TestClausesOfArms(t *testing.T) {
	const text = "SELECT a FROM b UNION (SELECT c FROM d WHERE e IN (SELECT f FROM g)) ORDER BY 1"
	tree := parseSelect(t, text)
	in := tree.Rarg.WhereClause.GetSubLink().Subselect.GetSelectStmt()
	for query, want := range map[*pg_query.SelectStmt]string{
		tree.Larg: "SELECT a FROM b", tree.Rarg: "SELECT c FROM d WHERE e IN (SELECT f FROM g)", in: "SELECT f FROM g",
	} {
		if c := newSource(text).clauses(query); text[c.all.from:c.all.to] != want {
			t.Errorf("found %q, not %q", text[c.all.from:c.all.to], want)
		}
	}
}
