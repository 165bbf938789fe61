package catalog

import "strings"

// What is called without its name being in a text, or under the name of what does
// nothing.

// ReadsMayWrite reports whether there is anything by which a statement may write
// that seems only to read: a view, a policy, an operator, a type, a function that is
// called like a column of a row, or one with the name of a function that is known to
// do nothing.
func (s *Snapshot) ReadsMayWrite(known func(name string) bool) bool {
	if s.casts != "" || len(s.rowWriters) > 0 {
		return true
	}
	for _, r := range s.relations {
		if s.ReadingWrites(r) != "" {
			return true
		}
	}
	for _, o := range s.operators {
		if s.codeMayWrite(o) {
			return true
		}
	}
	for _, t := range s.types {
		if t.writer != "" {
			return true
		}
	}
	for _, f := range s.functions {
		if !f.builtin() && s.mayWrite(f) && known(f.name) {
			return true
		}
	}
	return false
}

// noteRowWriters notes the functions that may write and that can be called like a
// column.
func (s *Snapshot) noteRowWriters() {
	for _, f := range s.functions {
		if f.row && !f.builtin() && s.mayWrite(f) {
			s.rowWriters = append(s.rowWriters, strings.ToLower(f.name))
		}
	}
}

// NamesRowWriter reports whether a text has the name of a function that may write and
// that can be called like a column: row.function. Escapes may hide a name.
func (s *Snapshot) NamesRowWriter(text []byte) bool {
	if len(s.rowWriters) == 0 {
		return false
	}
	lower := strings.ToLower(string(text))
	for _, name := range s.rowWriters {
		if strings.Contains(lower, name) {
			return true
		}
	}
	return strings.Contains(lower, "u&")
}

// OperatorMayWrite is MayWrite for an operator.
func (s *Snapshot) OperatorMayWrite(path []string, name []string) bool {
	found := false
	for in := range s.places(path, name) {
		for _, o := range in.operators[name[len(name)-1]] {
			if found = true; s.codeMayWrite(o) {
				return true
			}
		}
	}
	return !found
}

func (s *Snapshot) codeMayWrite(o *operator) bool {
	f := s.functions[o.code]
	return f != nil && s.mayWrite(f)
}

// TypeMayWrite reports whether a cast to a type with this name may change something.
// What is not known may.
func (s *Snapshot) TypeMayWrite(path []string, name []string) bool {
	found := false
	for in := range s.places(path, name) {
		if t := in.types[name[len(name)-1]]; t != nil {
			if found = true; t.writer != "" {
				return true
			}
		}
		if in.relations[name[len(name)-1]] != nil { // the type of its rows
			found = true
		}
	}
	return !found || s.casts != ""
}
