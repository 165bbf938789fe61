package plan

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// parse reads a plan that a test writes.
func parse(t *testing.T, text string) *Plan {
	t.Helper()
	p, err := Parse([]byte(`[{"Plan": ` + text + `, "Execution Time": 5}]`))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func scan(table, more string) string {
	return `{"Node Type": "Seq Scan", "Schema": "s", "Relation Name": "` + table + `"` + more + `}`
}

// What a plan is called depends on what is done, not on how it came out.
func TestFingerprint(t *testing.T) {
	base := parse(t, scan("a", `, "Filter": "(x = 5)"`)).ID
	for _, same := range []string{`, "Filter": "(x = 7)", "Total Cost": 5, "Actual Rows": 7.5`, `, "Filter": "(x = 5)", "Workers Launched": 3`} {
		if parse(t, scan("a", same)).ID != base {
			t.Errorf("%s makes another plan", same)
		}
	}
	for _, other := range []string{scan("b", `, "Filter": "(x = 5)"`), scan("a", `, "Filter": "(y = 5)"`), scan("a", ""), `{"Node Type": "Sort", "Plans": [` + scan("a", `, "Filter": "(x = 5)"`) + `]}`} {
		if parse(t, other).ID == base {
			t.Errorf("%s is the same plan", other)
		}
	}
	partitions := func(n int) string {
		var list []string
		for i := range n {
			list = append(list, scan(fmt.Sprintf("log_p2020_%02d", i), ""))
		}
		return parse(t, `{"Node Type": "Append", "Plans": [`+strings.Join(list, ",")+`]}`).ID
	}
	if partitions(3) != partitions(12) {
		t.Error("other partitions make another plan")
	}
	began := time.Now()
	partitions(20_000)
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("many partitions take %v", took)
	}
}

func TestRedact(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"(a.v = 'secret'::text)", "(a.v = ?::text)"},
		{"((a.n > 47) AND (a.v ~~ '%secret%'::text))", "((a.n > ?) and (a.v ~~ ?::text))"},
		{`("A"."B c" = ANY ('{1,2}'::integer[]))`, `("A"."B c" = any (?::integer[]))`},
		{"(a.v = E'se\\\\cret')", "(a.v = ?)"},
		{"(a.v = 'secret)", notShown},
		{"$0", "$0"},
		{"", ""},
	} {
		if got := Redact(c.text); got != c.want {
			t.Errorf("%s: %s, not %s", c.text, got, c.want)
		}
	}
}

// No field of a step that has an expression keeps its literals.
func TestRedactsAllConditions(t *testing.T) {
	step := map[string]any{"Node Type": "Result"}
	fields := reflect.TypeFor[Conditions]()
	for i := range fields.NumField() {
		var value any = "(v = 'secret'::text)"
		if fields.Field(i).Type.Kind() == reflect.Slice {
			value = []any{value, value}
		}
		step[fields.Field(i).Tag.Get("json")] = value
	}
	text, err := json.Marshal([]any{map[string]any{"Plan": step}})
	if err != nil {
		t.Fatal(err)
	}
	p, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if kept := fmt.Sprintf("%+v", p.Root.Conditions); strings.Contains(kept, "secret") || strings.Count(kept, "v = ?") < fields.NumField() {
		t.Errorf("it keeps %s", kept)
	}
}

// What is no plan is an error, and nothing else.
func TestParseErrors(t *testing.T) {
	for _, text := range []string{"", "null", "[]", "{}", `[{}]`, `[{"Plan": 5}]`, `[{"Plan": {"Plans": [null]}}]`, `[{"Plan": {}}, {"Plan": {}}]`} {
		if p, err := Parse([]byte(text)); err == nil {
			t.Errorf("%s is a plan: %+v", text, p)
		}
	}
}

// What an InitPlan takes is counted once: it is executed by the node that asks for it, or
// by the Gather above that.
func TestTimesOfInitPlan(t *testing.T) {
	const (
		first = `{"Node Type": "Aggregate", "Parent Relationship": "InitPlan", "Subplan Name": "InitPlan 1 (returns $1)", "Actual Total Time": 80, "Actual Loops": 1}`
		scan  = `{"Node Type": "Seq Scan", "Relation Name": "a", "Parent Relationship": "Outer", "Filter": "(a.id > $1)", "Actual Total Time": %v, "Actual Loops": 1}`
	)
	for name, test := range map[string]struct {
		below string
		alone []float64 // of the root, the InitPlan and what is below
	}{
		"serial":   {fmt.Sprintf(scan, 140.0), []float64{10, 80, 60}},
		"parallel": {`{"Node Type": "Gather", "Parent Relationship": "Outer", "Workers Launched": 0, "Actual Total Time": 140, "Actual Loops": 1, "Plans": [` + fmt.Sprintf(scan, 5.0) + `]}`, []float64{10, 80, 55, 5}},
	} {
		p := parse(t, `{"Node Type": "Aggregate", "Actual Total Time": 150, "Actual Loops": 1, "Plans": [`+first+`, `+test.below+`]}`)
		var alone []float64
		for n := range p.Nodes() {
			alone = append(alone, n.Exclusive)
		}
		if !slices.Equal(alone, test.alone) {
			t.Errorf("%s: %v, want %v", name, alone, test.alone)
		}
	}
}

// In a parallel part times are those of processes that work at once.
func TestParallelTimes(t *testing.T) {
	p := parse(t, `{"Node Type": "Gather", "Workers Planned": 2, "Workers Launched": 2, "Actual Total Time": 100, "Actual Loops": 1, "Plans": [
		{"Node Type": "Seq Scan", "Relation Name": "a", "Parent Relationship": "Outer", "Actual Total Time": 90, "Actual Loops": 3}]}`)
	if top, below := p.Root.Exclusive, p.Root.Children[0].Exclusive; top != 10 || below != 90 {
		t.Errorf("%v and %v ms", top, below)
	}
	p = parse(t, `{"Node Type": "Nested Loop", "Actual Total Time": 100, "Actual Loops": 1, "Plans": [
		{"Node Type": "Index Scan", "Parent Relationship": "Inner", "Actual Total Time": 0.5, "Actual Loops": 100}]}`)
	if top, below := p.Root.Exclusive, p.Root.Children[0].Exclusive; top != 50 || below != 50 {
		t.Errorf("%v and %v ms", top, below)
	}
}

func TestChecks(t *testing.T) {
	if names := Checks(); len(names) != 26 {
		t.Errorf("there are %d checks", len(names))
	}
}
