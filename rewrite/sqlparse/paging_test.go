package sqlparse

import "testing"

func TestReadPaging(t *testing.T) {
	for _, test := range []struct{ text, from, where, first, nulls, limit, offset string }{
		{"SELECT * FROM t ORDER BY k LIMIT 50 OFFSET 1000", "FROM t", "", "k", "", "50", "1000"},
		{"select * from t where a = 'x' -- why\n order by k desc nulls last, id offset 7 limit 5;", "from t", "a = 'x'", "k", "nulls last", "5", "7"},
		{"select a.limit, b as offset from a join b on a.x = b.x where (a.y or b.z) order by lower(a.n) collate \"C\" asc, 2 offset $2 rows fetch next $1 rows only",
			"from a join b on a.x = b.x", "(a.y or b.z)", "lower(a.n) collate \"C\"", "", "$1", "$2"},
		{"select * from t where a is distinct from 1 order by (k) limit 5 offset 6", "from t", "a is distinct from 1", "(k)", "", "5", "6"},
		{"select * from t order by k limit  '5'  offset  '6' ", "from t", "", "k", "", "'5'", "'6'"},
		{"select * from t order by nulls nulls first limit 5 offset 6", "from t", "", "nulls", "nulls first", "5", "6"},
		{`select * from t order by "k k" /* by */ limit 5 /* x */ offset 6 -- end`, "from t", "", `"k k"`, "", "5", "6"},
	} {
		p, ok := ReadPaging([]byte(test.text))
		if !ok {
			t.Errorf("%s: not read", test.text)
			continue
		}
		for _, s := range []struct {
			name string
			got  Span
			want string
		}{{"from", p.From, test.from}, {"where", p.Where, test.where}, {"first", p.First, test.first}, {"nulls", p.Nulls, test.nulls}, {"limit", p.Limit.Span, test.limit}, {"offset", p.Offset.Span, test.offset}} {
			if got := s.got.In(test.text); got != s.want {
				t.Errorf("%s: %s is %q, want %q", test.text, s.name, got, s.want)
			}
		}
	}
}

func TestReadPagingRefuses(t *testing.T) {
	for _, text := range []string{
		"select * from t limit 5 offset 6",
		"select * from t order by k limit 5",
		"select * from t order by k offset 5",
		"select * from t order by k limit 2.5 offset 6",
		"select * from t order by k limit '5 ' offset 6",
		"select * from t order by k limit '' offset 6",
		"select * from t order by k limit E'5' offset 6",
		"select * from t order by k limit '5' '6' offset 6",
		"select * from t order by k limit -5 offset 6",
		"select * from t order by k limit 5 offset -6",
		"select * from t order by k limit 5 offset 6 + 1",
		"select * from t order by k limit 5 offset null",
		"select * from t order by k limit all offset 6",
		"select * from t order by k limit (5) offset 6",
		"select * from t order by k limit 5 offset 6::bigint",
		"select * from t order by k offset 6 fetch first 5 rows with ties",
		"select * from t order by k limit 5 offset 6 for update",
		"select * from t order by k using < limit 5 offset 6",
		"select * from (select * from t order by k limit 5 offset 6) x",
		"select * from t order by k limit 5 offset 6; select 1",
		"select * from t order by k limit 1e1 offset 6",
		"select * from t order by k limit 5 offset 1_000",
	} {
		if p, ok := ReadPaging([]byte(text)); ok {
			t.Errorf("%s: %+v", text, p)
		}
	}
}
