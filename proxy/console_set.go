package proxy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pgjay/pgjay/proxy/wire"
)

// setParameter takes what drivers and tools set by themselves, and does nothing then. Anything else
// is refused: who sets a setting of PgJay's wants something to happen.
var setParameter = consoleCommand{words: "SET", hidden: true, tag: "SET", arguments: settingToSet, run: pretendToSet}

// pretended are PostgreSQL's settings that may be set in the console.
var pretended = []string{
	"application_name", "bytea_output", "client_encoding", "client_min_messages", "datestyle", "default_transaction_isolation",
	"default_transaction_read_only", "extra_float_digits", "idle_in_transaction_session_timeout", "intervalstyle", "lock_timeout",
	"search_path", "standard_conforming_strings", "statement_timeout", "timezone",
}

// ownGrammar are the words that begin those which are set without = or TO.
var ownGrammar = []string{"names", "time", "transaction", "characteristics"}

// settingToSet takes [SESSION | LOCAL] name { = | TO } value, and returns the name; empty: it is set
// otherwise, as PostgreSQL has it.
func settingToSet(words []consoleWord) ([]string, bool) {
	if len(words) > 2 && (words[0].text == "session" || words[0].text == "local") && words[1].kind != consoleSign {
		words = words[1:]
	}
	if len(words) < 2 || words[0].kind == consoleSign {
		return nil, false
	}
	if slices.Contains(ownGrammar, words[0].text) && words[1].kind != consoleSign {
		return []string{""}, true
	}
	var name strings.Builder
	for _, w := range words {
		if w == (consoleWord{consoleSign, "="}) || w == (consoleWord{consoleName, "to"}) {
			break
		}
		name.WriteString(w.text)
	}
	return []string{foldASCII(name.String())}, true
}

func pretendToSet(call *consoleCall) (consoleAnswer, error) {
	name := call.arguments[0]
	if name == "" || slices.Contains(pretended, name) {
		return consoleAnswer{}, nil
	}
	return consoleAnswer{}, &wire.Error{
		Severity: "ERROR", Code: "42704", Message: fmt.Sprintf("pgjay: the console cannot set %s", quoteStart(name)),
		Detail: "Only what drivers set by themselves is taken, and does nothing: " + strings.Join(pretended, ", ") + ".",
		Hint:   "Change the configuration file, then say RELOAD.",
	}
}
