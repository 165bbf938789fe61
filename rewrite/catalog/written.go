package catalog

import (
	"fmt"
	"maps"
	"slices"
)

// Written returns what a command on these relations may change: they, their
// partitions and what they are a part of, and all that foreign keys, rules and
// views lead to. opaque is not empty when that cannot be known; then it is the
// sentence that says why. A target that is nil is one that is not known.
//
// A command that is a set is all of its members. TRUNCATE is taken for one with
// CASCADE.
func (s *Snapshot) Written(cmd Command, targets ...*Relation) (oids []uint32, opaque string) {
	return s.WrittenColumns(cmd, nil, targets...)
}

// WrittenColumns is Written for an UPDATE of these columns only: it leaves out
// what foreign keys to other columns lead to. nil is any columns.
func (s *Snapshot) WrittenColumns(cmd Command, columns []string, targets ...*Relation) (oids []uint32, opaque string) {
	w := writing{s: s, seen: map[uint32]*seen{}}
	for _, r := range targets {
		if r == nil {
			w.refuse("it writes a relation that is not known")
			continue
		}
		w.add(r, step{cmd: cmd, columns: columns, way: direct})
	}
	for len(w.todo) > 0 {
		next := w.todo[0]
		w.todo = w.todo[1:]
		w.follow(next)
	}
	return slices.Sorted(maps.Keys(w.seen)), w.opaque
}

// Family adds to relations, as a probe of a transaction found them, those whose
// rows are theirs as well: partitions, children, and what they are parts of.
func (s *Snapshot) Family(oids []uint32) []uint32 {
	all := map[uint32]bool{}
	for _, oid := range oids {
		all[oid] = true
		if r := s.relations[oid]; r != nil {
			for _, other := range slices.Concat(s.family(r, true), s.family(r, false)) {
				all[other.OID] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// writing is one run of Written.
type writing struct {
	s      *Snapshot
	seen   map[uint32]*seen
	todo   []task
	opaque string
}

// way is how a command comes to a relation: named by a statement, a rule or a
// foreign key; down from a parent; up from a child.
type way uint8

const (
	direct way = iota
	down
	up
	ways
)

type step struct {
	cmd     Command
	columns []string // of an UPDATE; nil: any
	way     way
}

type task struct {
	r *Relation
	step
}

// seen is what has been followed of a relation, by the way.
type seen struct {
	cmd     [ways]Command         // with any columns
	columns [ways]map[string]bool // of UPDATE
}

// add has a step followed, unless that is known already.
func (w *writing) add(r *Relation, st step) {
	known := w.seen[r.OID]
	if known == nil {
		known = &seen{}
		w.seen[r.OID] = known
	}
	fresh := st.cmd &^ known.cmd[st.way]
	if fresh == 0 {
		return
	}
	if len(st.columns) == 0 {
		st.columns = nil
	}
	if fresh&Update != 0 && st.columns != nil {
		if !known.addColumns(st.way, st.columns) {
			fresh &^= Update
		}
		known.cmd[st.way] |= fresh &^ Update
	} else {
		known.cmd[st.way] |= fresh
	}
	if st.cmd = fresh; fresh != 0 {
		w.todo = append(w.todo, task{r, st})
	}
}

func (k *seen) addColumns(by way, columns []string) (added bool) {
	if k.columns[by] == nil {
		k.columns[by] = map[string]bool{}
	}
	before := len(k.columns[by])
	for _, c := range columns {
		k.columns[by][c] = true
	}
	return len(k.columns[by]) > before
}

func (w *writing) refuse(why string) {
	if w.opaque == "" {
		w.opaque = why
	}
}

// follow adds what a step leads to.
func (w *writing) follow(t task) {
	r := t.r
	switch {
	case r.system():
		w.refuse(fmt.Sprintf("%s is a system catalog", r))
	case r.Kind == ForeignTable:
		w.refuse(fmt.Sprintf("%s is a foreign table", r))
	case w.s.casts != "":
		w.refuse(w.s.casts)
	}
	if t.way != up && moves(t) {
		t.cmd |= Delete | Insert
	}
	if t.way != up || r.Kind == Partitioned {
		w.hazards(t)
		w.foreignKeys(t)
	}
	w.relatives(t)
	if t.way == direct {
		w.rules(t)
	}
}

// moves reports whether an UPDATE may move rows to other partitions. That is a
// DELETE and an INSERT: their triggers fire, and before PostgreSQL 15 foreign
// keys did what they do on DELETE.
func moves(t task) bool {
	if t.cmd&Update == 0 || t.r.Kind != Partitioned {
		return false
	}
	for _, name := range t.r.names(t.r.PartitionKey) {
		if slices.Contains(t.columns, name) {
			return true
		}
	}
	return t.columns == nil || slices.Contains(t.r.PartitionKey, 0)
}

func (w *writing) hazards(t task) {
	for _, h := range t.r.hazards {
		if h.on&t.cmd != 0 {
			w.refuse(h.why)
		}
	}
}

// relatives goes to partitions and children, and to what r is a part of. Rows
// that are inserted into a table stay in it, whatever children it has.
func (w *writing) relatives(t task) {
	if t.way != down {
		for _, oid := range t.r.Parents {
			w.reach(oid, step{t.cmd, t.columns, up})
		}
	}
	cmd := t.cmd
	if t.r.Kind == Table {
		cmd &^= Insert
	}
	if t.way != up && cmd != 0 {
		for _, oid := range t.r.Children {
			w.reach(oid, step{cmd, t.columns, down})
		}
	}
}

func (w *writing) reach(oid uint32, st step) {
	if r := w.s.relations[oid]; r != nil {
		w.add(r, st)
	} else {
		w.refuse("it writes a relation that is not known")
	}
}

// rules follows rewrite rules, and the query of a view.
func (w *writing) rules(t task) {
	for i := range t.r.Rules {
		rule := &t.r.Rules[i]
		if rule.On&t.cmd == 0 || rule.Enabled == 'D' {
			continue
		}
		for _, oid := range rule.Relations {
			w.reach(oid, step{cmd: rule.Commands, way: direct})
		}
	}
	if t.r.Kind == View {
		for _, oid := range t.r.Bases {
			w.reach(oid, step{cmd: t.cmd, way: direct})
		}
	}
}

// foreignKeys follows the actions of foreign keys to r.
func (w *writing) foreignKeys(t task) {
	for _, k := range t.r.ForeignKeys {
		if k.To != t.r.OID {
			continue
		}
		if t.cmd&Truncate != 0 {
			w.reach(k.From, step{cmd: Truncate, way: direct})
		}
		if t.cmd&Delete != 0 {
			w.act(k, k.OnDelete, Delete)
		}
		if t.cmd&Update != 0 && w.touches(t, k) {
			w.act(k, k.OnUpdate, Update)
		}
	}
}

// act follows one action. SET DEFAULT computes defaults, which is a hazard of
// every UPDATE.
func (w *writing) act(k *ForeignKey, action byte, cmd Command) {
	switch action {
	case SetNull, SetDefault:
		cmd = Update
	case Cascade:
	default:
		return
	}
	from := w.s.relations[k.From]
	w.add(from, step{cmd, from.names(k.FromColumns), direct})
}

// touches reports whether an UPDATE may change a column that k refers to. What
// is generated may always be.
func (w *writing) touches(t task, k *ForeignKey) bool {
	if t.columns == nil {
		return true
	}
	for _, name := range t.r.names(k.ToColumns) {
		if c := t.r.Column(name); c.Generated != 0 || slices.Contains(t.columns, name) {
			return true
		}
	}
	return false
}
