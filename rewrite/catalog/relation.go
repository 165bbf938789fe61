package catalog

import "strings"

// The kinds of relations, as in pg_class.relkind.
const (
	Table            = 'r'
	Partitioned      = 'p'
	View             = 'v'
	MaterializedView = 'm'
	ForeignTable     = 'f'
	Sequence         = 'S'
	Composite        = 'c' // a type without rows
)

// Relation is what has rows, or columns. System catalogs are there without
// their columns and indexes; temporary and TOAST tables are not there at all.
type Relation struct {
	OID          uint32
	Schema, Name string
	Kind         byte
	Persistence  byte // p permanent, u unlogged
	Owner        uint32
	Security
	// Subscribed is set when a subscription writes its rows: without looking at foreign
	// keys.
	Subscribed bool

	Columns []Column // in their order, without the dropped ones
	// Indexes begin with the unique ones, which are Keys.
	Indexes []Index
	Keys    []Index
	// ForeignKeys are those from this relation and those to it.
	ForeignKeys []*ForeignKey
	Triggers    []Trigger // without those of constraints
	Rules       []Rule    // without the one that makes a view

	Parents, Children []uint32 // of partitions and of inheritance, one step
	// PartitionKey has the columns that say where a row goes; 0 for an expression.
	PartitionKey []int16
	// Bases of a view are the relations named in its query.
	Bases []uint32

	hazards []hazard
}

// Security is who sees which rows of a relation, and with whose rights.
type Security struct {
	RowSecurity, ForceRowSecurity bool
	Invoker                       bool // of a view: security_invoker
	Barrier                       bool // of a view: security_barrier
}

// String is the name with its schema.
func (r *Relation) String() string { return r.Schema + "." + r.Name }

// system reports whether the relation is one of PostgreSQL's own.
func (r *Relation) system() bool {
	return r.Schema == "pg_catalog" || r.Schema == "information_schema" || strings.HasPrefix(r.Schema, "pg_toast")
}

// Column returns the column with this name, or nil.
func (r *Relation) Column(name string) *Column {
	for i := range r.Columns {
		if r.Columns[i].Name == name {
			return &r.Columns[i]
		}
	}
	return nil
}

// names returns the names of the columns with these numbers.
func (r *Relation) names(numbers []int16) []string {
	names := make([]string, 0, len(numbers))
	for i := range r.Columns {
		for _, n := range numbers {
			if r.Columns[i].Number == n {
				names = append(names, r.Columns[i].Name)
			}
		}
	}
	return names
}

// Column is a column of a relation.
type Column struct {
	Name      string
	Type      uint32
	TypeMod   int32
	Collation uint32
	Number    int16
	// NotNull is a fact about all rows: a constraint that is NOT VALID does
	// not make it.
	NotNull bool
	// FewValues is set when ANALYZE has found at least a hundred rows for each value.
	FewValues bool
	// HasDefault is set for generated columns, too.
	HasDefault bool
	Generated  byte // 0; s stored, v virtual
	Identity   byte // 0; a always, d by default
	// DefaultCalls are the functions that its default calls, built-in ones too.
	DefaultCalls []uint32
}

// Index is an index, of which each unique one is a key.
type Index struct {
	OID     uint32
	Name    string
	Method  string  // btree, gin, ...
	Columns []int16 // 0 for an expression
	// Included are the columns that it only carries.
	Included []int16
	// Options has for each of Columns: 1 for DESC, 2 for NULLS FIRST.
	Options    []int16
	Classes    []string // the operator class of each of Columns
	Collations []uint32
	IndexFlags
}

// IndexFlags say what can be concluded from an index.
type IndexFlags struct {
	Unique, Primary  bool
	Immediate        bool // not deferrable
	Valid            bool // and ready
	Partial          bool
	Expressions      bool
	NullsNotDistinct bool
}

// Proves reports whether no two rows can have equal, not NULL values in its
// columns, at any time.
func (i *Index) Proves() bool {
	return i.Unique && i.Immediate && i.Valid && !i.Partial && !i.Expressions
}

// The actions of foreign keys, as in pg_constraint.
const (
	NoAction   = 'a'
	Restrict   = 'r'
	Cascade    = 'c'
	SetNull    = 'n'
	SetDefault = 'd'
)

// ForeignKey is a foreign key. Both relations have it.
type ForeignKey struct {
	Name                   string
	From, To               uint32
	FromColumns, ToColumns []int16
	OnUpdate, OnDelete     byte
	Deferrable             bool
	// Holds is a fact about all rows: it is validated and enforced, and its
	// triggers are enabled. A key to a partitioned table is in the catalogs once more
	// for each partition, of which it does not hold.
	Holds bool
}

// Trigger is a trigger that somebody has made.
type Trigger struct {
	Name     string
	Function uint32
	On       Command // what it fires for
	Row      bool    // for each row
	Before   bool
	Instead  bool
	// Enabled is as in pg_trigger: O origin, A always, R replica, D disabled.
	Enabled    byte
	Deferrable bool
}

// Rule is a rewrite rule.
type Rule struct {
	Name    string
	On      Command
	Instead bool
	Enabled byte // as of a trigger
	// Relations are named in it; it does Commands with some of them.
	Relations []uint32
	Commands  Command
	// Notifies is set when it does a NOTIFY.
	Notifies bool
}
