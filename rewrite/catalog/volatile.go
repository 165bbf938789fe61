package catalog

import (
	"fmt"
	"strings"
)

// What may be evaluated once more, once less or elsewhere in a statement: the
// answers are the sentence that says why not, or nothing. PostgreSQL's word on a
// function is taken here; what is not known is volatile.

// VolatileFunction is asked for what is called by a name, or is a cast to it.
func (s *Snapshot) VolatileFunction(path, name []string) (why string) {
	found := false
	for in := range s.places(path, name) {
		last := name[len(name)-1]
		if last == "extract" && s.Version < 140000 {
			last = "date_part"
		}
		for _, f := range in.functions[last] {
			if found = true; f.volatile == 'v' {
				return fmt.Sprintf("function %s is volatile", f)
			}
		}
		if t := in.types[last]; t != nil {
			if found = true; s.volatileType(t) != "" {
				return s.volatileType(t)
			}
		}
	}
	if !found {
		return fmt.Sprintf("function %s is not known", strings.Join(name, "."))
	}
	return ""
}

// VolatileOperator is asked for an operator.
func (s *Snapshot) VolatileOperator(path, name []string) (why string) {
	found := false
	for in := range s.places(path, name) {
		for _, o := range in.operators[name[len(name)-1]] {
			if f := s.functions[o.code]; f == nil || f.volatile == 'v' {
				return fmt.Sprintf("operator %s is volatile", o.name)
			}
			found = true
		}
	}
	if !found {
		return fmt.Sprintf("operator %s is not known", strings.Join(name, "."))
	}
	return ""
}

// VolatileType is asked for a type that something is cast to.
func (s *Snapshot) VolatileType(path, name []string) (why string) {
	if s.casts != "" {
		return s.casts
	}
	found := false
	for in := range s.places(path, name) {
		if t := in.types[name[len(name)-1]]; t != nil {
			if found = true; s.volatileType(t) != "" {
				return s.volatileType(t)
			}
		}
	}
	if !found {
		return fmt.Sprintf("type %s is not known", strings.Join(name, "."))
	}
	return ""
}

func (s *Snapshot) volatileType(t *typ) (why string) {
	if t.writer != "" {
		return t.writer
	}
	if f := s.functions[t.input]; f != nil && f.volatile == 'v' {
		return fmt.Sprintf("a cast to %s calls %s, which is volatile", t, f)
	}
	return ""
}

// VolatileAttribute is asked for the last word of alias.word: where no column has
// this name, PostgreSQL calls a function with the row as its argument.
func (s *Snapshot) VolatileAttribute(path []string, word string) (why string) {
	for in := range s.places(path, []string{word}) {
		for _, f := range in.functions[word] {
			if f.row && f.volatile == 'v' {
				return fmt.Sprintf("%s may call function %s, which is volatile", word, f)
			}
		}
	}
	return ""
}

// ReturnsSet reports whether some function with this name returns a set.
func (s *Snapshot) ReturnsSet(path, name []string) bool {
	for in := range s.places(path, name) {
		for _, f := range in.functions[name[len(name)-1]] {
			if f.set {
				return true
			}
		}
	}
	return false
}
