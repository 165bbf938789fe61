package sqlparse

import "slices"

// In some statements a word is as much a value as a string is: SET app.token = abc, and what
// PostgreSQL refuses, ALTER USER app PASSWORD abc. None is left in a shape for people. What is
// let in is listed here and in shape_secret.go; all else is one placeholder, however many
// tokens it has.

// hidingStage says how far a statement has been read that may have a word as a value.
type hidingStage uint8

const (
	hidingStart   hidingStage = iota // of a statement
	hidingUnknown                    // no statement begins so: keywords are shown
	hidingExplain                    // behind EXPLAIN
	hidingCreate                     // behind CREATE, of which the kind is to come
	hidingAlter                      // behind ALTER
	hidingOptions                    // OPTIONS may come
	hidingSeek                       // SET may come: in ALTER and CREATE FUNCTION
	hidingName                       // behind SET
	hidingValue                      // behind = or TO
	hidingStrict                     // in a statement about roles, servers and the like
	hidingSecret                     // behind PASSWORD or CONNECTION there
	hidingRest                       // all is a value up to the end of the statement, but for s.let
	hidingNone                       // there is none up to the end of the statement
)

// wordList are those that are shown, in lower case.
type wordList []string

// has reports whether a word is one of them, in any case.
func (w wordList) has(word []byte) bool {
	return slices.ContainsFunc(w, func(known string) bool { return equalFoldStrings(known, word) })
}

var (
	// usualValues are values that most settings have.
	usualValues = wordList{"default", "on", "off", "true", "false"}
	fromCurrent = wordList{"from", "current"}
	// explainOptions are the options of EXPLAIN and their values.
	explainOptions = wordList{"analyze", "analyse", "verbose", "costs", "settings", "generic_plan", "buffers", "serialize", "wal",
		"timing", "summary", "memory", "format", "text", "xml", "json", "yaml", "none", "binary", "on", "off", "true", "false"}
	// functionOptions may follow the value of a setting in ALTER and CREATE FUNCTION.
	functionOptions = wordList{"set", "reset", "language", "as", "immutable", "stable", "volatile", "strict", "called", "returns", "security",
		"external", "leakproof", "not", "parallel", "cost", "rows", "support", "transform", "window", "begin", "return", "restrict"}
	transactionModes = wordList{"as", "transaction", "isolation", "level", "serializable", "repeatable", "read", "committed", "uncommitted",
		"write", "only", "not", "deferrable", "snapshot", ","}
)

// behindSet are the words that may follow the first ones of a SET that has neither = nor TO.
var behindSet = map[string]wordList{
	"role":            {"none"},
	"authorization":   {"default"},
	"time":            {"zone", "local", "default"},
	"schema":          {"default"},
	"names":           {"default"},
	"xml":             {"option", "document", "content"},
	"transaction":     transactionModes,
	"characteristics": transactionModes,
}

// hides looks at the next token, and reports whether it is, or may be, a value.
func (s *shaper) hides(t token, written []byte) bool {
	switch s.stage {
	case hidingStart:
		return s.begin(t)
	case hidingUnknown:
		return t <= tokQuoted
	case hidingExplain:
		return s.inExplain(t, written)
	case hidingCreate, hidingAlter:
		return s.kind(t, written)
	case hidingOptions:
		s.inOptions(t, written)
	case hidingSeek:
		if t == kwSet {
			s.stage = hidingName
		}
	case hidingName:
		return s.inName(t, written)
	case hidingValue:
		return s.inValue(t, written)
	case hidingStrict:
		return s.inStrict(t, written)
	case hidingSecret:
		return s.inSecret(t, written)
	case hidingRest:
		return !s.let.has(written)
	}
	return false
}

// begin looks at the first token of a statement.
func (s *shaper) begin(t token) bool {
	s.onlySets, s.naming, s.foreign, s.let = t == kwSet, false, false, nil
	switch {
	case t == tokOpen: // of a SELECT
	case t == kwSet:
		s.stage = hidingName
	case t == kwAlter:
		s.stage = hidingAlter
	case t == kwCreate:
		s.stage = hidingCreate
	case t == kwExplain:
		s.stage = hidingExplain
	case t == kwImport:
		s.stage, s.foreign = hidingOptions, true
	case verbs[t].command != CommandNone:
		s.stage = hidingNone
	default:
		s.stage = hidingUnknown
		return t <= tokQuoted
	}
	return false
}

// inExplain looks for the statement behind the options of EXPLAIN.
func (s *shaper) inExplain(t token, written []byte) bool {
	switch {
	case !t.isWord():
		return t != tokOpen && t != tokClose && t != tokComma
	case explainOptions.has(written):
		return false
	case t > tokQuoted && verbs[t].command != CommandNone:
		return s.begin(t)
	}
	return true
}

// inName looks at what follows in [SESSION | LOCAL] name { TO | = }.
func (s *shaper) inName(t token, written []byte) bool {
	first := s.prev == kwSet || s.prev == kwSession || s.prev == kwLocal
	switch {
	case (t == kwTo || written[0] == '=') && s.prev.isWord():
		s.stage = hidingValue
		return false
	case t == tokDot, t.isWord() && (first || s.prev == tokDot):
		return false
	case !s.onlySets && t == kwFrom:
		s.stage = hidingSeek
		return false
	case s.onlySets && s.prev == kwConstraints:
		s.stage = hidingNone
		return false
	}
	s.stage, s.let = hidingRest, fromCurrent
	if s.onlySets {
		s.let = s.behindSet()
	}
	return !s.let.has(written)
}

// behindSet returns what may follow the word that was just read.
func (s *shaper) behindSet() wordList {
	for name, let := range behindSet {
		if equalFoldStrings(name, s.last) {
			return let
		}
	}
	return fromCurrent
}

// inValue looks at a part of a list of values, or what follows it.
func (s *shaper) inValue(t token, written []byte) bool {
	behind := s.prev.isWord() && s.prev != kwTo || s.prev == tokLiteral
	switch {
	case t == tokComma:
		return false
	case behind && !s.onlySets && functionOptions.has(written):
		s.stage = hidingSeek
		return s.hides(t, written)
	case behind:
		s.stage, s.let = hidingRest, nil
		return true
	case t == tokLiteral:
		return s.hidden > 0
	}
	return !usualValues.has(written)
}
