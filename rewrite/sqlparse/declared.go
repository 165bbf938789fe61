package sqlparse

import "math/bits"

// Declared says what is known of a function that is not PostgreSQL's own, by its
// name as PostgreSQL reads it; the schema is empty if none is written. A stateful one
// leaves something behind in its session, any other that is known leaves nothing.
type Declared func(schema, name string) (stateful, known bool)

// ClassifyWith is Classify where something is known of functions. A procedure is a
// function.
func ClassifyWith(text []byte, declared Declared) Class {
	c := classifier{scanner: scanner{text: text}, declared: declared}
	class := c.classify()
	if c.harmlessCall && class.Statements == 1 {
		class.Pins &^= ReasonCall.Set()
		class.Pin = class.Pins.last()
	}
	return class
}

// last returns the greatest reason in the set, ReasonNone if there is none.
func (s Reasons) last() Reason { return Reason(max(bits.Len32(uint32(s))-1, 0)) }

// declaredCall notes the call of a function that is not PostgreSQL's own. It reports
// whether the function is declared.
func (c *classifier) declaredCall() bool {
	if c.declared == nil {
		return false
	}
	schema, name, ok := c.functionName()
	if !ok {
		return false
	}
	stateful, known := c.declared(schema, name)
	switch {
	case stateful:
		c.class.Stateful = true
		return false
	case known:
		c.class.writes, c.class.loose = true, true
		c.harmlessCall = c.harmlessCall || c.name.before == kwCall
	}
	return known
}

// functionName returns the name before a parenthesis.
func (c *classifier) functionName() (schema, name string, ok bool) {
	n := &c.name
	if n.parts > 2 || n.parts == 2 && !n.schemaTok.isWord() {
		return "", "", false
	}
	if n.parts == 2 {
		schema = string(foldName(c.text[n.schemaAt:n.schemaEnd], n.schemaTok))
	}
	return schema, string(foldName(c.text[n.start:n.end], n.tok)), true
}

// foldName returns a name in lower case, unless it is quoted.
func foldName(written []byte, tok token) []byte {
	folded := append([]byte(nil), written...)
	for i, c := range folded {
		if 'A' <= c && c <= 'Z' && tok != tokQuoted {
			folded[i] = c + 'a' - 'A'
		}
	}
	return folded
}
