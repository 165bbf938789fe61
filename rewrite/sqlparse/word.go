package sqlparse

import "bytes"

// name is a name as far as it has been read: schema.name has two parts.
type name struct {
	parts           int
	tok             token // of the last part
	start, end      int   // of the last part
	schemaTok       token // of the part before
	schemaAt        int
	schemaEnd       int
	before, before2 token // the tokens before the name
}

// word handles a name or a keyword.
func (c *classifier) word(t token) {
	c.extendName(t)
	switch {
	case c.verb == tokStart:
		c.begin(t)
	case t.isName():
		if c.end-c.start >= len(temporarySchema) && c.text[c.start]|0x20 == 'p' {
			c.checkTemporarySchema()
			c.checkPreparedView()
			c.checkLoginView()
		}
		c.checkSettingsView()
	default:
		if c.parens.withs != 0 {
			c.followList(t)
		}
		c.keyword(t)
	}
}

// followList ends the list of a WITH at the first keyword that is neither part
// of the list nor the name of an entry.
func (c *classifier) followList(t token) {
	switch c.prev {
	case kwWith, kwRecursive, tokComma:
		return
	}
	switch t {
	case kwAs, kwNot, kwMaterialized:
		return
	}
	c.parens.endWith()
}

// extendName adds a word to the name before it if there is a dot between them,
// or begins a new one.
func (c *classifier) extendName(t token) {
	n := &c.name
	if c.prev == tokDot {
		n.parts++
		n.schemaTok, n.schemaAt, n.schemaEnd = n.tok, n.start, n.end
	} else {
		n.parts = 1
		n.before, n.before2 = c.prev, c.prev2
	}
	n.tok, n.start, n.end = t, c.start, c.end
}

// dotted notes a dot. One that does not follow a word begins a name whose first
// part is unknown.
func (c *classifier) dotted() {
	if !c.prev.isWord() {
		c.name = name{parts: 1, tok: tokOther, before: c.prev, before2: c.prev2}
	}
}

// keyword handles the keywords that mean something wherever they stand. Some
// of them may be names of columns: then we pin for nothing.
func (c *classifier) keyword(t token) {
	switch t {
	case kwWith:
		if c.prev == tokOpen || c.prev == kwAs || c.prev == kwFor { // else it is WITH ORDINALITY, WITH HOLD, ...
			c.parens.startWith()
		}
	case kwInto:
		c.class.writes = true
	case kwFrom:
		if c.prev == kwDelete {
			c.class.writes = true
		}
	case kwUpdate:
		if c.prev != kwFor && c.prev != kwKey { // SELECT ... FOR [NO KEY] UPDATE
			c.class.writes = true
		} else {
			c.class.Locks = true
		}
	case kwUnreserved:
		if (c.prev == kwFor || c.prev == kwKey) && equalFold(c.text[c.start:c.end], "share") {
			c.class.Locks = true
		}
	case kwTemp, kwTemporary:
		if c.createsTemporary() {
			c.pin(ReasonTemporary)
		}
	case kwExecute:
		if c.prev == kwAs { // CREATE TABLE x AS EXECUTE y
			c.pin(ReasonPrepared)
		}
	case kwAs:
		if c.mode == modeSchema && c.parens.depth == 0 { // CREATE TABLE x AS SELECT
			c.mode = modeQuery
		}
	}
}

// createsTemporary reports whether TEMP makes the object behind it temporary:
// in CREATE [LOCAL | GLOBAL] TEMP and in SELECT INTO [LOCAL | GLOBAL] TEMP.
func (c *classifier) createsTemporary() bool {
	switch c.prev {
	case kwCreate, kwReplace:
		return true
	case kwInto:
		return c.prev2 != kwInsert && c.prev2 != kwMerge
	case kwLocal, kwGlobal:
		return c.prev2 == kwCreate || c.prev2 == kwInto
	}
	return false
}

// temporarySchema is the alias of the session's own schema for temporary
// objects; its true name has a number behind it.
const temporarySchema = "pg_temp"

// checkTemporarySchema pins if the word just read names that schema.
func (c *classifier) checkTemporarySchema() {
	n := len(temporarySchema)
	if equalFold(c.text[c.start:c.start+n], temporarySchema) && (c.end == c.start+n || c.text[c.start+n] == '_') {
		c.pin(ReasonTemporary)
	}
}

// checkPreparedView pins if the word just read names the view of the session's
// prepared statements.
func (c *classifier) checkPreparedView() {
	if equalFoldStrings("pg_prepared_statements", c.text[c.start:c.end]) {
		c.pin(ReasonPrepared)
	}
}

// loginView is the view that counts the logins to a database.
const loginView = "pg_stat_database"

// checkLoginView notes whether the word just read is that view.
func (c *classifier) checkLoginView() {
	c.class.CountsLogins = c.class.CountsLogins || equalFold(c.text[c.start:c.end], loginView)
}

// settingsView is the view of all settings. An UPDATE of it is a set_config of
// each of its rows.
const settingsView = "pg_settings"

// checkSettingsView pins if the word just read is that view and may be updated:
// behind ONLY it need not be.
func (c *classifier) checkSettingsView() {
	before := c.name.before
	if before == tokOpen {
		before = c.name.before2
	}
	if before != kwUpdate && before != kwOnly {
		return
	}
	if equalFold(c.text[c.start:c.end], settingsView) {
		c.pin(ReasonSetting)
		c.noteUnnamed()
		c.addConfig(Config{Value: ConfigUnknown})
	}
}

// checkTemporaryPath pins if the string just read may put the temporary schema
// into search_path: then the next CREATE creates a temporary object.
func (c *classifier) checkTemporaryPath() {
	literal := c.text[c.start:c.end]
	if literal[0]|0x20 == 'u' || bytes.IndexByte(literal, '\\') >= 0 || containsFold(literal, temporarySchema) {
		c.pin(ReasonTemporary)
	}
}

// containsFold reports whether lower, in any case, is in text.
func containsFold(text []byte, lower string) bool {
	for i := 0; i+len(lower) <= len(text); i++ {
		if text[i]|0x20 == lower[0] && equalFold(text[i:i+len(lower)], lower) {
			return true
		}
	}
	return false
}
