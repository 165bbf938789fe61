package advice

import (
	"fmt"
	"slices"
)

// Reference is a foreign key, of a table to the one that a statement changes.
type Reference struct {
	Table      *Table // that has it
	Constraint string
	Columns    []string // of Table
	Change     string   // what is done to the other table, such as "Delete on parents"
}

// Unindexed returns the index with which PostgreSQL finds the rows that refer to one that
// goes; false if there is one, or few rows to look through. The planner is not asked about it,
// as plans do not show what foreign keys do.
func (r Reference) Unindexed(l Limits) (c Candidate, ok bool) {
	if r.Table.rows() < l.Rows || len(r.Columns) > maxReference || slices.ContainsFunc(r.Table.Indexes, r.has) {
		return c, false
	}
	c = Candidate{Table: r.Table, Method: "btree"}
	for _, column := range r.Columns {
		c.Keys = append(c.Keys, Key{Column: column})
	}
	c.Why = fmt.Sprintf("%s: for each row all %.0f of %s are read, as its foreign key %s has no index", r.Change, r.Table.rows(), c.on(), quote(r.Constraint))
	return c, true
}

// maxReference bounds the columns of a foreign key: more are in no index.
const maxReference = 32

// has reports whether an index begins with the columns, in any order.
func (r Reference) has(e Existing) bool {
	if e.Method != "btree" && (e.Method != "hash" || len(r.Columns) > 1) || e.Partial || len(e.Keys) < len(r.Columns) {
		return false
	}
	return !slices.ContainsFunc(e.Keys[:len(r.Columns)], func(key string) bool { return !slices.Contains(r.Columns, key) })
}
