package proxy

import (
	"context"
	"slices"

	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy/wire"
)

// explainRewrite has a row for each rule: what it would make of the statement, and why
// or why not.
var explainRewrite = consoleCommand{
	words: "EXPLAIN REWRITE", takes: "'statement' [database [user]]", tag: "EXPLAIN", arguments: statementOf, run: rewriteSteps,
	columns: []wire.Column{textColumn("rule"), textColumn("state"), floatColumn("cost_ratio"), textColumn("reason"), textColumn("statement")},
}

// statementOf takes a string and two names.
func statementOf(words []consoleWord) (arguments []string, ok bool) {
	if len(words) == 0 || len(words) > 3 || words[0].kind != consoleString {
		return nil, false
	}
	for _, w := range words {
		if w.kind == consoleSign {
			return nil, false
		}
		arguments = append(arguments, w.text)
	}
	return arguments, true
}

func rewriteSteps(call *consoleCall) (consoleAnswer, error) {
	key, err := call.poolMeant(call.arguments[1:])
	if err != nil {
		return consoleAnswer{}, err
	}
	steps, why, failed := call.explainRewrite(context.Background(), key, call.arguments[0])
	if failed != nil {
		return consoleAnswer{}, &wire.Error{Severity: "ERROR", Code: "55000", Message: "pgjay: " + failed.Error()}
	}
	answer := consoleAnswer{}
	if why != "" {
		answer.notice = consoleNotice("pgjay: no rule may touch it: "+why, "")
	}
	for _, st := range steps {
		answer.rows = append(answer.rows, []any{st.Rule, st.State.String(), ratio(st.Ratio), st.Why, orNull(st.Text)})
	}
	return answer, nil
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// poolMeant returns whose pool is meant: that of the database and the user, or the only
// one that there is.
func (call *consoleCall) poolMeant(names []string) (key pool.Key, err error) {
	if len(names) == 2 {
		return pool.Key{Database: names[0], User: names[1]}, nil
	}
	var found []pool.Key
	for _, st := range call.pools.Stats() {
		if len(names) == 0 || st.Key.Database == names[0] {
			found = append(found, st.Key)
		}
	}
	if i := slices.IndexFunc(found, func(k pool.Key) bool { return k.User == call.user }); i >= 0 && len(names) == 1 {
		return found[i], nil
	}
	if len(found) != 1 {
		return key, &wire.Error{Severity: "ERROR", Code: "22023", Message: "pgjay: it is not clear which database and user are meant",
			Hint: "Write EXPLAIN REWRITE 'statement' database user."}
	}
	return found[0], nil
}
