package advice

import (
	"fmt"
	"slices"
)

// Held is an index that is there, and what it is needed for.
type Held struct {
	Name     string   // with its schema, as SQL has it
	Number   float64  // its OID
	Keys     []string // with their operator classes, collations and orders
	Included bool     // it has columns that are no keys
	Unique   bool
	Needed   bool // by a constraint, replication, CLUSTER or a partitioned index
	Method   string
	Where    string // of a partial index
	Bytes    float64
	Scans    float64 // since its statistics began
}

// OfRedundant tells which indexes of a table find nothing that another one does not find as well.
func OfRedundant(t *Table, held []Held, database, user string) (list []Advice) {
	for _, h := range held {
		i := slices.IndexFunc(held, h.within)
		if i < 0 || t.Rows < DefaultLimits().Rows {
			continue
		}
		how := "what " + held[i].Name + " begins with"
		if len(h.Keys) == len(held[i].Keys) {
			how = "the same as " + held[i].Name
		}
		list = append(list, Advice{
			ID: "redundant " + database + " " + h.Name, Kind: Redundant, State: Unverified, Database: database, User: user, Table: t.String(),
			DDL: "DROP INDEX CONCURRENTLY " + h.Name + ";",
			Why: fmt.Sprintf("the index is %s, which finds all that it finds; it has %.1f MB, each INSERT and many an UPDATE write there too, and it was read %.0f times "+
				"since its statistics began", how, h.Bytes/(1<<20), h.Scans),
			Cost: "statements that read it here or on a replica read the other one, which may be larger; who names it in a hint names nothing then",
		})
	}
	return list
}

// within reports whether another index does all that this one does. Of two that are the same
// the older one stays.
func (h *Held) within(other Held) bool {
	n := len(h.Keys)
	if h.Needed || h.Included || h.Name == other.Name || h.Method != "btree" || other.Method != "btree" || h.Where != other.Where ||
		n > len(other.Keys) || !slices.Equal(h.Keys, other.Keys[:n]) {
		return false
	}
	same := n == len(other.Keys)
	switch {
	case h.Unique && !(same && other.Unique):
		return false
	case same && !other.Included && !other.Needed && h.Unique == other.Unique:
		return h.Number > other.Number
	}
	return true
}
