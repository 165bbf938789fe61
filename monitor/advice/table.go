package advice

import (
	"regexp"
	"slices"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v5"
)

// Table is what the catalog and the statistics say of a table.
type Table struct {
	Schema, Name string
	Rows         float64
	Visible      float64 // part of its pages that are all visible, from 0 to 1
	Bytes        float64
	Writes       float64 // rows inserted, updated and deleted since its statistics began
	Columns      map[string]Column
	Indexes      []Existing
	Trigrams     bool // the extension pg_trgm is there
	// Whole is the partitioned table that it is a part of; nil: of none.
	Whole *Whole
	// Expressions are those that the server was asked about: why no index can be on them;
	// empty: one can.
	Expressions map[string]string
}

// Whole is a partitioned table, which has indexes for all its partitions.
type Whole struct {
	Schema, Name string
	Rows, Writes float64 // of all partitions
}

// String names the table for SQL.
func (w *Whole) String() string { return quote(w.Schema) + "." + quote(w.Name) }

// rows is how many there are, with those of the other partitions.
func (t *Table) rows() float64 {
	if t.Whole != nil {
		return max(t.Whole.Rows, t.Rows)
	}
	return t.Rows
}

// Column is a column of a table. The statistics are zero where there are none.
type Column struct {
	Type        string // as format_type has it, without modifier; of a domain the one below it
	Distinct    float64
	Nulls       float64 // part of the rows
	Trues       float64 // part of the rows, of a boolean; below 0: not known
	Correlation float64
	Width       float64
	Longest     float64 // bytes that a value may have; 0: there is no bound
	Plain       bool    // its collation compares bytes (C)
}

// Existing is an index that is there.
type Existing struct {
	Name, Method string
	Keys         []string // names of columns; empty for an expression
	Definition   string   // as pg_get_indexdef writes it
	Partial      bool
}

// simple are names that need no quotes, unless they are key words.
var simple = regexp.MustCompile(`^[a-z_][a-z0-9_]*$`)

// quote writes a name for SQL, as PostgreSQL does: key words that may not stand for a name
// everywhere have quotes too.
func quote(name string) string {
	if simple.MatchString(name) && !keyword(name) {
		return name
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// keyword reports whether a name without quotes is a key word that is not free for use.
func keyword(name string) bool {
	found, err := pg_query.Scan(name)
	return err != nil || len(found.Tokens) != 1 || found.Tokens[0].KeywordKind > pg_query.KeywordKind_UNRESERVED_KEYWORD
}

// String names the table for SQL.
func (t *Table) String() string { return quote(t.Schema) + "." + quote(t.Name) }

// distinct is how many values a column has, 0 if that is not known.
func (t *Table) distinct(column string) float64 {
	d := t.Columns[column].Distinct
	if d < 0 {
		return -d * t.Rows
	}
	return d
}

// has reports whether an index with these leading keys is there.
func (t *Table) has(method string, keys []string) bool {
	return slices.ContainsFunc(t.Indexes, func(e Existing) bool {
		return e.Method == method && !e.Partial && len(e.Keys) >= len(keys) && slices.Equal(e.Keys[:len(keys)], keys)
	})
}
