package rewrite

import (
	"strings"
	"testing"
)

func TestUserRules(t *testing.T) {
	w := newWorld(t, `CREATE TABLE t (id int PRIMARY KEY, n int, mail text NOT NULL, tags text[]); CREATE INDEX ON t USING gin (tags); CREATE INDEX ON t (n)`)
	exact := func(text, replace string) UserRule { return UserRule{Match: UserMatch{Exact: text}, Replace: replace} }
	template := func(text, replace string) UserRule {
		return UserRule{Match: UserMatch{Template: text}, Replace: replace}
	}
	pattern := func(text, replace string, require ...string) UserRule {
		return UserRule{Match: UserMatch{Pattern: text}, Replace: replace, Require: require}
	}
	regex := func(text, replace string) UserRule { return UserRule{Match: UserMatch{Regex: text}, Replace: replace} }
	for _, test := range []struct {
		rule       UserRule
		text, want string // same
		literals   bool
	}{
		{exact("SELECT n FROM t WHERE id = 3", "SELECT 1"), "select n /* x */ FROM  t where ID=3 ;", "SELECT 1 ;", true},
		{exact("SELECT n FROM t WHERE id = 3", "SELECT 1"), "SELECT n FROM t WHERE id = 4", sameText, true},
		{exact("SELECT n FROM t", "SELECT 1"), `SELECT "N" FROM t`, sameText, false},
		{exact("SELECT 'a' FROM t", "SELECT 1"), "SELECT 'A' FROM t", sameText, true},
		{template("SELECT n FROM t WHERE id = $1", "SELECT n FROM t x WHERE x.id = $1"), "SELECT n FROM t WHERE id = 4", "SELECT n FROM t x WHERE x.id = 4", false},
		{template("SELECT n FROM t WHERE id = $1", "SELECT n FROM t x WHERE x.id = $1"), "SELECT n FROM t WHERE id = $7", "SELECT n FROM t x WHERE x.id = $7", false},
		{template("SELECT n FROM t WHERE id = $1", "SELECT n FROM t x WHERE x.id = $1"), "SELECT n FROM t WHERE id = n", sameText, false},
		{template("SELECT n FROM t WHERE id = $1 OR n = $2", "SELECT n FROM t WHERE n = $2 OR id = $1 OR n = $2"), "SELECT n FROM t WHERE id = '$2' OR n = 1", "SELECT n FROM t WHERE n = 1 OR id = '$2' OR n = 1", false},
		{template("SELECT n FROM t WHERE id = $1 OR n = $1", "SELECT 1"), "SELECT n FROM t WHERE id = 1 OR n = 2", sameText, true},
		{template("SELECT n FROM t LIMIT 1", "SELECT 1"), "SELECT n FROM t LIMIT 2", sameText, true},
		{regex("^SELECT (.*) FROM t$", "SELECT $1 FROM public.t"), "SELECT n FROM t", "SELECT n FROM public.t", true},
		{regex("^SELECT 1$", "SELECT 2"), "SELECT n FROM t", sameText, true},
		{pattern("lower($c) = lower($x)", "$c = lower($x)"), "SELECT n FROM t WHERE n = 1 AND lower(mail) = lower('A' || 'b')", "SELECT n FROM t WHERE n = 1 AND (mail = lower(('A' || 'b')))", false},
		{pattern("lower($c) = lower($x)", "$c = lower($x)"), "SELECT n FROM t WHERE NOT (lower(mail) = lower('A'))", sameText, false},
		{pattern("lower($c) = lower($x)", "$c = lower($x)"), "SELECT lower(mail) = lower('A') FROM t", sameText, false},
		{pattern("$x = ANY ($a)", "$a OPERATOR(pg_catalog.@>) ARRAY[$x]", "index($a) = gin"), "SELECT n FROM t WHERE 'x' = ANY (tags)", "SELECT n FROM t WHERE (tags OPERATOR(pg_catalog.@>) ARRAY['x'])", false},
		{pattern("$x = ANY ($a)", "$a OPERATOR(pg_catalog.@>) ARRAY[$x]", "index($a) = gin"), "SELECT n FROM t WHERE 1 = ANY (ARRAY[n])", sameText, false},
		{pattern("$c + 0 = $x", "$c = $x", "type($c) = integer"), "SELECT n FROM t WHERE id + 0 = 3", "SELECT n FROM t WHERE (id = 3)", true},
		{pattern("$c + 0 = $x", "$c = $x", "type($c) = text"), "SELECT n FROM t WHERE id + 0 = 3", sameText, true},
		{pattern("$c IS NOT NULL", "true", "notnull($c)"), "SELECT n FROM t WHERE mail IS NOT NULL AND n IS NOT NULL", "SELECT n FROM t WHERE (true) AND n IS NOT NULL", false},
		{pattern("$c IS NOT NULL", "true", "notnull($c)"), "SELECT a.n FROM t a LEFT JOIN t b ON true WHERE b.mail IS NOT NULL", sameText, false},
		{pattern("$c::date = $x", "$c = $x", "setting(TimeZone) = UTC"), "SELECT n FROM t WHERE mail::date = $1", "SELECT n FROM t WHERE (mail = $1)", false},
		{pattern("$c::date = $x", "$c = $x", "setting(TimeZone) = PRC"), "SELECT n FROM t WHERE mail::date = $1", sameText, false},
		{pattern("$a = $b AND $a = $c", "$a IN ($b, $c)"), "SELECT n FROM t WHERE n = 1 AND n = 2", "SELECT n FROM t WHERE (n IN (1, 2))", true},
		{pattern("$a = $b AND $a = $c", "$a IN ($b, $c)"), "SELECT n FROM t WHERE n = 1 AND id = 2", sameText, true},
	} {
		test.rule.Name = "mine"
		made, err := test.rule.compile()
		if err != nil {
			t.Errorf("%+v: %v", test.rule.Match, err)
			continue
		}
		q, _ := w.query(test.text)
		m := made.Match(q)
		got := sameText
		if len(m.Edits) > 0 {
			if got, err = Apply(q.Text, m.Edits); err != nil {
				t.Error(err)
			}
		}
		if got != test.want || m.Literals != test.literals {
			t.Errorf("%+v\nmakes of %s\n%s (literals %v; %s), want\n%s", test.rule.Match, test.text, got, m.Literals, m.Why, test.want)
		}
	}
}

func TestUserRuleErrors(t *testing.T) {
	ok := UserMatch{Exact: "SELECT 1"}
	for _, test := range []struct {
		rule UserRule
		want string
	}{
		{UserRule{Name: "Mine", Match: ok, Replace: "x"}, "lower-case"},
		{UserRule{Name: "nulls_order", Match: ok, Replace: "x"}, "built-in"},
		{UserRule{Name: "mine", Mode: "soon", Match: ok, Replace: "x"}, "no mode"},
		{UserRule{Name: "mine", Replace: "x"}, "exactly one"},
		{UserRule{Name: "mine", Match: UserMatch{Exact: "SELECT 1", Regex: "x"}, Replace: "x"}, "exactly one"},
		{UserRule{Name: "mine", Match: ok}, "replace"},
		{UserRule{Name: "mine", Match: UserMatch{Template: "SELECT 'x"}, Replace: "x"}, "cannot be read"},
		{UserRule{Name: "mine", Match: UserMatch{Template: "SELECT $1"}, Replace: "SELECT $2"}, "the template has not"},
		{UserRule{Name: "mine", Match: UserMatch{Regex: "("}, Replace: "x"}, "missing closing"},
		{UserRule{Name: "mine", Match: UserMatch{Pattern: "$x +"}, Replace: "x"}, "as an expression"},
		{UserRule{Name: "mine", Match: UserMatch{Pattern: "$x, $y"}, Replace: "x"}, "not one expression"},
		{UserRule{Name: "mine", Match: UserMatch{Pattern: "$x"}, Replace: "x"}, "all expressions"},
		{UserRule{Name: "mine", Match: UserMatch{Pattern: "$x + 0"}, Replace: "$y"}, "the pattern has not"},
		{UserRule{Name: "mine", Match: UserMatch{Pattern: "$x + 0"}, Replace: "$x", Require: []string{"fast($x)"}}, "none of"},
		{UserRule{Name: "mine", Match: UserMatch{Pattern: "$x + 0"}, Replace: "$x", Require: []string{"type($x) = money"}}, "the types are"},
		{UserRule{Name: "mine", Match: ok, Replace: "x", Clients: []string{"10.0.0.0/33"}}, "no network"},
		{UserRule{Name: "mine", Match: ok, Replace: "x", Clients: []string{"localhost"}}, "no network"},
		{UserRule{Name: "mine", Match: ok, Replace: "x", Limits: UserLimits{Compare: 2}}, "from 0 to 1"},
		{UserRule{Name: "mine", Match: ok, Replace: "x", Limits: UserLimits{CostRatio: -1}}, "0 or more"},
		{UserRule{Name: "mine", Match: ok, Replace: "x", Require: []string{"notnull($x)"}}, "for patterns"},
	} {
		if _, err := New(Config{Mode: ModeOn, UserRules: []UserRule{test.rule}}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %v, want %q", test.rule, err, test.want)
		}
	}
	e, err := New(Config{UserRules: []UserRule{{Name: "mine", Match: UserMatch{Template: "SELECT n FROM t WHERE id = $1"}, Replace: "SELECT n FROM u WHERE id = $1", Tests: []UserTest{
		{"SELECT n FROM t WHERE id = 1", "select n from u where id=1"}, {"SELECT n FROM t", "same"},
		{"SELECT n FROM t WHERE id = 2", "same"}, {"SELECT n FROM t", "SELECT 1"}, {"SELECT (", "same"},
	}}}})
	if err != nil {
		t.Fatal(err)
	}
	if failed, ran := e.RunTests(); ran != 5 || len(failed) != 3 {
		t.Errorf("%d tests of %d fail: %q", len(failed), ran, failed)
	}
}
