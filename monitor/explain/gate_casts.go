package explain

import (
	"bytes"
	"slices"
	"strings"
)

// A cast between PostgreSQL's own types may have a function of the database's own. One that is
// neither implicit nor for assignments must be written: with :: or CAST, by the type's name as
// that of a function, or in functions for JSON and XML. The name may be that of a domain, too.
// Plans have casts that nobody has written: what a plan is of has been read before.

// conversions are casts that must be written, and what was read of texts.
type conversions struct {
	functions []string        // of casts
	types     []string        // by whose names they may be called
	written   bool            // some cast is
	words     map[string]bool // that were read
}

// read notes what may be a cast.
func (c *conversions) read(m mentions) {
	if m.planned {
		return
	}
	if c.words == nil {
		c.words = make(map[string]bool)
	}
	c.written = c.written || bytes.Contains(m.text, []byte("::")) || len(m.foreign)+len(m.looseForeign) > 0
	for _, word := range slices.Concat(m.calls, m.loose) {
		c.words[word] = true
		switch {
		case word == "cast", word == "treat", word == "returning", strings.HasPrefix(word, "json"), strings.HasPrefix(word, "xml"):
			c.written = true
		}
	}
}

// converts reports whether one of the casts may be in what was read.
func (c *conversions) converts() bool {
	return len(c.functions) > 0 && (c.written || slices.ContainsFunc(c.types, func(name string) bool { return c.words[name] || !ascii(name) }))
}
