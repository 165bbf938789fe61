package catalog

import "fmt"

// Purity says whether the answer of what is called may be remembered.
type Purity uint8

// The purities, from good to bad.
const (
	Pure              Purity = iota
	DependsOnSettings        // the same as long as role, database, schema and all settings are the same
	Refused                  // there is a sentence that says why
)

func (p Purity) String() string { return [...]string{"pure", "depends on settings", "refused"}[p] }

// firstNormal is the first OID of what is not made by initdb.
const firstNormal = 16384

type function struct {
	oid       uint32
	name      string
	schema    *schema
	volatile  byte   // i, s, v
	language  string // internal, c, sql, plpgsql, ...
	extension string // empty: it is of none
	arguments []uint32
	// row is set when it can be called with a row as its only argument.
	row bool
	// ofRange is set for what CREATE TYPE ... AS RANGE has made.
	ofRange bool
	// set is set when it returns a set of rows.
	set       bool
	aggregate bool
	// nested is set when it is not volatile, but may call what is.
	nested bool
	parts  []uint32 // functions of an aggregate
}

type operator struct {
	name string
	code uint32 // its function
}

func (f *function) String() string {
	if f.builtin() {
		return f.name + "()"
	}
	return f.schema.name + "." + f.name + "()"
}

// builtin reports whether it is PostgreSQL's own. Those of the schema
// information_schema are not meant.
func (f *function) builtin() bool { return f.oid < firstNormal && f.schema.name == "pg_catalog" }

// barred reports whether f is built in and takes a type that is not read from
// what is remembered. There are no values of it.
func (s *Snapshot) barred(f *function) bool {
	for _, oid := range f.arguments {
		if t := s.types[oid]; t != nil && oid < firstNormal && t.reading != "" {
			return f.builtin()
		}
	}
	return false
}

// compiled reports whether it is C of an extension, or PostgreSQL's own under
// another name. What other functions do can be changed by who owns what they call.
func (f *function) compiled() bool {
	return f.ofRange || f.extension != "" && (f.language == "c" || f.language == "internal" ||
		f.language == "sql" && wrappers[f.extension])
}

// purity of a call of f.
func (s *Snapshot) purity(f *function) (Purity, string) {
	switch {
	case f.builtin():
		return f.ownPurity()
	case !f.compiled():
		return Refused, fmt.Sprintf("function %s is not built in", f)
	case f.volatile != 'i':
		return Refused, fmt.Sprintf("function %s of extension %s is not immutable", f, f.extension)
	}
	for _, oid := range f.parts {
		if p, why := s.functionPurity(oid); p == Refused {
			return p, why
		}
	}
	return Pure, ""
}

// ownPurity is the purity of a built-in function.
func (f *function) ownPurity() (Purity, string) {
	switch {
	case refused.has(f.name):
		return Refused, fmt.Sprintf("the answer of %s depends on more than its arguments and the settings", f)
	case f.volatile == 'v':
		return Refused, fmt.Sprintf("function %s is volatile", f)
	case settings.has(f.name):
		return DependsOnSettings, ""
	case f.volatile == 'i':
		return Pure, ""
	}
	return Refused, fmt.Sprintf("function %s is stable, and not known to depend on settings only", f)
}

func (s *Snapshot) functionPurity(oid uint32) (Purity, string) {
	f := s.functions[oid]
	if f == nil {
		return Refused, fmt.Sprintf("there is no function %d", oid)
	}
	return s.purity(f)
}

func (s *Snapshot) operatorPurity(o *operator) (Purity, string) {
	p, why := s.functionPurity(o.code)
	if p == Refused {
		why = fmt.Sprintf("operator %s: %s", o.name, why)
	}
	return p, why
}

// mayWrite reports whether a call of f may change a relation whose rows may be
// remembered: no sequence, no large object.
func (s *Snapshot) mayWrite(f *function) bool {
	if f.builtin() {
		return runsText.has(f.name)
	}
	for _, oid := range f.parts {
		if part := s.functions[oid]; part == nil || s.mayWrite(part) {
			return true
		}
	}
	if f.compiled() {
		return f.volatile == 'v' && !harmless.has(f.name) || runsText.has(f.name)
	}
	return f.volatile == 'v' || f.nested
}

// callsWriter returns the sentence about a function that t calls and that may
// write, or nothing.
func (s *Snapshot) callsWriter(t *tree) string {
	for _, oid := range s.called(t) {
		f := s.functions[oid]
		if f == nil {
			return fmt.Sprintf("function %d, which is not known", oid)
		}
		if s.mayWrite(f) {
			return fmt.Sprintf("function %s, which may write", f)
		}
	}
	for _, oid := range t.types {
		if typ := s.types[oid]; typ != nil && typ.writer != "" {
			return typ.writer
		}
	}
	return ""
}

// impure returns the sentence about something that t calls whose answer cannot
// be remembered, or nothing.
func (s *Snapshot) impure(t *tree) string {
	for _, oid := range s.called(t) {
		if p, why := s.functionPurity(oid); p == Refused {
			return why
		}
	}
	for _, oid := range t.types {
		if typ := s.types[oid]; typ != nil && typ.purity == Refused {
			return typ.why
		}
	}
	for _, v := range t.values {
		if v <= lastClock || v == currentSchema {
			return "it asks for the time, or for what is in the search_path"
		}
	}
	if t.locks || t.sample {
		return "it locks rows, or has a TABLESAMPLE"
	}
	return ""
}

// The numbers of SQLValueFunctionOp: current_date to localtimestamp, and
// current_schema; those between are roles and the database.
const (
	lastClock     = 8
	currentSchema = 14
)

// called are the functions that t calls by name or by operator.
func (s *Snapshot) called(t *tree) []uint32 {
	if len(t.operators) == 0 {
		return t.functions
	}
	all := append([]uint32(nil), t.functions...)
	for _, oid := range t.operators {
		if o := s.operators[oid]; o != nil {
			all = append(all, o.code)
		} else {
			all = append(all, 0)
		}
	}
	return all
}
