package rewrite

import (
	"errors"
	"slices"
	"unique"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/rewrite/catalog"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// Engine has the rules that are in force. It is never changed; any number of
// goroutines may use it.
type Engine struct {
	cfg       Config
	rules     []listed
	audiences []audience // of the rules that ask
}

// New makes the engine of a configuration.
func New(cfg Config) (*Engine, error) {
	e := &Engine{cfg: cfg}
	e.cfg.UserRules = slices.Clone(cfg.UserRules)
	if cfg.Mode == "" {
		e.cfg.Mode = ModeOff
	}
	var err error
	if e.rules, err = e.cfg.all(); err != nil {
		return nil, err
	}
	if err := e.gather(); err != nil {
		return nil, err
	}
	return e, e.cfg.check(e.rules)
}

// On reports whether anything is to be rewritten, or tried.
func (e *Engine) On() bool { return e != nil && e.cfg.Mode != ModeOff }

// Forced reports whether rules act whatever they cost.
func (e *Engine) Forced() bool { return e.cfg.Force }

// limit is how far a rule may go with the statements of a subject.
func (e *Engine) limit(rule *listed, of *Subject) State {
	most, user, database := e.cfg.Mode.state(), of.User, of.Database
	if rule.audience != 0 && of.Audience&rule.audience == 0 {
		return Off
	}
	u := rule.user
	if u != nil {
		own := Switch{Users: u.Users, Databases: u.Databases}
		if !own.matches(u.Name, user, database) {
			return Off
		}
	}
	for i := range e.cfg.Rules {
		if s := &e.cfg.Rules[i]; s.matches(rule.Name(), user, database) {
			return min(most, s.Mode.state())
		}
	}
	if u != nil {
		return min(most, u.Mode.state())
	}
	return most
}

// Subject is a statement with all that matters for what is made of it.
type Subject struct {
	Query // its Tree is filled in
	// Types are those of the parameters, as in Parse; 0 is unknown.
	Types []uint32
	// Settings are those of the session, in the order in which they are set.
	Settings []catalog.Setting
	// User and Database are as the client gives them.
	User, Database string
	// Audience says which rules are for the session.
	Audience Audience
	// Literals is set where other texts with the same pattern are to be rewritten by
	// the same plan.
	Literals bool
}

// chain is what some rules one after the other make of a statement.
type chain struct {
	query  Query
	rules  []*listed
	guards []*Guard
	// stopped is set when no further rule is to be tried on it.
	stopped bool
}

// Step is what came of one rule, for people.
type Step struct {
	Rule  string
	State State
	Text  string // with the rule; empty: it does not apply
	Ratio float64
	Why   string
}

// Plan finds out what is to be done with a statement's shape. An error means that
// PostgreSQL was not to be reached.
func (e *Engine) Plan(shape *Shape, s *Subject, ask Ask) (*Plan, error) {
	p, _, err := e.plan(shape, s, ask)
	return p, err
}

// Explain is Plan with what came of each rule, as if rewriting were on.
func (e *Engine) Explain(s *Subject, ask Ask) (*Plan, []Step, error) {
	if !e.On() {
		cfg := e.cfg
		cfg.Mode = ModeOn
		e = &Engine{cfg: cfg, rules: e.rules, audiences: e.audiences}
	}
	return e.plan(NewShape("", s.User, s.Database), s, ask)
}

func (e *Engine) plan(shape *Shape, s *Subject, ask Ask) (*Plan, []Step, error) {
	p := &Plan{subject: s}
	w := planning{Engine: e, shape: shape, subject: s, ask: ask, plan: p}
	why, err := w.begin()
	if err != nil {
		return nil, nil, err
	}
	if why != "" {
		shape.refuseAll(why)
		p.Why = why
	} else if err := w.run(); err != nil {
		return nil, nil, err
	}
	p.version = shape.Version()
	return p, w.steps, nil
}

// planning makes one plan.
type planning struct {
	*Engine
	shape   *Shape
	subject *Subject
	ask     Ask
	plan    *Plan

	barred                string // why only rules may touch it that are unsafe; empty: all may
	steady, canary, trial chain
	steps                 []Step
}

// begin reads the statement, and says why no rule may touch it.
func (w *planning) begin() (why string, err error) {
	s := w.subject
	tree, facts, ok := sqlparse.Tree(s.Text)
	if !ok {
		return "the parser does not understand it", nil
	}
	s.Tree = tree
	if s.Scope.Setting("pgjay.rewrite") == "off" {
		return "pgjay.rewrite is off", nil
	}
	if w.barred = Gate(&s.Query, facts); w.barred != "" && !w.unsafe() {
		return w.barred, nil
	}
	w.steady.query, w.canary.query, w.trial.query = s.Query, s.Query, s.Query
	return "", nil
}

// unsafe reports whether some rule does without the gate.
func (w *planning) unsafe() bool {
	return slices.ContainsFunc(w.rules, func(r listed) bool { return r.user != nil && r.user.Unsafe })
}

// run tries the rules, and makes the plan of those that apply.
func (w *planning) run() error {
	for i := range w.rules {
		if err := w.try(&w.rules[i]); err != nil {
			return err
		}
	}
	for _, of := range []struct {
		chain *chain
		to    **Variant
		more  int
	}{{&w.steady, &w.plan.steady, 0}, {&w.canary, &w.plan.canary, len(w.steady.rules)}, {&w.trial, &w.plan.trial, len(w.steady.rules)}} {
		if len(of.chain.rules) <= of.more {
			continue
		}
		v, err := w.variant(of.chain)
		if err != nil {
			return err
		}
		*of.to = v
	}
	return nil
}

// note says what came of a rule.
func (w *planning) note(rule *listed, step Step) {
	step.Rule = rule.Name()
	w.steps = append(w.steps, step)
}

func (w *planning) refuse(rule *listed, why string) {
	w.shape.refuse(rule.Name(), why)
	w.note(rule, Step{Why: why})
}

// try looks whether a rule applies, and asks its guard.
func (w *planning) try(rule *listed) error {
	limit := w.limit(rule, w.subject)
	if limit == Off {
		w.refuse(rule, "it is switched off")
		return nil
	}
	if w.steady.stopped && w.canary.stopped && w.trial.stopped {
		w.refuse(rule, "a rule before it is the last")
		return nil
	}
	if w.barred != "" && (rule.user == nil || !rule.user.Unsafe) {
		w.refuse(rule, w.barred)
		return nil
	}
	m := rule.Match(&w.steady.query)
	w.plan.Exact = w.plan.Exact || m.Literals
	if len(m.Edits) == 0 {
		w.refuse(rule, m.Why)
		return nil
	}
	next, err := splice(&w.steady.query, &m, rule)
	if err != nil {
		w.refuse(rule, err.Error())
		return nil
	}
	before, after, why, err := w.weighBoth(w.steady.query.Text, next.Text)
	if err != nil {
		return err
	}
	if why != "" {
		w.refuse(rule, why)
		return nil
	}
	ratio := max(before.cost, 0.01) / max(after.cost, 0.01)
	guard := w.shape.guard(rule.Name())
	guard.Admit(Terms{Limit: limit, Shadow: rule.shadow, Blind: rule.blind, Least: rule.least, Force: w.cfg.Force}, ratio)
	guard.noteForm(next.Text)
	state, sentence := guard.State()
	w.note(rule, Step{State: state, Text: next.Text, Ratio: ratio, Why: m.Why + "; " + sentence})
	w.add(rule, guard, state)
	return nil
}

// add applies a rule to the chains that its state puts it into.
func (w *planning) add(rule *listed, guard *Guard, state State) {
	chains := map[State][]*chain{On: {&w.steady, &w.canary, &w.trial}, Canary: {&w.canary, &w.trial}, Shadow: {&w.trial}}[state]
	for _, c := range chains {
		if c.stopped {
			continue
		}
		m := rule.Match(&c.query)
		if len(m.Edits) == 0 {
			continue
		}
		next, err := splice(&c.query, &m, rule)
		if err != nil {
			continue
		}
		c.query, c.rules, c.guards = next, append(c.rules, rule), append(c.guards, guard)
		c.stopped = rule.user != nil && rule.user.Stop
	}
}

// splice returns the statement that a match makes of another one.
func splice(q *Query, m *Match, rule *listed) (Query, error) {
	if rule.user != nil { // what is meant is the text
		return spliceText(q, m)
	}
	text, tree, err := Splice(q, m)
	return Query{Text: text, Tree: tree, Scope: q.Scope}, err
}

// weighBoth asks PostgreSQL about the statement before a rule and after it. why says in
// what they differ, or why one is refused.
func (w *planning) weighBoth(before, after string) (a, b weight, why string, err error) {
	if a, why, err = w.weigh(before); why != "" || err != nil {
		return a, b, why, err
	}
	if b, why, err = w.weigh(after); why != "" || err != nil {
		return a, b, why, err
	}
	return a, b, a.differs(&b), nil
}

func (w *planning) weigh(text string) (weight, string, error) {
	found, err := weigh(w.ask, w.subject, text)
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return found, "PostgreSQL does not plan it (" + refused.Code + ": " + refused.Message + ")", nil
	}
	return found, "", err
}

// variant makes what a chain's rules are used by.
func (w *planning) variant(c *chain) (*Variant, error) {
	was, is, why, err := w.weighBoth(w.subject.Text, c.query.Text)
	if err != nil || why != "" {
		return nil, err
	}
	v := &Variant{text: unique.Make(c.query.Text), guards: c.guards, origins: was.origins(&is), share: c.share()}
	v.template = w.template(c)
	w.plan.Exact = w.plan.Exact || v.template == nil
	return v, nil
}

// share says that one in so many statements is compared.
func (c *chain) share() uint64 {
	share := uint64(compareShare)
	for _, r := range c.rules {
		if r.user != nil && r.user.Limits.Compare > 0 {
			share = min(share, uint64(1/r.user.Limits.Compare))
		}
	}
	return share
}

// template finds what a chain's rules do to all texts with the pattern; nil if that is
// not to be told: then they are asked about each.
func (w *planning) template(c *chain) *template {
	probe, ok := probeOf(w.subject.Text)
	if !ok {
		return nil
	}
	tree, _, ok := sqlparse.Tree(probe)
	if !ok {
		return nil
	}
	q, pieces := Query{Text: probe, Tree: tree, Scope: w.subject.Scope}, whole(probe)
	for _, rule := range c.rules {
		m := rule.Match(&q)
		if len(m.Edits) == 0 || m.Literals {
			return nil
		}
		next, err := splice(&q, &m, rule)
		if err != nil {
			return nil
		}
		q, pieces = next, editPieces(pieces, m.Edits)
	}
	t := newTemplate(probe, pieces)
	if t == nil || !t.makes(w.subject.Text, &c.query) || !t.makes(probe, &q) {
		return nil
	}
	return t
}

// makes reports whether the template makes of a text what the rules made of it.
func (t *template) makes(text string, want *Query) bool {
	spans, ok := sqlparse.AppendSpans(nil, []byte(text))
	made, ok2 := t.appendText(nil, []byte(text), spans)
	if !ok || !ok2 {
		return false
	}
	tree, _, ok := sqlparse.Tree(string(made))
	return ok && Equal(tree, want.Tree)
}
