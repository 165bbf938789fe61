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

// Complete reports whether the definition can be used as it is.
func (c *Candidate) Complete() bool { return !strings.Contains(c.definition(), placeholder) }

// Definition is CREATE INDEX without CONCURRENTLY, to try it.
func (c *Candidate) Definition() string { return "CREATE INDEX ON " + c.definition() }

func (c *Candidate) definition() string {
	var keys, include []string
	for _, k := range c.Keys {
		keys = append(keys, k.String())
	}
	for _, name := range c.Include {
		include = append(include, quote(name))
	}
	text := c.Table.String()
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

// DDL is what to paste.
func (c *Candidate) DDL() string { return "CREATE INDEX CONCURRENTLY ON " + c.definition() + ";" }

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
	bytes := c.Table.Rows * width
	switch c.Method {
	case "gin":
		bytes = c.Table.Bytes / 2
	case "brin":
		bytes = c.Table.Bytes / 5000
	}
	text := fmt.Sprintf("about %.1f MB; each INSERT, and each UPDATE of a column in it, writes there too", bytes/(1<<20))
	if c.Table.Writes > 0 {
		text += fmt.Sprintf(" (%.0f rows written since the table's statistics began)", c.Table.Writes)
	}
	return text
}

// Made reports whether the index is there as it is advised, with any values where it has
// placeholders, and under any name.
func (c *Candidate) Made() bool {
	own := regexp.QuoteMeta(bare(c.definition()))
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

// Exists reports whether there is such an index.
func (c *Candidate) Exists() bool {
	columns := c.columns()
	if slices.Contains(columns, "") {
		for _, e := range c.Table.Indexes {
			if strings.Contains(strings.ReplaceAll(e.Definition, " ", ""), strings.ReplaceAll(c.Keys[0].Expression, " ", "")) {
				return true
			}
		}
		return false
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
