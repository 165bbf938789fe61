package rewrite

import (
	"context"
	"net/netip"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// counted is a rule that has statements ask for another number.
func counted(name string, priority int, stop bool, from, to string) UserRule {
	return UserRule{Name: name, Mode: ModeOn, Priority: priority, Stop: stop, Match: UserMatch{Regex: `^SELECT n FROM t WHERE id = ` + from + `$`}, Replace: "SELECT n FROM t WHERE id = " + to}
}

// steps explains a statement, and returns what each rule of the configuration made of it.
func (w *world) explained(cfg Config, text string) (made map[string]Step) {
	w.t.Helper()
	e, err := New(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	s := &Subject{User: "u", Database: "d", Literals: true, Audience: 1}
	s.Text, s.Scope = text, w.scope
	_, steps, err := e.Explain(s, func(do func(context.Context, *pgconn.PgConn) error) error { return do(context.Background(), w.conn) })
	if err != nil {
		w.t.Fatal(err)
	}
	made = map[string]Step{}
	for _, step := range steps {
		made[step.Rule] = step
	}
	return made
}

func TestUserRuleOrder(t *testing.T) {
	w := newWorld(t, `CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t SELECT i, i FROM generate_series(1, 3000) i; ANALYZE t`)
	const text = "SELECT n FROM t WHERE id = 1"
	low, high, after := counted("low", 0, false, "1", "2"), counted("high", 5, true, "1", "3"), counted("after", 1, false, "3", "4")
	for name, test := range map[string]struct {
		rules []UserRule
		want  map[string]string // of the rules that apply
		why   map[string]string // of those that do not
	}{
		"in their order":   {[]UserRule{low, counted("next", 0, false, "2", "5")}, map[string]string{"low": "= 2", "next": "= 5"}, nil},
		"by priority":      {[]UserRule{low, counted("high", 5, false, "1", "3"), after}, map[string]string{"high": "= 3", "after": "= 4"}, map[string]string{"low": "not found"}},
		"stop":             {[]UserRule{low, high, after}, map[string]string{"high": "= 3"}, map[string]string{"after": "the last", "low": "the last"}},
		"stop, no match":   {[]UserRule{low, counted("high", 5, true, "7", "8")}, map[string]string{"low": "= 2"}, nil},
		"for its audience": {[]UserRule{audienceOf(low, "app"), audienceOf(counted("next", 0, false, "1", "9"), "other")}, map[string]string{"low": "= 2"}, map[string]string{"next": "switched off"}},
	} {
		t.Run(name, func(t *testing.T) {
			made := w.explained(Config{Mode: ModeOn, Force: true, UserRules: test.rules}, text)
			for rule, end := range test.want {
				if step := made[rule]; !strings.HasSuffix(step.Text, end) {
					t.Errorf("%s makes %q (%s), want ...%s", rule, step.Text, step.Why, end)
				}
			}
			for rule, why := range test.why {
				if step := made[rule]; step.Text != "" || !strings.Contains(step.Why, why) {
					t.Errorf("%s makes %q (%s), want nothing: %s", rule, step.Text, step.Why, why)
				}
			}
		})
	}
}

// A rule that is only compared does not keep others from acting.
func TestUserRuleStopInShadow(t *testing.T) {
	w := newWorld(t, `CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t SELECT i, i FROM generate_series(1, 3000) i; ANALYZE t`)
	shadow := counted("high", 5, true, "1", "3")
	shadow.Mode = ModeShadow
	made := w.explained(Config{Mode: ModeOn, Force: true, UserRules: []UserRule{shadow, counted("low", 0, false, "1", "2")}}, "SELECT n FROM t WHERE id = 1")
	if made["high"].State != Shadow || made["low"].Text == "" {
		t.Errorf("%+v", made)
	}
}

func audienceOf(r UserRule, application string) UserRule {
	r.Applications = []string{application}
	return r
}

func TestUserRuleCostRatio(t *testing.T) {
	w := newWorld(t, `CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t SELECT i, i FROM generate_series(1, 3000) i; ANALYZE t`)
	rule := UserRule{Name: "mine", Mode: ModeOn, Match: UserMatch{Exact: "SELECT n FROM t WHERE n = 1"}, Replace: "SELECT n FROM t WHERE id = 1"}
	for _, test := range []struct {
		ratio float64
		want  State
	}{{0, On}, {2, On}, {1e6, Off}} {
		rule.Limits.CostRatio = test.ratio
		if step := w.explained(Config{Mode: ModeOn, UserRules: []UserRule{rule}}, "SELECT n FROM t WHERE n = 1")["mine"]; step.State != test.want {
			t.Errorf("cost_ratio %v: %+v", test.ratio, step)
		}
	}
}

// limits.compare is how often both forms are run.
func TestUserRuleCompare(t *testing.T) {
	w := newWorld(t, `CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t SELECT i, i FROM generate_series(1, 3000) i; ANALYZE t`)
	rule := counted("mine", 0, false, "1", "2")
	for _, test := range []struct {
		compare float64
		least   int
		most    int
	}{{0, 3, 200}, {0.5, 1500, 1700}, {1, 3000, 3000}} {
		rule.Limits.Compare = test.compare
		e, err := New(Config{Mode: ModeOn, Force: true, UserRules: []UserRule{rule}})
		if err != nil {
			t.Fatal(err)
		}
		s := &Subject{User: "u", Database: "d", Literals: true}
		s.Text, s.Scope = "SELECT n FROM t WHERE id = 1", w.scope
		shape := NewShape("", "u", "d")
		plan, err := e.Plan(shape, s, func(do func(context.Context, *pgconn.PgConn) error) error { return do(context.Background(), w.conn) })
		if err != nil {
			t.Fatal(err)
		}
		compared := 0
		for range 3000 {
			if c := plan.Choose(shape, false, true); c.Compare != nil {
				c.Compare.Equal()
				compared++
			}
		}
		if compared < test.least || compared > test.most {
			t.Errorf("compare %v: %d of 3000 are compared", test.compare, compared)
		}
	}
}

func TestAudience(t *testing.T) {
	e, err := New(Config{UserRules: []UserRule{
		{Name: "all", Match: UserMatch{Exact: "SELECT 1"}, Replace: "SELECT 2"},
		{Name: "app", Match: UserMatch{Exact: "SELECT 1"}, Replace: "SELECT 2", Applications: []string{"a", "b"}},
		{Name: "net", Match: UserMatch{Exact: "SELECT 1"}, Replace: "SELECT 2", Clients: []string{"10.0.0.0/8", "::1"}},
		{Name: "both", Match: UserMatch{Exact: "SELECT 1"}, Replace: "SELECT 2", Clients: []string{"10.1.0.0/16"}, Applications: []string{"a"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		application, client string
		want                Audience
	}{
		{"a", "10.1.2.3", 0b111}, {"a", "10.2.2.3", 0b011}, {"c", "10.1.2.3", 0b010}, {"b", "::1", 0b011}, {"", "192.168.0.1", 0}, {"a", "", 0b001},
	} {
		client, _ := netip.ParseAddr(test.client)
		if got := e.Audience(test.application, client); got != test.want {
			t.Errorf("%s at %s: %b, want %b", test.application, test.client, got, test.want)
		}
		if n := testing.AllocsPerRun(100, func() { e.Audience(test.application, client) }); n != 0 {
			t.Errorf("%v allocations", n)
		}
	}
	if !e.AsksWho() {
		t.Error("nobody is asked for")
	}
}
