package sqlparse

import (
	"bytes"
	"slices"
	"strings"
)

// changed collects the settings that a text changes beyond its transaction.
type changed struct {
	names   []string
	unknown bool // there are others
}

// Changed returns the names, in lower case, of the settings that the text sets
// or resets beyond its transaction, each once. known is false when there may be
// others: after RESET ALL, DISCARD ALL, or set_config with a name that is not a
// plain string. The text is read again; it must not have changed since Classify.
func (c Class) Changed() (names []string, known bool) {
	if !c.Pins.Has(ReasonSetting) {
		return nil, c.Reset == ResetNone
	}
	found := changed{}
	cl := classifier{scanner: scanner{text: c.text}, changed: &found}
	cl.run()
	return found.names, !found.unknown && !cl.broken
}

// noteUnknown notes that it is not known which setting is changed.
func (c *classifier) noteUnknown() {
	if c.changed != nil {
		c.changed.unknown = true
	}
}

// noteUnnamed pins for a setting whose name cannot be read.
func (c *classifier) noteUnnamed() {
	c.pin(ReasonAnySetting)
	c.noteUnknown()
}

// noteChange notes what a SET or RESET changes.
func (c *classifier) noteChange() {
	ch := &c.change
	switch {
	case c.changed == nil:
		c.checkName(c.text[ch.start:ch.end], ch.odd)
	case ch.tok == kwAll && c.verb == kwReset:
		c.noteUnknown()
	case ch.tok == kwCharacteristics: // SET SESSION CHARACTERISTICS AS TRANSACTION
		for _, name := range []string{"isolation", "read_only", "deferrable"} {
			c.noteSetting("default_transaction_" + name)
		}
	default:
		if name := ch.special(); name != "" {
			c.noteSetting(name)
		} else {
			c.noteSetting(ch.written)
		}
	}
}

// noteConfig notes what set_config changes.
func (c *classifier) noteConfig() {
	name := c.configName()
	switch {
	case name == nil:
		c.noteUnnamed()
	case c.changed == nil:
		c.checkName(name, bytes.ContainsFunc(name, notInSetting))
	default:
		c.noteSetting(string(name))
	}
}

// configName returns the name in a call of set_config as written, nil if it is
// not a plain string.
func (c *classifier) configName() []byte {
	literal := c.text[c.config.start:c.config.end]
	if len(literal) <= 2 || literal[0] != '\'' {
		return nil
	}
	return literal[1 : len(literal)-1]
}

// checkName pins if a setting cannot be asked for.
func (c *classifier) checkName(setting []byte, odd bool) {
	c.noteSeed(setting)
	if odd {
		c.noteUnnamed()
	}
}

// noteSeed pins if the setting is the seed of random(): that is a setting only
// by name. Its value cannot be asked for, and does not end with a transaction.
func (c *classifier) noteSeed(setting []byte) {
	if equalFoldStrings("seed", setting) {
		c.pin(ReasonSeed)
	}
}

// noteSetting notes a setting by its name as written. What is set of the
// transaction ends with it.
func (c *classifier) noteSetting(written string) {
	name := strings.ToLower(written)
	switch {
	case name == "seed", strings.HasPrefix(name, "transaction_"):
	case strings.ContainsFunc(name, notInSetting):
		c.noteUnknown()
	case !slices.Contains(c.changed.names, name):
		c.changed.names = append(c.changed.names, name)
	}
}

// notInSetting reports whether a character is not to be expected in the name of
// a setting: one is written with quotes, or has an escape in it.
func notInSetting(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '.'
}
