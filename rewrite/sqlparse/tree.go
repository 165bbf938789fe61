package sqlparse

import pg_query "github.com/pganalyze/pg_query_go/v5"

// Tree returns what PostgreSQL's parser says of a text, and its facts; ok is false
// where they are opaque (see Facts). It takes 20 us to several ms. All that is parsed
// goes through here or through Statement.Facts: the parser does not protect itself.
func Tree(text string) (tree *pg_query.ParseResult, facts *Facts, ok bool) {
	b := []byte(text)
	if class := Classify(b); class.Pins.Has(ReasonUnparsed) || !parsable(b) {
		return nil, opaque, false
	}
	tree, err := pg_query.Parse(text)
	if err != nil {
		return nil, opaque, false
	}
	return tree, factsOf(text, tree), true
}
