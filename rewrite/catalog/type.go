package catalog

import "fmt"

// typ is a type that is not the row type of a table.
type typ struct {
	oid      uint32
	name     string
	schema   *schema
	kind     byte // b base, c composite, d domain, e enum, p pseudo, r range, m multirange
	base     uint32
	element  uint32
	relation uint32 // of a composite type
	input    uint32
	output   uint32

	// What follows is concluded from the rest by judgeTypes.
	judged bool
	purity Purity // of a cast to it
	why    string
	// reading is the sentence why an answer with a value of it cannot be
	// remembered, writer why a write of one may do more. Mostly empty.
	reading, writer string
}

func (t *typ) String() string {
	if t.schema.name == "pg_catalog" {
		return t.name
	}
	return t.schema.name + "." + t.name
}

// refuse makes a cast to t refused.
func (t *typ) refuse(why string) {
	if t.purity != Refused {
		t.purity, t.why = Refused, why
	}
}

// cast is a row of pg_cast that has a function.
type cast struct{ source, target, function uint32 }

// judgeTypes concludes what casts to the types do.
func (l *loader) judgeTypes() {
	l.judgeCasts()
	for _, t := range l.s.types {
		l.judgeInput(t)
	}
	for _, s := range l.suspects {
		if t := l.s.types[s.typ]; t != nil && t.oid >= firstNormal {
			t.refuse(s.why)
			t.reading, t.writer = s.why, s.why
		}
	}
	for _, e := range l.expressions {
		if t := l.s.types[e.owner]; t != nil && e.kind == domainCheck {
			l.judgeDomain(t, e.tree)
		}
	}
	for _, t := range l.s.types {
		l.inherit(t)
	}
}

// judgeCasts looks at the functions of casts. One of a user makes the type of
// the user's suspect; with two built-in types the whole database is.
func (l *loader) judgeCasts() {
	for _, c := range l.casts {
		p, why := l.s.functionPurity(c.function)
		source, target := l.s.types[c.source], l.s.types[c.target]
		if target != nil {
			target.purity = max(target.purity, min(p, DependsOnSettings))
		}
		f := l.s.functions[c.function]
		switch {
		case p != Refused && !(f != nil && l.s.mayWrite(f)):
		case f != nil && f.builtin():
			if target != nil {
				target.refuse(why)
			}
		default:
			why = "a cast calls it: " + why
			if c.source < firstNormal && c.target < firstNormal {
				l.s.casts = why
			}
			for _, t := range []*typ{source, target} {
				if t != nil {
					l.suspects = append(l.suspects, suspect{t.oid, why})
				}
			}
		}
	}
}

// suspect is a type of a user's whose casts or order call functions of users.
type suspect struct {
	typ uint32
	why string
}

// printed are the types to which any value can be cast, as it is printed.
var printed = map[string]bool{"text": true, "varchar": true, "bpchar": true, "name": true, "char": true}

// judgeInput looks at how a value of t is read and printed.
func (l *loader) judgeInput(t *typ) {
	if t.oid >= firstNormal || printed[t.name] {
		t.purity = max(t.purity, DependsOnSettings)
	}
	if t.kind == 'p' {
		t.refuse(fmt.Sprintf("%s is a pseudo-type", t))
	}
	for _, oid := range []uint32{t.input, t.output, l.canonical[t.oid]} {
		if oid == 0 {
			continue
		}
		p, why := l.s.functionPurity(oid)
		t.purity = max(t.purity, min(p, DependsOnSettings))
		if p != Refused || t.kind == 'p' {
			continue
		}
		why = fmt.Sprintf("type %s: %s", t, why)
		t.refuse(why)
		t.reading = why
		if f := l.s.functions[oid]; f != nil && l.s.mayWrite(f) {
			t.writer = why
		}
	}
}

func (l *loader) judgeDomain(t *typ, check *tree) {
	if why := l.s.impure(check); why != "" {
		t.refuse(fmt.Sprintf("domain %s: %s", t, why))
	}
	if why := l.s.callsWriter(check); why != "" {
		t.writer = fmt.Sprintf("domain %s calls %s", t, why)
	}
}

// inherit gives t what the types have that it is made of.
func (l *loader) inherit(t *typ) {
	if t.judged {
		return
	}
	t.judged = true
	parts := []uint32{t.base, t.element}
	if r := l.s.relations[t.relation]; r != nil {
		for i := range r.Columns {
			parts = append(parts, r.Columns[i].Type)
		}
	}
	for _, oid := range parts {
		part := l.s.types[oid]
		if part == nil {
			continue
		}
		l.inherit(part)
		t.purity = max(t.purity, min(part.purity, DependsOnSettings))
		if part.purity == Refused {
			t.refuse(part.why)
		}
		t.reading = first(t.reading, part.reading)
		t.writer = first(t.writer, part.writer)
	}
}

// ofColumn returns the type of a column; for the row type of a table it goes on
// to the types of its columns.
func (l *loader) ofColumn(oid uint32, depth int) (reading, writer string) {
	if t := l.s.types[oid]; t != nil {
		return t.reading, t.writer
	}
	const deepest = 10
	r := l.rowTypes[oid]
	if r == nil || depth > deepest {
		why := fmt.Sprintf("type %d is not known", oid)
		return why, why
	}
	for i := range r.Columns {
		nested, writes := l.ofColumn(r.Columns[i].Type, depth+1)
		reading, writer = first(reading, nested), first(writer, writes)
	}
	return reading, writer
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
