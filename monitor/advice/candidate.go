package advice

import (
	"fmt"
	"hash/fnv"
	"regexp"
	"slices"
	"strings"

	"github.com/pgjay/pgjay/monitor/plan"
)

// Candidate is an index that may help.
type Candidate struct {
	Table   *Table
	Node    *plan.Node // that it is for
	Method  string     // btree, gin or brin
	Keys    []Key
	Include []string
	Where   string
	Why     string
}

// Key is a column of an index, or an expression.
type Key struct {
	Column     string
	Expression string // in place of a column
	Class      string // operator class; empty: the default one
	Order      string // DESC, NULLS LAST and so on; empty: ascending
}

// placeholder stands in an expression for a literal of the statement, which is not known
// here: literals are not kept. It is a syntax error wherever a value may be.
const placeholder = "<value of the statement>"

func (k Key) String() string {
	text := quote(k.Column)
	if k.Expression != "" {
		text = "(" + strings.ReplaceAll(k.Expression, "?", placeholder) + ")"
	}
	for _, more := range []string{k.Class, k.Order} {
		if more != "" {
			text += " " + more
		}
	}
	return text
}

// columns are the names of the keys; one of an expression is empty.
func (c *Candidate) columns() (names []string) {
	for _, k := range c.Keys {
		names = append(names, k.Column)
	}
	return names
}

// on is the table that the index is advised for: it is on all partitions of a partitioned one.
func (c *Candidate) on() string {
	if c.Table.Whole != nil {
		return c.Table.Whole.String()
	}
	return c.Table.String()
}

// Complete reports whether the definition can be used as it is.
func (c *Candidate) Complete() bool { return !strings.Contains(c.definition(), placeholder) }

// Definition is CREATE INDEX without CONCURRENTLY.
func (c *Candidate) Definition() string { return "CREATE INDEX ON " + c.definition() }

// DefinitionOn is the same on another table, to try it: a partition.
func (c *Candidate) DefinitionOn(t *Table) string { return "CREATE INDEX ON " + c.written(t.String()) }

func (c *Candidate) definition() string { return c.written(c.on()) }

func (c *Candidate) written(text string) string {
	var keys, include []string
	for _, k := range c.Keys {
		keys = append(keys, k.String())
	}
	for _, name := range c.Include {
		include = append(include, quote(name))
	}
	if c.Method != "btree" {
		text += " USING " + c.Method
	}
	text += " (" + strings.Join(keys, ", ") + ")"
	if len(include) > 0 {
		text += " INCLUDE (" + strings.Join(include, ", ") + ")"
	}
	if c.Where != "" {
		text += " WHERE " + c.Where
	}
	return text
}

// DDL is what to paste. CONCURRENTLY is not for partitioned tables.
func (c *Candidate) DDL() string {
	if c.Table.Whole != nil {
		return c.Definition() + ";"
	}
	return "CREATE INDEX CONCURRENTLY ON " + c.definition() + ";"
}

// Extension creates the one that DDL needs and that is not there; empty: none. CONCURRENTLY must
// be alone in its text.
func (c *Candidate) Extension() string {
	if c.Table.Trigrams || !slices.ContainsFunc(c.Keys, func(k Key) bool { return k.Class == trigrams }) {
		return ""
	}
	return "CREATE EXTENSION IF NOT EXISTS pg_trgm;"
}

// ID is the same for the same index.
func (c *Candidate) ID(database string) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(database + "\x00" + c.definition())) // a hash returns no error
	return fmt.Sprintf("index %016x", h.Sum64())
}

// Cost says what the index takes and what it makes slower.
func (c *Candidate) Cost() string {
	width := 12.0
	for _, name := range append(c.columns(), c.Include...) {
		width += max(c.Table.Columns[name].Width, 8)
	}
	part, writes := 1.0, c.Table.Writes // of the table that its size is known of
	if w := c.Table.Whole; w != nil {
		part, writes = c.Table.rows()/max(c.Table.Rows, 1), max(w.Writes, writes)
	}
	bytes := c.Table.rows() * width
	switch c.Method {
	case "gin":
		bytes = part * c.Table.Bytes / 2
	case "brin":
		bytes = part * c.Table.Bytes / 5000
	}
	text := fmt.Sprintf("about %.1f MB; each INSERT, and each UPDATE of a column in it, writes there too", bytes/(1<<20))
	if writes > 0 {
		text += fmt.Sprintf(" (%.0f rows written since the table's statistics began)", writes)
	}
	if c.Table.Whole != nil {
		text += "; it is for all partitions, and who writes waits while it is made: to avoid that create it on each partition first, CONCURRENTLY, " +
			"as these are taken then"
	}
	return text
}

// Made reports whether the index is there as it is advised, with any values where it has
// placeholders, and under any name.
func (c *Candidate) Made() bool {
	own := regexp.QuoteMeta(bare(c.written(c.Table.String())))
	own = strings.ReplaceAll(own, regexp.QuoteMeta(bare(placeholder)), ".+")
	definition := regexp.MustCompile("(?i)^" + own + "$")
	return slices.ContainsFunc(c.Table.Indexes, func(e Existing) bool {
		_, of, ok := strings.Cut(e.Definition, " ON ")
		return ok && definition.MatchString(bare(strings.TrimPrefix(of, "ONLY ")))
	})
}

// bare is a definition without what PostgreSQL writes otherwise than it was given.
func bare(definition string) string {
	return strings.NewReplacer(" USING btree", "", " ", "", "(", "", ")", "").Replace(definition)
}

// begins reports whether an index begins with the keys, of which some are expressions.
func (c *Candidate) begins(e Existing) bool {
	if e.Method != c.Method || e.Partial && c.Where == "" || len(e.Keys) < len(c.Keys) {
		return false
	}
	for i, k := range c.Keys {
		if e.Keys[i] != k.Column || !strings.Contains(bare(e.Definition), bare(k.Expression)) {
			return false
		}
	}
	return true
}

// Exists reports whether there is such an index.
func (c *Candidate) Exists() bool {
	columns := c.columns()
	if slices.Contains(columns, "") {
		return slices.ContainsFunc(c.Table.Indexes, c.begins)
	}
	if len(c.Include) > 0 && !c.Table.has(c.Method, columns) {
		return false
	}
	if c.Where == "" && (c.Method == "btree" && c.Keys[0].Class == "" || c.Method == "brin") {
		return c.Table.has(c.Method, columns)
	}
	return slices.ContainsFunc(c.Table.Indexes, func(e Existing) bool {
		return e.Method == c.Method && slices.Equal(e.Keys, columns) && strings.Contains(e.Definition, c.Keys[0].Class) && e.Partial == (c.Where != "")
	})
}
