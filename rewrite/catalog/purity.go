package catalog

import (
	"fmt"
	"strings"
)

// verdict is the worst of several purities.
type verdict struct {
	purity Purity
	why    string
	found  bool
}

func (v *verdict) add(p Purity, why string) {
	v.found = true
	if p > v.purity {
		v.purity, v.why = p, why
	}
}

// answer is the verdict on a name; what is not found is refused.
func (v *verdict) answer(what string, name []string) (Purity, string) {
	if !v.found {
		return Refused, fmt.Sprintf("%s %s is not known", what, strings.Join(name, "."))
	}
	return v.purity, v.why
}

// Function says what may be remembered of a call of a function with this name:
// the worst of all functions that it can mean, whatever their arguments. A name
// of a type can be called, too, as a cast.
//
// PostgreSQL also calls what is not named: = and < for BETWEEN, IN, CASE,
// DISTINCT FROM, JOIN USING and NATURAL, ~~ for LIKE, timezone() for AT TIME
// ZONE, and so on. The caller asks for these by their names.
//
// Functions that take timetz, regclass, aclitem and the like do not count where
// there are others: there are no such values in what may be remembered, as
// casts to the type, its columns, and functions that make one are refused. But
// time AT TIME ZONE makes a timetz on the way. Its answer depends on summer
// time, and is remembered until its time is over.
func (s *Snapshot) Function(path []string, name []string) (Purity, string) {
	return s.function(path, name, s.purity)
}

// FunctionWith is Function where somebody answers for functions of the database: one
// that is refused, neither PostgreSQL's own nor volatile, depends on settings only
// if declared says so of its schema and name.
func (s *Snapshot) FunctionWith(path, name []string, declared func(schema, name string) bool) (Purity, string) {
	return s.function(path, name, func(f *function) (Purity, string) {
		p, why := s.purity(f)
		if p == Refused && !f.builtin() && f.volatile != 'v' && declared(f.schema.name, f.name) {
			return DependsOnSettings, ""
		}
		return p, why
	})
}

func (s *Snapshot) function(path, name []string, purity func(*function) (Purity, string)) (Purity, string) {
	var all, barred verdict
	for in := range s.places(path, name) {
		last := name[len(name)-1]
		if last == "extract" && s.Version < 140000 {
			last = "date_part" // what EXTRACT was before it had a function of its own
		}
		for _, f := range in.functions[last] {
			s.judgeCall(f, &all, &barred, purity)
		}
		if t := in.types[last]; t != nil {
			all.add(t.purity, t.why)
		}
	}
	return either(all, barred).answer("function", name)
}

// Operator is Function for an operator.
func (s *Snapshot) Operator(path []string, name []string) (Purity, string) {
	var all, barred verdict
	for in := range s.places(path, name) {
		for _, o := range in.operators[name[len(name)-1]] {
			if f := s.functions[o.code]; f != nil {
				s.judgeCall(f, &all, &barred, func(*function) (Purity, string) { return s.operatorPurity(o) })
			}
		}
	}
	return either(all, barred).answer("operator", name)
}

func (s *Snapshot) judgeCall(f *function, all, barred *verdict, purity func(*function) (Purity, string)) {
	if p, why := purity(f); s.barred(f) {
		barred.add(p, why)
	} else {
		all.add(p, why)
	}
}

func either(all, barred verdict) *verdict {
	if all.found {
		return &all
	}
	return &barred
}

// Attribute is Function for the last word of alias.word: where no column has
// this name, PostgreSQL calls a function with the row as its argument.
func (s *Snapshot) Attribute(path []string, word string) (Purity, string) {
	var v verdict
	for in := range s.places(path, []string{word}) {
		for _, f := range in.functions[word] {
			if f.row {
				v.add(s.purity(f))
			}
		}
	}
	return v.purity, v.why
}

// Type says what may be remembered of a cast to a type. Strings that stand for
// the time, such as 'today', are the caller's business.
func (s *Snapshot) Type(path []string, name []string) (Purity, string) {
	var v verdict
	for in := range s.places(path, name) {
		if t := in.types[name[len(name)-1]]; t != nil {
			v.add(t.purity, t.why)
		}
	}
	if s.casts != "" {
		return Refused, s.casts
	}
	return v.answer("type", name)
}

// TypeOf is Type for a type that PostgreSQL has told, of a parameter or a column
// of the result.
func (s *Snapshot) TypeOf(oid uint32) (Purity, string) {
	t := s.types[oid]
	switch {
	case t == nil:
		return Refused, fmt.Sprintf("type %d is not known", oid)
	case s.casts != "":
		return Refused, s.casts
	}
	return t.purity, t.why
}

// MayWrite reports whether a call of a function with this name may change
// something: it is volatile and not built in, or it is not volatile but names
// one that is, or it is built in and known to write. What is not known may.
func (s *Snapshot) MayWrite(path []string, name []string) bool {
	found := false
	for in := range s.places(path, name) {
		last := name[len(name)-1]
		for _, f := range in.functions[last] {
			found = true
			if s.mayWrite(f) || f.builtin() && writers.has(f.name) {
				return true
			}
		}
		if t := in.types[last]; t != nil {
			found = true
			if t.writer != "" {
				return true
			}
		}
	}
	return !found
}
