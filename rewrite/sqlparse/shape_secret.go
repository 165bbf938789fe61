package sqlparse

// Statements about roles, servers, subscriptions and settings of others may have secrets.
// Of them the words of their grammar are shown, and the first name.

// strictWords are the words of their grammar.
var strictWords = wordList{
	"add", "admin", "all", "binary", "bypassrls", "connect", "connection", "copy_data", "create_slot", "createdb", "createrole",
	"current", "current_role", "current_user", "data", "database", "dbname", "default", "disable", "disable_on_error", "drop", "enable", "enabled",
	"encrypted", "exists", "failover", "false", "for", "foreign", "from", "group", "handler", "host", "if", "in", "inherit",
	"limit", "login", "mapping", "no", "nobypassrls", "nocreatedb", "nocreaterole", "noinherit", "nologin", "none", "noreplication",
	"nosuperuser", "not", "off", "on", "options", "origin", "owner", "password", "password_required", "port", "publication",
	"refresh", "rename", "replication", "reset", "role", "run_as_owner", "server", "session_user", "set", "skip", "slot_name",
	"streaming", "subscription", "superuser", "synchronous_commit", "sysid", "system", "to", "true", "two_phase", "type",
	"unencrypted", "until", "user", "valid", "validator", "version", "with", "wrapper",
}

// beforeName are those that may stand between the kind and the name.
var beforeName = wordList{"if", "not", "exists", "data", "wrapper"}

// behindSecret are those that may stand behind PASSWORD and CONNECTION.
var behindSecret = wordList{"null", "limit"}

// kind looks at what CREATE creates, or ALTER changes.
func (s *shaper) kind(t token, written []byte) bool {
	switch t {
	case kwOr, kwReplace, kwTemp, kwTemporary, kwLocal, kwGlobal, kwUnlogged, kwUnique, kwRecursive, kwTrusted, kwProcedural, kwConstraint, kwEvent:
		return false
	case kwForeign:
		s.foreign = true
		return false
	case kwFunction, kwProcedure, kwRoutine:
		s.stage = hidingSeek
		return false
	case kwRole, kwUser, kwGroup, kwServer, kwSubscription, kwData:
		s.stage, s.naming = hidingStrict, true
		return false
	case kwDatabase:
		if s.stage == hidingCreate {
			s.stage = hidingNone
			return false
		}
		s.stage, s.naming = hidingStrict, true
		return false
	case kwTable, kwView, kwMaterialized:
		if s.stage == hidingAlter || s.foreign {
			s.stage = hidingOptions
			return false
		}
		fallthrough
	case kwIndex, kwSchema, kwExtension, kwAggregate, kwTrigger, kwRule, kwPolicy, kwType, kwDomain, kwOperator, kwCast,
		kwTransform, kwCollation, kwConversion, kwText, kwStatistics, kwSequence, kwLanguage, kwAccess, kwTablespace, kwPublication, kwDefault:
		s.stage = hidingNone
		return false
	}
	s.stage = hidingStrict
	return s.inStrict(t, written)
}

// inOptions looks for OPTIONS, which have secrets, of foreign tables and their columns.
func (s *shaper) inOptions(t token, written []byte) {
	const options = "options"
	if t == tokOpen && equalFoldStrings(options, s.last) || s.foreign && equalFoldStrings(options, written) {
		s.stage = hidingStrict
	}
}

// inStrict looks at a token of a statement in which only the words of its grammar are shown.
func (s *shaper) inStrict(t token, written []byte) bool {
	if !t.isWord() {
		s.naming = false
		return t == tokOther && written[0] != '=' || t == tokDot
	}
	isName := s.prev == kwDatabase || s.prev == kwServer || equalFoldStrings("wrapper", s.last)
	if s.naming && !beforeName.has(written) {
		s.naming, isName = false, true
	}
	switch {
	case equalFoldStrings("password", written), equalFoldStrings("connection", written):
		s.stage = hidingSecret
	case isName:
	case t == kwSet && s.prev != tokOpen && s.prev != tokComma:
		s.stage, s.onlySets = hidingName, true
	default:
		return !strictWords.has(written)
	}
	return false
}

// inSecret looks at what follows PASSWORD or CONNECTION: behind a value that is none by the
// grammar nothing is certain.
func (s *shaper) inSecret(t token, written []byte) bool {
	if t == tokLiteral || t == tokComma || t == tokClose || behindSecret.has(written) {
		s.stage = hidingStrict
		return false
	}
	s.stage = hidingRest
	return true
}
