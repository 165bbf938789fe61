package sqlparse

// isCall reports whether the name before a parenthesis is a function's, as far
// as the tokens around it tell. It says no only where PostgreSQL's grammar has
// no place for a call.
func (c *classifier) isCall() bool {
	n := &c.name
	if n.parts == 1 && (n.tok.isReserved() || c.isClause()) {
		return false
	}
	return !c.isObject() && !(c.mode == modeSchema && c.isDefinition())
}

// isClause reports whether the unreserved keyword before a parenthesis belongs
// to a clause. Functions with these names would be overlooked in these places.
func (c *classifier) isClause() bool {
	before := c.name.before
	switch c.name.tok {
	case kwOperator, kwIlike:
		return true
	case kwBy:
		return before == kwOrder || before == kwGroup || before == kwPartition
	case kwCube, kwRollup:
		return before == kwBy && c.name.before2 == kwGroup
	case kwConflict:
		return before == kwOn
	case kwKey:
		return before == kwPrimary || before == kwForeign
	case kwSets:
		return before == kwGrouping
	case kwZone:
		return before == kwTime
	case kwFirst, kwNext:
		return before == kwFetch
	case kwOver:
		return before == kwNulls // IGNORE NULLS OVER (
	case kwMaterialized:
		return before == kwNot && c.parens.inWith()
	case kwSet:
		return before.isName() || before == kwUpdate
	case kwVarying:
		return before == kwCharacter || before == kwChar || before == kwNchar || before == kwBit
	case kwStdin, kwStdout:
		return c.verb == kwCopy
	case kwInsert:
		return before == kwThen && c.command == CommandMerge
	case kwJoin:
		switch before {
		case tokIdent, tokQuoted, kwLeft, kwRight, kwFull, kwInner, kwOuter, kwCross, kwNatural:
			return true
		}
	}
	return false
}

// isObject reports whether the token before the name says that it is the name
// of a table, a type, an alias or a clause.
func (c *classifier) isObject() bool {
	switch c.name.before {
	case tokStart, // the command itself: COPY (, EXPLAIN (
		tokLiteral, // INTERVAL '1' SECOND (3), JSON_TABLE('..' COLUMNS (
		tokCast, kwAs,
		kwWith, kwRecursive, // WITH x (a, b) AS
		kwInto, kwTable, kwExists, kwReferences, kwTablesample,
		kwFunction, kwProcedure, kwRoutine, kwAggregate:
		return true
	case tokClose: // an alias, OVER, FILTER, INCLUDE, ...
		return !c.parens.operand
	case tokComma: // WITH x AS (..), y (a, b) AS
		return c.parens.inWith()
	case kwCopy:
		return c.verb == kwCopy
	}
	return false
}

// isDefinition does so for the definitions of tables and indexes.
func (c *classifier) isDefinition() bool {
	switch c.name.before {
	case tokIdent, tokQuoted, // a type behind its column
		kwOn, kwOnly, kwOf, kwBy, kwType, kwView:
		return true
	case kwUsing: // an access method; in ALTER TABLE it may be an expression
		return c.kind == kwIndex || c.name.before2 == kwExclude
	}
	return false
}

// call notes the call of the function with the name before a parenthesis.
func (c *classifier) call() {
	e, known := c.lookUp()
	if !known && !c.declaredCall() {
		e = effect{pin: ReasonFunction, writes: true}
	}
	if e.config {
		c.class.Sets = true
		c.startConfig()
	}
	c.pin(e.pin)
	c.class.writes = c.class.writes || e.writes
	c.class.ReadsState = c.class.ReadsState || e.reads
	c.class.Releases = c.class.Releases || e.frees
	c.class.Advances = c.class.Advances || e.advances
}

// lookUp returns what is known of the function.
func (c *classifier) lookUp() (e effect, known bool) {
	n := &c.name
	var buf [64]byte
	lower, ok := lowerName(&buf, c.text[n.start:n.end], n.tok)
	if !ok {
		return effect{}, false
	}
	switch {
	case n.parts == 1:
	case n.parts > 2:
		return effect{}, false
	case c.schemaIs("information_schema"):
		// Helpers of its views, which JDBC drivers use too.
		return effect{}, len(lower) > 4 && string(lower[:4]) == "_pg_"
	case !c.schemaIs("pg_catalog"):
		return effect{}, false
	}
	e, known = functions[string(lower)]
	return e, known
}

// schemaIs reports whether the name's schema is the one given.
func (c *classifier) schemaIs(schema string) bool {
	n := &c.name
	written := c.text[n.schemaAt:n.schemaEnd]
	if n.schemaTok == tokQuoted {
		return string(written) == schema
	}
	return equalFold(written, schema)
}

// lowerName returns the name as PostgreSQL reads it: in lower case unless it
// is quoted. Names that do not fit are longer than any that we know.
func lowerName(buf *[64]byte, written []byte, tok token) (lower []byte, ok bool) {
	if len(written) > len(buf) {
		return nil, false
	}
	lower = buf[:copy(buf[:], written)]
	for i, c := range lower {
		if 'A' <= c && c <= 'Z' && tok != tokQuoted {
			lower[i] = c + 'a' - 'A'
		}
	}
	return lower, true
}
