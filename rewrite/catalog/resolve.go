package catalog

import "slices"

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
