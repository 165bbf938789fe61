package catalog

import (
	"fmt"
	"strings"
)

// What is done with the rows of the queries, in their order.

func (l *loader) database(r row) { l.s.Database, l.s.OID = string(r[0]), r.oid(1) }

func (l *loader) namespace(r row) { l.addSchema(r.oid(0), l.text(r[1])) }

func (l *loader) function(r row) {
	f := &function{oid: r.oid(0), schema: l.schema(r.oid(1)), name: l.text(r[2]), volatile: r.char(3),
		language: l.text(r[4]), arguments: l.oidList(r[5]), row: r.bool(6), ofRange: r.bool(7), set: r.bool(8), aggregate: r.bool(9)}
	l.s.functions[f.oid] = f
	f.schema.functions[f.name] = append(f.schema.functions[f.name], f)
}

func (l *loader) member(r row) { l.members[r.oid(0)] = l.text(r[1]) }

func (l *loader) aggregate(r row) {
	if f := l.s.functions[r.oid(0)]; f != nil {
		f.parts = others(oids(r[1]), 0)
	}
}

func (l *loader) body(r row) { l.bodies[r.oid(0)] = string(r[1]) }

func (l *loader) operator(r row) {
	o := &operator{name: l.text(r[2]), code: r.oid(3)}
	l.s.operators[r.oid(0)] = o
	in := l.schema(r.oid(1))
	in.operators[o.name] = append(in.operators[o.name], o)
}

func (l *loader) typ(r row) {
	t := &typ{oid: r.oid(0), schema: l.schema(r.oid(1)), name: l.text(r[2]), kind: r.char(3), base: r.oid(4),
		element: r.oid(5), relation: r.oid(6), input: r.oid(7), output: r.oid(8)}
	l.s.types[t.oid] = t
	t.schema.types[t.name] = t
}

func (l *loader) rangeType(r row) {
	if t := l.s.types[r.oid(0)]; t != nil {
		t.base = r.oid(1)
		l.canonical[t.oid] = r.oid(2)
	}
}

func (l *loader) cast(r row) { l.casts = append(l.casts, cast{r.oid(0), r.oid(1), r.oid(2)}) }

// class takes the operator classes. One that a user has made may order and
// compare values by functions of the user's.
func (l *loader) class(r row) {
	l.classes[r.oid(0)] = l.text(r[1])
	if oid := r.oid(0); oid >= firstNormal && !r.bool(4) {
		l.userClasses[oid] = true
		why := fmt.Sprintf("operator class %s.%s is not built in", r[3], r[1])
		l.suspects = append(l.suspects, suspect{r.oid(2), why})
	}
}

func (l *loader) relation(r row) {
	l.s.Fingerprint.relations.add(r)
	options := " " + string(r[9])
	rel := &Relation{OID: r.oid(0), Schema: l.schema(r.oid(1)).name, Name: l.text(r[2]), Kind: r.char(3),
		Persistence: r.char(4), Owner: r.oid(5),
		Security: Security{r.bool(6), r.bool(7), isSet(options, " security_invoker="), isSet(options, " security_barrier=")}}
	l.s.relations[rel.OID] = rel
	l.schema(r.oid(1)).relations[rel.Name] = rel
	l.rowTypes[r.oid(8)] = rel
}

// isSet reads an option that is a bool, as somebody has written it.
func isSet(options, name string) bool {
	_, value, found := strings.Cut(options, name)
	value, _, _ = strings.Cut(value, " ")
	value = strings.ToLower(value)
	return found && value != "0" && !strings.HasPrefix("false", value) && !strings.HasPrefix("no", value) &&
		!(len(value) > 1 && strings.HasPrefix("off", value))
}

func (l *loader) column(r row) {
	rel := l.s.relations[r.oid(0)]
	if rel == nil {
		return
	}
	rel.Columns = append(rel.Columns, Column{Number: int16(r.int(1)), Name: l.text(r[2]), Type: r.oid(3), TypeMod: r.int(4),
		Collation: r.oid(5), NotNull: r.bool(6), HasDefault: r.bool(7), Generated: r.char(8), Identity: r.char(9)})
}

func (l *loader) subscribed(r row) {
	if rel := l.s.relations[r.oid(0)]; rel != nil {
		rel.Subscribed = true
	}
}

func (l *loader) fewValues(r row) {
	if rel := l.s.relations[r.oid(0)]; rel != nil {
		if c := rel.number(int16(r.int(1))); c != nil {
			c.FewValues = true
		}
	}
}

func (l *loader) inheritance(r row) {
	child, parent := l.s.relations[r.oid(0)], l.s.relations[r.oid(1)]
	if child == nil || parent == nil { // indexes have parents, too
		return
	}
	child.Parents = append(child.Parents, parent.OID)
	parent.Children = append(parent.Children, child.OID)
}

func (l *loader) partitionKey(r row) {
	if rel := l.s.relations[r.oid(0)]; rel != nil {
		rel.PartitionKey = l.vector(r[1])
	}
}

func (l *loader) index(r row) {
	rel := l.s.relations[r.oid(0)]
	if rel == nil {
		return
	}
	all, keys := l.vector(r[4]), int(r.int(5))
	x := Index{OID: r.oid(1), Name: l.text(r[2]), Method: l.text(r[3]), Columns: all[:keys:keys], Included: all[keys:],
		Options: l.vector(r[6]), Classes: l.classNames(r[7]), Collations: l.oidList(r[8]), IndexFlags: IndexFlags{Unique: r.bool(9), Primary: r.bool(10),
			Immediate: r.bool(11), Valid: r.bool(12), Partial: r.bool(13), Expressions: r.bool(14), NullsNotDistinct: r.bool(15)}}
	for _, oid := range l.oidList(r[7]) {
		if l.userClasses[oid] {
			rel.add(Insert|Update, fmt.Sprintf("index %s has an operator class that is not built in", x.Name))
		}
	}
	rel.Indexes = append(rel.Indexes, x)
}

func (l *loader) oidList(b []byte) []uint32 {
	list, ok := l.oidLists[string(b)]
	if !ok {
		list = oids(b)
		l.oidLists[string(b)] = list
	}
	return list
}

func (l *loader) classNames(b []byte) []string {
	list, ok := l.classLists[string(b)]
	if !ok {
		for _, oid := range oids(b) {
			list = append(list, l.classes[oid])
		}
		l.classLists[string(b)] = list
	}
	return list
}

func (l *loader) foreignKey(r row) {
	k := &ForeignKey{Name: l.text(r[0]), From: r.oid(1), To: r.oid(2), FromColumns: l.vector(r[3]), ToColumns: l.vector(r[4]),
		OnUpdate: r.char(5), OnDelete: r.char(6), Deferrable: r.bool(7), Holds: r.bool(8)}
	from, to := l.s.relations[k.From], l.s.relations[k.To]
	if from == nil || to == nil {
		return
	}
	from.ForeignKeys = append(from.ForeignKeys, k)
	if to != from {
		to.ForeignKeys = append(to.ForeignKeys, k)
	}
}

// The bits of pg_trigger.tgtype.
const (
	tgRow      = 1 << 0
	tgBefore   = 1 << 1
	tgInsert   = 1 << 2
	tgDelete   = 1 << 3
	tgUpdate   = 1 << 4
	tgTruncate = 1 << 5
	tgInstead  = 1 << 6
)

func (l *loader) trigger(r row) {
	rel := l.s.relations[r.oid(0)]
	if rel == nil {
		return
	}
	bits := r.int(3)
	t := Trigger{Name: l.text(r[1]), Function: r.oid(2), Row: bits&tgRow != 0, Before: bits&tgBefore != 0,
		Instead: bits&tgInstead != 0, Enabled: r.char(4), Deferrable: r.bool(5)}
	for bit, command := range map[int32]Command{tgInsert: Insert, tgDelete: Delete, tgUpdate: Update, tgTruncate: Truncate} {
		if bits&bit != 0 {
			t.On |= command
		}
	}
	rel.Triggers = append(rel.Triggers, t)
}

// rule takes a rule, or the query of a view, which is one for SELECT.
func (l *loader) rule(r row) {
	rel := l.s.relations[r.oid(0)]
	if rel == nil {
		return
	}
	e := expression{kind: view, owner: rel.OID}
	if on := r.char(2); on != '1' {
		e.kind, e.sub = rule, int16(len(rel.Rules))
		rel.Rules = append(rel.Rules, Rule{Name: l.text(r[1]), Instead: r.bool(3), Enabled: r.char(4),
			On: map[byte]Command{'2': Update, '3': Insert, '4': Delete}[on]})
		q := e
		q.tree = scanTree(r[6])
		l.expressions = append(l.expressions, q)
	}
	e.tree = scanTree(r[5])
	l.expressions = append(l.expressions, e)
}

func (l *loader) expression(r row) {
	l.expressions = append(l.expressions, expression{r.char(0), r.oid(1), int16(r.int(2)), scanTree(r[3])})
}
