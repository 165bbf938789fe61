package sqlparse

import "bytes"

// change is what is known of a SET, RESET or DISCARD.
type change struct {
	stage      stage
	tok        token  // the first word of the setting's name; tokIdent if there is a dot in it
	start, end int    // the name
	odd        bool   // it cannot be asked for
	local      bool   // SET LOCAL
	written    string // the name without what stands between its parts, if Class.Changed wants it
}

// stage says how far a change has been read.
type stage uint8

const (
	stageVerb    stage = iota // SET, RESET or DISCARD
	stageSession              // SET SESSION
	stageLocal                // SET LOCAL, SET TRANSACTION or SET CONSTRAINTS, if a word follows
	stageName                 // the setting's name, and all behind it
	stageNoState              // it ends with the transaction
)

// followSetting looks at a token behind SET, RESET or DISCARD.
func (c *classifier) followSetting(t token) {
	ch := &c.change
	switch ch.stage {
	case stageVerb:
		ch.stage = stageName
		if c.verb == kwSet {
			ch.stage = afterSet(t)
		}
		ch.tok, ch.start, ch.end = t, c.start, c.end
		c.namePart()
	case stageSession:
		ch.stage = stageName
		if t.isWord() { // else it is a setting: session.x
			*ch = change{stage: stageName, tok: t, start: c.start, end: c.end}
			c.namePart()
		}
	case stageLocal:
		ch.stage = stageName
		if t.isWord() && t != kwTo { // else it is a setting: local.x
			*ch = change{stage: stageNoState, local: ch.tok == kwLocal, tok: t, start: c.start, end: c.end}
			c.noteSeed(c.text[c.start:c.end])
		}
	case stageNoState:
		if t.isWord() && c.prev == tokDot {
			ch.tok, ch.end = tokIdent, c.end
		}
	case stageName:
		if t.isWord() && c.prev == tokDot {
			ch.tok, ch.end = tokIdent, c.end
			c.namePart()
		}
	}
}

// namePart notes a part of the setting's name.
func (c *classifier) namePart() {
	ch, part := &c.change, c.text[c.start:c.end]
	ch.odd = ch.odd || bytes.ContainsFunc(part, notInSetting)
	switch {
	case c.changed == nil:
	case ch.written == "":
		ch.written = string(part)
	default:
		ch.written += "." + string(part)
	}
}

// afterSet says what the first word behind SET announces.
func afterSet(t token) stage {
	switch t {
	case kwSession:
		return stageSession
	case kwLocal, kwTransaction, kwConstraints:
		return stageLocal
	}
	return stageName
}

// endSetting draws the conclusions from a SET or RESET.
func (c *classifier) endSetting() {
	ch := &c.change
	c.class.Sets = c.class.Sets || ch.stage != stageNoState || ch.local
	if ch.stage == stageNoState {
		c.endLocal()
		return
	}
	c.pin(ReasonSetting)
	c.noteChange()
	all := c.verb == kwReset && ch.tok == kwAll
	back := c.verb == kwReset || ch.toDefault(c.prev)
	switch {
	case all:
		c.class.Reset = ResetAll
	case back:
		c.class.Reset = ResetName
	}
	if all || c.changes(c.setting) {
		c.reset, c.resetLocal = back, false
	}
}

// endLocal draws the conclusions from a SET that ends with the transaction.
func (c *classifier) endLocal() {
	ch := &c.change
	if !ch.local {
		return
	}
	back := ch.toDefault(c.prev)
	if back {
		c.class.Reset = max(c.class.Reset, ResetName)
	}
	if c.changes(c.setting) {
		c.resetLocal = back
	}
}

// endDiscard draws the conclusions from a DISCARD.
func (c *classifier) endDiscard() {
	if c.change.tok == kwAll {
		c.class.Reset, c.class.Drops = DiscardAll, true
		c.reset, c.resetLocal = true, false
	}
}

// toDefault reports whether a SET that ends with the token last puts the
// setting back.
func (ch *change) toDefault(last token) bool {
	return last == kwDefault ||
		ch.tok == kwTime && last == kwLocal || // SET TIME ZONE LOCAL
		ch.tok == kwNames && last == kwNames // SET NAMES
}

// changes reports whether the setting with this name is changed.
func (c *classifier) changes(setting string) bool {
	ch := &c.change
	if name := ch.special(); name != "" {
		return equalFoldStrings(setting, []byte(name))
	}
	return equalFoldStrings(setting, c.text[ch.start:ch.end])
}

// special returns the name of a setting that has a grammar of its own, or "".
func (ch *change) special() string {
	switch ch.tok {
	case kwTime: // ZONE
		return "timezone"
	case kwNames:
		return "client_encoding"
	case kwSchema:
		return "search_path"
	case kwXml:
		return "xmloption"
	case kwTransaction: // ISOLATION LEVEL
		return "transaction_isolation"
	case kwSession, kwAuthorization:
		return "session_authorization"
	}
	return ""
}

// equalFoldStrings compares two names without regard to the case of letters.
func equalFoldStrings(a string, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range b {
		x, y := a[i], b[i]
		if x != y && (x|0x20 != y|0x20 || x|0x20 < 'a' || x|0x20 > 'z') {
			return false
		}
	}
	return true
}

// config is a call of set_config that is being read.
type config struct {
	depth      int // of its arguments, 0: there is none
	commas     int
	valueAt    int // where its second argument begins
	valueEnd   int
	start, end int // its first argument, if that is a literal
}

// startConfig notes a call of set_config. One inside another is too much.
func (c *classifier) startConfig() {
	if c.config.depth != 0 {
		c.pin(ReasonSetting)
		c.noteUnnamed()
		c.addConfig(Config{Value: ConfigUnknown})
		return
	}
	c.config = config{depth: c.parens.depth + 1}
}

// endConfig pins unless the third argument of set_config is the word true:
// then the setting ends with the transaction.
func (c *classifier) endConfig() {
	if c.config.depth == 0 {
		return
	}
	c.noteConfigCall()
	if c.config.commas != 2 || c.prev != kwTrue || c.prev2 != tokComma {
		c.pin(ReasonSetting)
		c.noteConfig()
	} else {
		c.noteSeed(c.configName())
	}
	c.config = config{}
}
