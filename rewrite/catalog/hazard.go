package catalog

import "fmt"

// hazard is something that makes more of a command than a change of its
// relation, or of its answer more than what is in the relations.
type hazard struct {
	on  Command
	why string
}

// What an expression belongs to.
const (
	columnDefault = 'd' // of column number sub; generated columns too
	check         = 'k' // of a relation; so is what an index or a partition key computes
	policy        = 'p'
	view          = 'v'
	rule          = 'r' // number sub of the relation
	domainCheck   = 't' // of type owner; its default too
)

// expression is a stored expression or query.
type expression struct {
	kind  byte
	owner uint32
	sub   int16
	tree  *tree
}

// judgeRelations notes what the expressions and columns of relations do, when
// functions and types are known.
func (l *loader) judgeRelations() {
	for _, e := range l.expressions {
		if r := l.s.relations[e.owner]; r != nil && e.kind != domainCheck {
			l.judge(r, e)
		}
	}
	for _, r := range l.s.relations {
		for i := range r.Columns {
			reading, writer := l.ofColumn(r.Columns[i].Type, 0)
			r.add(remember, reading)
			r.add(Insert|Update, writer)
		}
		for i := range r.Triggers {
			l.judgeTrigger(r, &r.Triggers[i])
		}
	}
}

// add notes a hazard, if there is one and it is not known.
func (r *Relation) add(on Command, why string) {
	if why == "" {
		return
	}
	for i := range r.hazards {
		if r.hazards[i].why == why {
			r.hazards[i].on |= on
			return
		}
	}
	r.hazards = append(r.hazards, hazard{on, why})
}

func (l *loader) judge(r *Relation, e expression) {
	writes, impure := l.s.callsWriter(e.tree), ""
	on := Insert | Update
	switch e.kind {
	case columnDefault:
		c := r.number(e.sub)
		if c == nil {
			return
		}
		c.DefaultCalls = e.tree.functions
		if c.Generated == 'v' {
			on, impure = on|read, l.s.impure(e.tree)
		}
	case policy:
		on = written | read
	case view:
		r.Bases = others(e.tree.relations, r.OID)
		if r.Kind == MaterializedView {
			on = Refresh
			break
		}
		on, impure = written|read, l.s.impure(e.tree)
	case rule:
		on = 0
		l.judgeRule(r, e, writes)
	}
	if writes != "" {
		r.add(on, fmt.Sprintf("%s calls %s", r, writes))
	}
	if impure != "" {
		r.add(remember, fmt.Sprintf("%s: %s", r, impure))
	}
}

func (l *loader) judgeRule(r *Relation, e expression, writes string) {
	rule := &r.Rules[e.sub]
	rule.Relations = append(rule.Relations, e.tree.relations...)
	rule.Commands |= e.tree.commands
	rule.Notifies = rule.Notifies || e.tree.notifies
	if rule.Enabled == 'D' {
		return
	}
	if writes != "" {
		r.add(rule.On, fmt.Sprintf("rule %s on %s calls %s", rule.Name, r, writes))
	}
	if rule.Notifies {
		r.add(rule.On, fmt.Sprintf("rule %s on %s does a NOTIFY", rule.Name, r))
	}
}

func (l *loader) judgeTrigger(r *Relation, t *Trigger) {
	f := l.s.functions[t.Function]
	if t.Enabled == 'D' || f != nil && ownRow.has(f.name) && (f.builtin() || f.compiled()) {
		return
	}
	r.add(t.On, fmt.Sprintf("%s has trigger %s", r, t.Name))
}

// number returns the column with this number, or nil.
func (r *Relation) number(n int16) *Column {
	for i := range r.Columns {
		if r.Columns[i].Number == n {
			return &r.Columns[i]
		}
	}
	return nil
}

// others is list without one.
func others(list []uint32, one uint32) []uint32 {
	var all []uint32
	for _, oid := range list {
		if oid != one {
			all = append(all, oid)
		}
	}
	return all
}
