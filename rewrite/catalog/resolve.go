package catalog

import (
	"fmt"
	"slices"
	"strings"
)

// Resolve finds what a name means with this search_path, or nil. "$user" has
// been replaced in it; a schema that does not exist is passed over; pg_catalog
// is searched first where the path does not have it. Temporary relations are
// not found: they are the caller's business.
//
// PostgreSQL also passes over schemas that the role may not use. A path that
// the server told (see Reading.Path) has none of these; with another one, use
// Candidates where it would do harm to have the wrong relation.
func (s *Snapshot) Resolve(path []string, name []string) *Relation {
	if all := s.candidates(path, name, 1); len(all) > 0 {
		return all[0]
	}
	return nil
}

// Candidates are all relations that a name can mean with this search_path,
// whichever of its schemas the role may use; the likeliest is first.
func (s *Snapshot) Candidates(path []string, name []string) []*Relation {
	return s.candidates(path, name, len(path)+1)
}

func (s *Snapshot) candidates(path []string, name []string, most int) []*Relation {
	var found []*Relation
	for in := range s.places(path, name) {
		if r := in.relations[name[len(name)-1]]; r != nil && !slices.Contains(found, r) {
			if found = append(found, r); len(found) == most {
				break
			}
		}
	}
	return found
}

// places are the schemas in which a name is looked up, in that order. A name
// may have its schema and its database before it.
func (s *Snapshot) places(path []string, name []string) func(yield func(*schema) bool) {
	switch n := len(name); {
	case n == 0 || n > 3 || n == 3 && name[0] != s.Database:
		return func(func(*schema) bool) {}
	case n > 1:
		path = name[n-2 : n-1]
	case !slices.Contains(path, "pg_catalog"):
		path = slices.Concat([]string{"pg_catalog"}, path)
	}
	return func(yield func(*schema) bool) {
		for _, name := range path {
			if in := s.schemas[name]; in != nil && !yield(in) {
				return
			}
		}
	}
}

// Function says what may be remembered of a call of a function with this name:
// the worst of all functions that it can mean, whatever their arguments. A name
// of a type can be called, too, as a cast.
//
// PostgreSQL also calls what is not named: =, < and > for BETWEEN, IN, CASE,
// DISTINCT FROM, JOIN USING and NATURAL, ~~ for LIKE, timezone() for AT TIME
// ZONE, and so on. The caller asks for these by their names.
//
// Functions that take a timetz do not count. There are no such values in what
// may be remembered: the type, its columns, and the functions that make one are
// refused. But time AT TIME ZONE makes one on the way, and has an answer that
// depends on summer time: it is remembered until its time is over.
func (s *Snapshot) Function(path []string, name []string) (Purity, string) {
	worst, why, found := Pure, "", false
	for in := range s.places(path, name) {
		last := name[len(name)-1]
		for _, f := range in.functions[last] {
			if f.timetz && f.builtin() && f.name != "timetz" {
				continue
			}
			found = true
			if p, sentence := s.purity(f); p > worst {
				worst, why = p, sentence
			}
		}
		if t := in.types[last]; t != nil {
			found = true
			if t.purity > worst {
				worst, why = t.purity, t.why
			}
		}
	}
	if !found {
		return Refused, fmt.Sprintf("function %s is not known", strings.Join(name, "."))
	}
	return worst, why
}

// Attribute is Function for the last word of alias.word: where no column has
// this name, PostgreSQL calls a function with the row as its argument.
func (s *Snapshot) Attribute(path []string, word string) (Purity, string) {
	worst, why := Pure, ""
	for in := range s.places(path, []string{word}) {
		for _, f := range in.functions[word] {
			if p, sentence := s.purity(f); f.row && p > worst {
				worst, why = p, sentence
			}
		}
	}
	return worst, why
}

// Operator is Function for an operator.
func (s *Snapshot) Operator(path []string, name []string) (Purity, string) {
	worst, why, found := Pure, "", false
	for in := range s.places(path, name) {
		for _, o := range in.operators[name[len(name)-1]] {
			if f := s.functions[o.code]; f != nil && f.timetz && f.builtin() {
				continue
			}
			found = true
			if p, sentence := s.operatorPurity(o); p > worst {
				worst, why = p, sentence
			}
		}
	}
	if !found {
		return Refused, fmt.Sprintf("operator %s is not known", strings.Join(name, "."))
	}
	return worst, why
}

// Type says what may be remembered of a cast to a type. The strings that stand
// for the time are the caller's business (see Clock).
func (s *Snapshot) Type(path []string, name []string) (Purity, string) {
	worst, why, found := Pure, "", false
	for in := range s.places(path, name) {
		if t := in.types[name[len(name)-1]]; t != nil {
			found = true
			if t.purity > worst {
				worst, why = t.purity, t.why
			}
		}
	}
	switch {
	case !found:
		return Refused, fmt.Sprintf("type %s is not known", strings.Join(name, "."))
	case s.casts != "":
		return Refused, s.casts
	}
	return worst, why
}

// MayWrite reports whether a call of a function with this name may change
// relations: it is volatile and not built in, or it is not volatile but names
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
