package catalog

// Snapshot is what the schema of a database says. It is never changed.
type Snapshot struct {
	Version  int    // of the server: 150018
	Database string // the name
	OID      uint32 // the database's
	// Fingerprint changes with the catalogs (see fingerprint.go).
	Fingerprint Fingerprint

	relations map[uint32]*Relation
	schemas   map[string]*schema
	functions map[uint32]*function
	operators map[uint32]*operator
	types     map[uint32]*typ
	// casts is the sentence about a cast between built-in types that calls a
	// function of a user: it may be anywhere. Empty: there is none.
	casts string
	// rowWriters are the names of functions that may write and that can be called
	// like a column.
	rowWriters []string
}

// schema is what has a name in it.
type schema struct {
	name      string
	relations map[string]*Relation
	functions map[string][]*function
	operators map[string][]*operator
	types     map[string]*typ
}

// Relation returns the relation with this OID, or nil.
func (s *Snapshot) Relation(oid uint32) *Relation { return s.relations[oid] }

// Relations calls f for each relation, in no order.
func (s *Snapshot) Relations(f func(*Relation)) {
	for _, r := range s.relations {
		f(r)
	}
}

// family is a relation's ancestors (up) or descendants, without itself.
func (s *Snapshot) family(r *Relation, up bool) []*Relation {
	var found []*Relation
	seen := map[*Relation]bool{r: true}
	for next := []*Relation{r}; len(next) > 0; {
		r, next = next[0], next[1:]
		relatives := r.Children
		if up {
			relatives = r.Parents
		}
		for _, oid := range relatives {
			if other := s.relations[oid]; other != nil && !seen[other] {
				seen[other] = true
				found, next = append(found, other), append(next, other)
			}
		}
	}
	return found
}
