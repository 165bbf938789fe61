package sqlparse

// Classify says what a text may do to its session: all that a Query executes,
// or what a Parse prepares. It takes linear time, allocates nothing and has an
// answer for every text. When in doubt it pins.
//
// A text that is not ended (a string, a comment, a quoted name) is a syntax
// error, and PostgreSQL reads the whole text before it executes any of it:
// nothing would happen. But that it is not ended may also mean that PostgreSQL
// reads it differently, so it pins.
func Classify(text []byte) Class {
	c := classifier{scanner: scanner{text: text}}
	return c.classify()
}

func (c *classifier) classify() Class {
	text := c.text
	c.run()
	if c.broken || c.ambiguous && readable(text[c.doubtful:]) {
		c.pin(ReasonUnparsed)
	}
	c.class.Loads = c.class.Loads || c.class.Pins&loading != 0
	c.class.ReadsSequences = c.class.Pins.Has(ReasonSequence)
	c.noteSequences()
	if c.class.Pins.Has(ReasonSetting) || c.class.Nulls {
		c.class.text = text
	}
	if c.class.Reset != ResetNone {
		c.class.text = text
		if c.class.Statements > 1 {
			c.class.Reset = ResetName
		}
	}
	return c.class
}

// readable reports whether a text can be read on with
// standard_conforming_strings off. If not it would be a syntax error then, so
// nothing would happen; and if the setting is on our first reading is right. The
// usual case is LIKE $1 ESCAPE '\', where the string would not end.
func readable(text []byte) bool {
	s := scanner{text: text, escapes: true}
	for s.next() != tokEnd {
	}
	return !s.broken
}

// classifier reads a text once, token by token, and remembers only what later
// tokens need. It lives on the stack.
type classifier struct {
	scanner
	statement
	class Class

	setting    string // the setting that Class.Resets asks for, if any
	reset      bool   // whether it has been put back
	resetLocal bool   // whether it has been until the end of the transaction
	changed    *changed
	configs    *[]Config // those that Class.Configs asks for

	declared     Declared // nil: nothing is known of functions
	harmlessCall bool     // a procedure of which it is known was called
}

// statement is what is known of the statement being read. The zero value:
// nothing has been read of it.
type statement struct {
	verb      token // the word it begins with, tokStart: not read yet
	command   Command
	mode      mode
	explain   bool // EXPLAIN stands before it
	following bool // follow wants the tokens after the verb
	verbDepth int
	kind      token // of the object after CREATE, tokStart: not read yet

	prev, prev2 token // the tokens before
	// The last literal.
	literalStart, literalEnd int
	name                     name // the last name read
	parens                   parens
	change                   change
	config                   config
}

// mode says where function calls are to be looked for.
type mode uint8

const (
	// modeQuery: what looks like a call is one.
	modeQuery mode = iota
	// modeSchema: definitions of tables and indexes. Expressions are in
	// parentheses or behind a reserved word; what stands behind a name is a
	// type or a list of columns.
	modeSchema
	// modeNone: nothing is evaluated now.
	modeNone
)

func (c *classifier) run() {
	for {
		t := c.next()
		if c.following {
			c.follow(t)
		}
		switch {
		case t.isWord():
			c.word(t)
		case t == tokEnd:
			c.endStatement()
			return
		case t == tokSemicolon:
			c.endStatement()
			continue
		case t == tokOpen:
			c.open()
		case t == tokClose:
			c.close()
		case t == tokComma:
			c.comma()
		case t == tokDot:
			c.dotted()
		case t == tokLiteral:
			c.literal()
		}
		c.prev2, c.prev = c.prev, t
	}
}

// pin notes a reason.
func (c *classifier) pin(why Reason) {
	c.class.Pin = max(c.class.Pin, why)
	c.class.Pins |= why.Set()
	c.class.loose = c.class.loose || why.loose()
}

// literal notes a string, number or parameter.
func (c *classifier) literal() {
	c.literalStart, c.literalEnd = c.start, c.end
	if c.config.depth != 0 || c.verb == kwSet {
		c.checkTemporaryPath()
	}
}

// endStatement draws the conclusions that need the end of a statement.
func (c *classifier) endStatement() {
	if c.verb == tokStart && !c.explain && (c.prev == tokStart || c.prev == tokClose) {
		c.statement = statement{} // empty, or the end of a rule's actions
		return
	}
	if c.command <= CommandUnknown {
		c.command = CommandUnknown
		c.pin(ReasonUnknownCommand)
	}
	if c.config.depth != 0 {
		c.pin(ReasonSetting)
		c.noteUnknown()
	}
	if c.class.Reset != ResetNone && !c.command.ignoresSettings() {
		c.class.ReadsReset = true
	}
	switch c.verb {
	case kwSet, kwReset:
		c.endSetting()
	case kwDiscard:
		c.endDiscard()
	}
	switch c.command {
	case CommandDDL, CommandDo, CommandCall:
		c.class.Defines = true
	}
	if c.command == CommandDDL && (c.kind == kwFunction || c.kind == kwProcedure) {
		c.class.Loads = true
	}
	if !c.command.transactional() {
		c.class.loose = true
	}
	if c.explain {
		c.class.writes = c.class.writes || !c.command.readOnly()
		c.command = CommandExplain
	}
	if c.class.Statements == 0 {
		c.class.First, c.class.exits = c.command, c.exits()
	}
	c.class.Statements++
	c.statement = statement{}
}
