package rewrite

import (
	"errors"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/proto"

	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// Why a text is not rewritten though a rule says how.
var (
	errEdits    = errors.New("the rule's edits are not in order, or not in the text")
	errUnparsed = errors.New("what the rule makes of the text is not understood")
	errMeant    = errors.New("what the rule makes of the text is not what it means")
)

// Apply makes the edits in a text.
func Apply(text string, edits []Edit) (string, error) {
	var b strings.Builder
	at := 0
	for _, e := range edits {
		if e.From < at || e.To < e.From || e.To > len(text) {
			return "", errEdits
		}
		b.WriteString(text[at:e.From])
		b.WriteString(e.Text)
		at = e.To
	}
	b.WriteString(text[at:])
	return b.String(), nil
}

// Splice returns the text that a match makes of a query's, and its tree: it has been
// parsed again, and is what the match means.
func Splice(q *Query, m *Match) (text string, tree *pg_query.ParseResult, err error) {
	if text, err = Apply(q.Text, m.Edits); err != nil {
		return "", nil, err
	}
	tree, _, ok := sqlparse.Tree(text)
	if !ok {
		return "", nil, errUnparsed
	}
	if m.Tree == nil || !Equal(tree, m.Tree) {
		return "", nil, errMeant
	}
	return text, tree, nil
}

// Equal compares trees but for the places of their nodes in a text.
func Equal(a, b *pg_query.ParseResult) bool {
	return proto.Equal(bare(a), bare(b))
}
