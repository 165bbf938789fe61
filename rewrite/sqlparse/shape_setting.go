package sqlparse

// The value of a setting may be a word, which is as much a value as a string is: SET
// app.token = abc. None is left in a shape, but for those that most settings have.

// settingStage says how far a statement has been read that may give a setting a value.
type settingStage uint8

const (
	settingStart  settingStage = iota // of a statement
	settingCreate                     // behind CREATE
	settingSeek                       // SET may come: in ALTER, CREATE FUNCTION
	settingName                       // behind SET
	settingValue                      // behind = or TO
	settingNone                       // there is none up to the end of the statement
)

// usualValues are the words that are left.
var usualValues = [...]string{"default", "on", "off", "true", "false"}

// hidesWord looks at the next token, and reports whether it is a word that is the value of a
// setting.
func (s *shaper) hidesWord(t token, written []byte) bool {
	if s.setting == settingValue && !s.onlySets && (s.prev.isWord() && s.prev != kwTo || s.prev == tokLiteral) && t != tokComma {
		s.setting = settingSeek // what follows the values
	}
	switch s.setting {
	case settingStart:
		s.onlySets, s.setting = t == kwSet, startOfSetting(t)
	case settingCreate:
		switch t {
		case kwOr, kwReplace:
		case kwFunction, kwProcedure:
			s.setting = settingSeek
		default:
			s.setting = settingNone
		}
	case settingSeek:
		if t == kwSet {
			s.setting = settingName
		}
	case settingName:
		s.setting = s.behindName(t, written)
	case settingValue:
		return t.isWord() && !isUsual(written)
	}
	return false
}

// startOfSetting returns what follows the first word of a statement.
func startOfSetting(t token) settingStage {
	switch t {
	case kwSet:
		return settingName
	case kwAlter:
		return settingSeek
	case kwCreate:
		return settingCreate
	}
	return settingNone
}

// behindName returns what follows in [SESSION | LOCAL] name { TO | = }: parts of the name or a value.
func (s *shaper) behindName(t token, written []byte) settingStage {
	first := s.prev == kwSet || s.prev == kwSession || s.prev == kwLocal
	switch {
	case (t == kwTo || written[0] == '=') && s.prev.isWord():
		return settingValue
	case t == tokDot, t.isWord() && (first || s.prev == tokDot):
		return settingName
	case s.onlySets:
		return settingNone
	}
	return settingSeek
}

func isUsual(word []byte) bool {
	for _, usual := range usualValues {
		if equalFoldStrings(usual, word) {
			return true
		}
	}
	return false
}
