package rewrite

import "github.com/pgjay/pgjay/rewrite/sqlparse"

// UserRule is a rule of the configuration.
type UserRule struct {
	Name   string `yaml:"name"`
	Mode   Mode   `yaml:"mode"`
	Unsafe bool   `yaml:"unsafe"`
}

// userRule is it as a Rule.
type userRule struct{ *UserRule }

func (r userRule) Name() string         { return r.UserRule.Name }
func (r userRule) About() string        { return "a rule of the configuration" }
func (r userRule) Match(q *Query) Match { return Match{} }

// spliceText is Splice for a rule of the configuration: what it means is what it says.
func spliceText(q *Query, m *Match) (Query, error) {
	text, err := Apply(q.Text, m.Edits)
	if err != nil {
		return Query{}, err
	}
	tree, _, ok := sqlparse.Tree(text)
	if !ok {
		return Query{}, errUnparsed
	}
	return Query{Text: text, Tree: tree, Scope: q.Scope}, nil
}
