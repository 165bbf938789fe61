package catalog

import (
	"fmt"
	"maps"
	"slices"
)

// Readable returns what an answer that is read from these relations depends on:
// they, without views, and what they are parts of. why is not empty when such an
// answer must not be remembered; then it is the sentence that says why.
func (s *Snapshot) Readable(oids []uint32) (deps []uint32, why string) {
	if s.casts != "" {
		return nil, s.casts
	}
	all := map[uint32]bool{}
	for next := slices.Clone(oids); len(next) > 0; next = next[1:] {
		oid := next[0]
		if all[oid] {
			continue
		}
		r := s.relations[oid]
		if r == nil {
			return nil, fmt.Sprintf("relation %d is not known", oid)
		}
		if why := s.unreadable(r); why != "" {
			return nil, why
		}
		all[oid] = true
		if r.Kind == View {
			next = append(next, r.Bases...)
		}
		for _, ancestor := range s.family(r, true) {
			all[ancestor.OID] = true
		}
	}
	maps.DeleteFunc(all, func(oid uint32, _ bool) bool { return s.relations[oid].Kind == View })
	return slices.Sorted(maps.Keys(all)), ""
}

// unreadable says why an answer from r must not be remembered, or nothing.
func (s *Snapshot) unreadable(r *Relation) string {
	switch {
	case r.system():
		return fmt.Sprintf("%s is a system catalog", r)
	case r.RowSecurity:
		return fmt.Sprintf("%s has row level security", r)
	}
	switch r.Kind {
	case Table, Partitioned, View, MaterializedView:
	case Sequence:
		return fmt.Sprintf("%s is a sequence", r)
	case ForeignTable:
		return fmt.Sprintf("%s is a foreign table", r)
	default:
		return fmt.Sprintf("%s has no rows", r)
	}
	for _, h := range r.hazards {
		if h.on&remember != 0 {
			return h.why
		}
	}
	for _, part := range s.family(r, false) {
		if part.Kind == ForeignTable {
			return fmt.Sprintf("%s is a foreign table", part)
		}
	}
	return ""
}

// ReadingWrites says what reading these relations may change, or nothing: views
// and policies can call functions that write.
func (s *Snapshot) ReadingWrites(targets ...*Relation) string {
	seen := map[uint32]bool{}
	for len(targets) > 0 {
		r := targets[0]
		targets = targets[1:]
		if r == nil || seen[r.OID] {
			continue
		}
		seen[r.OID] = true
		for _, h := range r.hazards {
			if h.on&read != 0 {
				return h.why
			}
		}
		for _, oid := range slices.Concat(r.Bases, r.Children) {
			if r.Kind != MaterializedView {
				targets = append(targets, s.relations[oid])
			}
		}
	}
	return ""
}
