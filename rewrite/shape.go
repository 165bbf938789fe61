package rewrite

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// Shape is what is remembered of the statements of one role that differ in literals
// only, beyond changes of the schema: how far each rule may go with them, and what was
// measured. Any number of goroutines may use it.
type Shape struct {
	name, user, database string

	changes  atomic.Uint64 // of the guards' states
	runs     atomic.Uint64
	original histogram

	mu      sync.Mutex
	guards  map[string]*Guard // guarded by mu; by rule
	refused map[string]string // guarded by mu; why a rule does not apply, by rule
}

// NewShape returns the shape of statements with this normalised text.
func NewShape(name, user, database string) *Shape {
	return &Shape{name: name, user: user, database: database, guards: map[string]*Guard{}, refused: map[string]string{}}
}

// Version changes with the states of the guards.
func (s *Shape) Version() uint64 { return s.changes.Load() }

// guard returns that of a rule.
func (s *Shape) guard(rule string) *Guard {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.guards[rule]
	if g == nil {
		g = &Guard{rule: rule, changes: &s.changes}
		s.guards[rule] = g
	}
	delete(s.refused, rule)
	return g
}

// refuse notes why a rule does not apply.
func (s *Shape) refuse(rule, why string) {
	s.mu.Lock()
	g := s.guards[rule]
	if g == nil {
		s.refused[rule] = why
	}
	s.mu.Unlock()
	if g != nil {
		g.Withdraw(why)
	}
}

// refuseAll notes why no rule applies.
func (s *Shape) refuseAll(why string) {
	s.mu.Lock()
	guards := make([]*Guard, 0, len(s.guards))
	for _, g := range s.guards {
		guards = append(guards, g)
	}
	s.mu.Unlock()
	for _, g := range guards {
		g.Withdraw(why)
	}
}

// Reset lets rules that have tripped begin again.
func (s *Shape) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.guards {
		g.Reset()
	}
}

// noteForm notes what the rule makes of a statement.
func (g *Guard) noteForm(text string) {
	form := ""
	if shape, ok := sqlparse.AppendShape(nil, []byte(text)); ok {
		form = sqlparse.ShapeText(shape)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.form = form
}

// Original notes how long a statement took that was not rewritten.
func (s *Shape) Original(ns int64) { s.original.add(ns) }

// Stat is what is known of one rule and one shape.
type Stat struct {
	Rule, Shape, User, Database string
	State                       State
	Used                        uint64
	SavedNS                     int64
	WasNS, IsNS                 int64   // the median times; 0: not known
	Ratio                       float64 // of PostgreSQL's costs, old to new; 0: not known
	Why                         string
	// Form is the statement as the rule makes it, without literals; empty: it is not certain
	// what these are.
	Form string
}

// Stats returns one for each rule that has applied.
func (s *Shape) Stats() (all []Stat) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.guards {
		g.mu.Lock()
		st := Stat{Rule: g.rule, Shape: s.name, User: s.user, Database: s.database, State: g.state, Ratio: g.ratio, Why: g.why, Form: g.form}
		g.mu.Unlock()
		st.Used, st.SavedNS, st.WasNS, st.IsNS = g.used.Load(), g.saved.Load(), s.original.median(), g.times.median()
		all = append(all, st)
	}
	slices.SortFunc(all, func(a, b Stat) int { return cmp.Compare(a.Rule, b.Rule) })
	return all
}
