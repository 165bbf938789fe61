package catalog

// OwnFunction reports whether a call of this name with arguments of PostgreSQL's own
// types is a call of PostgreSQL's own function: nothing else of that name in the path
// takes only such types.
func (s *Snapshot) OwnFunction(path, name []string) bool {
	own := false
	for in := range s.places(path, name) {
		for _, f := range in.functions[name[len(name)-1]] {
			if f.builtin() {
				own = true
			} else if !f.takesUsers() {
				return false
			}
		}
	}
	return own
}

// OwnOperator is OwnFunction for an operator.
func (s *Snapshot) OwnOperator(path, name []string) bool {
	own := false
	for in := range s.places(path, name) {
		for _, o := range in.operators[name[len(name)-1]] {
			f := s.functions[o.code]
			switch {
			case in.name == "pg_catalog":
				own = true
			case f == nil || !f.takesUsers():
				return false
			}
		}
	}
	return own
}

// takesUsers reports whether an argument of f is of a type that is not PostgreSQL's own.
func (f *function) takesUsers() bool {
	for _, oid := range f.arguments {
		if oid >= firstNormal {
			return true
		}
	}
	return false
}

// Aggregates reports whether a call of a function with this name may be one of an
// aggregate: what is not known may.
func (s *Snapshot) Aggregates(path, name []string) bool {
	found := false
	for in := range s.places(path, name) {
		for _, f := range in.functions[name[len(name)-1]] {
			if found = true; f.aggregate {
				return true
			}
		}
	}
	return !found
}
