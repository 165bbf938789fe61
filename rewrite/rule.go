package rewrite

import (
	pg_query "github.com/pganalyze/pg_query_go/v5"

	"github.com/pgjay/pgjay/rewrite/catalog"
)

// A Rule turns a statement into another one with the same answer. It has no state
// and may be used by any number of goroutines. Each rule is in a file of its own that
// begins with its preconditions as a numbered list, each provable from the statement
// and the catalog.
type Rule interface {
	// Name is what the configuration and the console call it.
	Name() string
	// About says in a sentence what becomes what, for people.
	About() string
	// Match looks whether the rule applies. What holds for all automatic rules (Gate)
	// has been checked before.
	Match(*Query) Match
}

// Query is a statement as rules see it. They read it only.
type Query struct {
	Text  string
	Tree  *pg_query.ParseResult // of Text
	Scope Scope
}

// Scope is what the meaning of a statement depends on besides its text.
type Scope struct {
	Catalog *catalog.Snapshot
	// Path is the search_path in effect, as current_schemas(true) has it.
	Path []string
	// Role is the effective role.
	Role string
	// Setting returns a setting of the session, "" if it is not known.
	Setting func(name string) string
}

// A Match is what a rule says of a statement.
type Match struct {
	// Edits are the places that change, in their order, without overlap; none: the
	// rule does not apply.
	Edits []Edit
	// Tree is what is meant: the text with its edits, parsed, must be equal to it but
	// for locations, else nothing is rewritten.
	Tree *pg_query.ParseResult
	// Why says why it applies or which precondition does not hold.
	Why string
	// Literals is set when that depends on the values of literals in the text. Else
	// it holds for all texts that differ from it in literals only.
	Literals bool
}

// An Edit puts Text in the place of bytes of the query's text.
type Edit struct {
	From, To int
	Text     string
}
