package advice

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pgjay/pgjay/monitor/digest"
)

func TestConditions(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"(t.a = ?)", "1 a"},
		{"((t.a = ?) and (t.b >= ?::date))", "1 a, 2 b"},
		{"((t.a = ?) and ((t.b = ?) or (t.c = ?)))", "1 a"},
		{"((? = t.a) and (x.t = t.b) and (xt.a = ?))", "1 a, 1 b"},
		{"(t.a = t.b)", ""},
		{"((t.a is null) and (t.b is not null) and t.c and (not t.d) and (t.e is true))", "3 a, 4 b, 5 c, 6 d, 5 e"},
		{"((t.v)::text = ?::text)", "1 v"},
		{"((t.v)::numeric = ?)", ""},
		{"(lower(t.v) = ?::text)", "1 (lower(v))"},
		{"(random() < ?)", ""},
		{"(volatile(t.v) = ?)", ""},
		{`("Odd"."A b" = ?)`, ""},
		{`((t."A and b" = ?) and (t.c > ?))`, "1 A and b, 2 c"},
		{"(t.a = any (?::integer[]))", "1 a"},
		{"(t.v ~~ ?::text)", "7 v"},
		{"((t.tags @> ?::text[]) and (t.doc ? ?::text) and (t.w @@ ?::tsquery))", "8 tags, 10 doc, 11 w"},
		{"((t.doc ->> ?::text) = ?::text)", "1 (doc ->> ?::text)"},
		{"", ""},
		{"(((", ""},
	} {
		var got []string
		for _, p := range conditions(c.text, "t") {
			name := p.column
			if name == "" {
				name = "(" + p.expression + ")"
			}
			got = append(got, fmt.Sprint(p.op, " ", name))
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("%s: %s, not %s", c.text, strings.Join(got, ", "), c.want)
		}
	}
}

func TestWorse(t *testing.T) {
	use := func(name string, calls int, cell int) digest.PlanUse {
		u := digest.PlanUse{Plan: name, Calls: uint64(calls)}
		u.Histogram[cell] = uint32(calls)
		return u
	}
	slow, slower, bit := 60, 70, 61
	for _, c := range []struct {
		plans []digest.PlanUse
		want  bool
	}{
		{nil, false},
		{[]digest.PlanUse{use("a", 100, slow)}, false},
		{[]digest.PlanUse{use("a", 100, slow), use("b", 100, slower)}, true},
		{[]digest.PlanUse{use("a", 100, slow), use("b", 19, slower)}, false},
		{[]digest.PlanUse{use("a", 100, slow), use("b", 100, bit)}, false},
		{[]digest.PlanUse{use("a", 100, 4), use("b", 100, 14)}, false}, // microseconds
		{[]digest.PlanUse{use("a", 100, slower), use("b", 100, slow)}, false},
	} {
		if worse, why := Worse(c.plans); worse != c.want || worse != (why != "") {
			t.Errorf("%d plans: %v %s", len(c.plans), worse, why)
		}
	}
}

func TestOfStatements(t *testing.T) {
	stats := []digest.Stat{
		{ID: 1, Counts: digest.Counts{Calls: 100, Streaks: 5}},
		{ID: 2, Counts: digest.Counts{Calls: 100, Streaks: 5, SameStreaks: 4}},
		{ID: 3, Counts: digest.Counts{Calls: 2, Rows: 40_000, Total: time.Minute}},
		{ID: 4, Counts: digest.Counts{Calls: 100, Rows: 100, Streaks: 1}},
	}
	var got []string
	for _, a := range OfStatements(stats, DefaultThresholds()) {
		got = append(got, string(a.Kind))
	}
	if want := "n+1 repeated unbounded"; strings.Join(got, " ") != want {
		t.Errorf("%v, not %s", got, want)
	}
}
