package sqlparse

import "strings"

// Facts is what pg_query found in a text. It is never changed.
type Facts struct {
	// Opaque is set when nothing is known: the text is too long or too deep
	// to be parsed, can be read in two ways, is not UTF-8, or is not in the
	// grammar of pg_query (PostgreSQL 16). It may well be a statement all the
	// same.
	Opaque bool
	// Parts are the statements in the text, in order.
	Parts []Part
	// Parameters is the highest n of the parameters $n.
	Parameters int
}

// opaque is what is known of all texts of which nothing is known.
var opaque = &Facts{Opaque: true}

// Part is one statement of a text. Names in it are as PostgreSQL reads them: in
// lower case unless quoted, cut at 63 bytes.
type Part struct {
	Span            // from its first token to its last
	Command Command // as in Class.First
	// Explained is the command behind EXPLAIN, else CommandNone. All other
	// facts are then those of what is explained.
	Explained Command
	// Analyze is set for EXPLAIN ANALYZE, which executes.
	Analyze bool
	// Locks is set when a SELECT in it has FOR UPDATE, FOR SHARE or the like.
	Locks bool

	// Reads are the relations that are read, each once, sorted; without the
	// names that a WITH defines. What views and functions read is not known.
	// PREPARE, DECLARE and definitions have what is named in their queries.
	Reads []Name
	// Writes are the relations that it changes, creates, alters or drops; they
	// may be read as well.
	Writes []Name
	// Functions are those that are called by name, aggregates and window
	// functions too. Operators, casts and triggers call others.
	Functions []Name
	// Operators are those that are written, or that IN, LIKE, BETWEEN and the like
	// stand for. DISTINCT, GROUP BY, ORDER BY, USING and set operations use others.
	Operators []Name
	// Types are those that something is cast to.
	Types []Name
	// Attributes are the words behind a dot that may be columns, or functions of a
	// row.
	Attributes []string
	// Unstable says why the answer may be another one each time though nothing that
	// it reads has changed, as far as the text tells; empty: nothing says so.
	Unstable string
	// Parameters is the highest n of the parameters $n.
	Parameters int
	// Detail is what only statements of this kind have: *Transaction,
	// *Setting, *Prepare, *Execute, *Deallocate, *Channel, *Cursor, *Discard;
	// nil for all others. What the statement behind EXPLAIN has is here only
	// if it is EXECUTE.
	Detail Detail
}

// Span is a piece of a text, in bytes: text[Start:End].
type Span struct{ Start, End int }

// In returns the piece of the text.
func (s Span) In(text string) string { return text[s.Start:s.End] }

// Name is a name with its qualifiers, as far as they are written: name,
// schema.name, or database.schema.name.
type Name []string

// String returns the parts with dots between them, without quotes.
func (n Name) String() string { return strings.Join(n, ".") }

// shareable reports whether the facts are those of all texts with this shape,
// but for the place of the statement.
func (f *Facts) shareable() bool {
	return !f.Opaque && len(f.Parts) == 1 && f.Parts[0].Detail == nil
}

// at returns the facts, which are shareable, of another text in which the
// statement stands at this place.
func (f *Facts) at(all Span) *Facts {
	part := f.Parts[0]
	part.Span = all
	return &Facts{Parts: []Part{part}, Parameters: f.Parameters}
}

const (
	sizeOfPart   = 352 // with its Detail, more or less
	sizeOfString = 16
	sizeOfName   = 24
)

// size is about how many bytes the facts take.
func (f *Facts) size() int {
	if f.Opaque {
		return 0
	}
	n := sizeOfPart
	for i := range f.Parts {
		p := &f.Parts[i]
		n += sizeOfPart
		for _, names := range [][]Name{p.Reads, p.Writes, p.Functions, p.Operators, p.Types} {
			for _, name := range names {
				n += sizeOfName + len(name)*sizeOfString + len(name.String())
			}
		}
		for _, word := range p.Attributes {
			n += sizeOfString + len(word)
		}
		switch d := p.Detail.(type) {
		case *Setting:
			for _, v := range d.Values {
				n += sizeOfString + len(v)
			}
		case *Channel:
			n += len(d.Payload)
		}
	}
	return n
}
