package plan

import (
	"cmp"
	"slices"
)

// Severity says how much a finding matters.
type Severity uint8

// The severities.
const (
	Low Severity = iota + 1
	Medium
	High
)

// String is a word for it.
func (s Severity) String() string { return [...]string{"", "low", "medium", "high"}[s] }

// Finding is something in a plan that makes it slow, or may.
type Finding struct {
	Check    string // its name, as in Checks
	Severity Severity
	Node     int     // Node.ID; 0: the whole plan
	Message  string  // what is so, with the numbers, in a sentence
	Hint     string  // what can be done
	Saved    float64 // ms that could be saved at most, as far as the plan tells
}

// Facts are what the findings need to know beside the plan. The zero value is nothing.
type Facts struct {
	Tables map[string]TableFacts // by Node.Table
}

// TableFacts is what the server's statistics say of a table.
type TableFacts struct {
	Rows     float64 // live ones
	Modified float64 // rows since the last ANALYZE
	// SinceAnalyze is how many days ago that was; below 0: never.
	SinceAnalyze float64
}

// check looks for one thing in a plan.
type check struct {
	name string
	find func(*finder)
}

// finder is one run of the checks.
type finder struct {
	*Plan
	Thresholds
	facts Facts
	check string
	found []Finding
}

// Find returns what the checks say of a plan, what matters most first.
func (p *Plan) Find(t Thresholds, facts Facts) []Finding {
	f := &finder{Plan: p, Thresholds: t, facts: facts}
	for _, c := range checks {
		f.check = c.name
		c.find(f)
	}
	slices.SortStableFunc(f.found, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), cmp.Compare(b.Saved, a.Saved))
	})
	return f.found
}

// Checks are the names of all checks, in order.
func Checks() (names []string) {
	for _, c := range checks {
		names = append(names, c.name)
	}
	return names
}

func (f *finder) add(n *Node, s Severity, saved float64, message, hint string) {
	id := 0
	if n != nil {
		id = n.ID
	}
	f.found = append(f.found, Finding{Check: f.check, Severity: s, Node: id, Message: message, Hint: hint, Saved: max(saved, 0)})
}

// graded returns how severe it is that a value is above these bounds; 0: it is below all.
func graded(value, low, medium, high float64) Severity {
	switch {
	case value > high:
		return High
	case value > medium:
		return Medium
	case value > low:
		return Low
	}
	return 0
}
