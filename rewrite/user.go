package rewrite

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pgjay/pgjay/rewrite/catalog"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// UserRule is a rule of the configuration. What it makes of statements is what its
// author says; nothing proves it. So each begins in the shadow, where the answers are
// compared, unless its mode is on.
type UserRule struct {
	// Name is what SHOW REWRITES and metrics call it.
	Name string `yaml:"name"`
	// Mode is how far it may go: it bounds the general one.
	Mode Mode `yaml:"mode"`
	// Priority says which rules are tried first: those with a higher one. Among equals
	// that is their order.
	Priority int `yaml:"priority"`
	// Stop has no further rule tried on what this one rewrites.
	Stop bool `yaml:"stop"`
	// Users and Databases are names as clients give them, Applications values of
	// application_name, Clients networks (CIDR) or addresses of clients; those on a Unix
	// socket are in none. Without any of a kind, it is for all.
	Users        []string `yaml:"users"`
	Databases    []string `yaml:"databases"`
	Applications []string `yaml:"applications"`
	Clients      []string `yaml:"clients"`
	// Match says which statements it is for.
	Match UserMatch `yaml:"match"`
	// Require lists facts of the catalog that must hold.
	Require []string `yaml:"require"`
	// Replace is the new statement, or for a pattern the new expression.
	Replace string `yaml:"replace"`
	// Unsafe lets it rewrite statements that no built-in rule may touch: with volatile
	// functions, views, row security.
	Unsafe bool       `yaml:"unsafe"`
	Limits UserLimits `yaml:"limits"`
	// Tests are run by pgjay check.
	Tests []UserTest `yaml:"tests"`
}

// UserLimits say when a rule acts that applies.
type UserLimits struct {
	// CostRatio is how many times as cheap PostgreSQL must think the new statement is; 0:
	// what it thinks does not count.
	CostRatio float64 `yaml:"cost_ratio"`
	// Compare is the share of statements that are run in both forms and compared, from 0
	// to 1. 0: one in 256, after the first.
	Compare float64 `yaml:"compare"`
}

// UserMatch has exactly one of these.
type UserMatch struct {
	// Exact is a statement; white space, comments and the case of words do not count.
	Exact string `yaml:"exact"`
	// Template is a statement in which $1, $2 and so on stand for any literal or
	// parameter.
	Template string `yaml:"template"`
	// Pattern is an expression in which $name stands for any expression.
	Pattern string `yaml:"pattern"`
	// Regex is a regular expression (RE2) on the text.
	Regex string `yaml:"regex"`
}

// UserTest is a statement and what the rule is to make of it; same: nothing.
type UserTest struct {
	In  string `yaml:"in"`
	Out string `yaml:"out"`
}

// sameText is what UserTest.Out says where a statement stays as it is.
const sameText = "same"

// userMatcher is how a rule of one kind finds its statements. What the rule requires is
// taken to hold if trusting is set.
type userMatcher interface {
	match(r *UserRule, q *Query, trusting bool) Match
}

// userRule is a UserRule as a Rule.
type userRule struct {
	*UserRule
	matcher  userMatcher
	audience audience
}

func (r userRule) Name() string         { return r.UserRule.Name }
func (r userRule) About() string        { return "a rule of the configuration" }
func (r userRule) Match(q *Query) Match { return r.matcher.match(r.UserRule, q, false) }

// compile makes the rule ready, or says what is wrong with it.
func (r *UserRule) compile() (made userRule, err error) {
	made.UserRule = r
	if !userName.MatchString(r.Name) {
		return made, fmt.Errorf("the name %q is not made of lower-case letters, digits, dashes and underscores", r.Name)
	}
	if r.Mode == "" {
		r.Mode = ModeShadow
	}
	if !r.Mode.Valid() {
		return made, fmt.Errorf("there is no mode %q", r.Mode)
	}
	if l := r.Limits; l.CostRatio < 0 || l.Compare < 0 || l.Compare > 1 {
		return made, errors.New("limits: cost_ratio is 0 or more, compare from 0 to 1")
	}
	if made.audience, err = newAudience(r); err != nil {
		return made, err
	}
	if slices.ContainsFunc(builtin, func(b listed) bool { return b.Name() == r.Name }) {
		return made, fmt.Errorf("%s is the name of a built-in rule", r.Name)
	}
	kinds := []struct {
		text    string
		compile func(*UserRule) (userMatcher, error)
	}{{r.Match.Exact, compileExact}, {r.Match.Template, compileTemplate}, {r.Match.Pattern, compilePattern}, {r.Match.Regex, compileRegex}}
	given := 0
	for _, k := range kinds {
		if k.text == "" {
			continue
		}
		given++
		if made.matcher, err = k.compile(r); err != nil {
			return made, err
		}
	}
	if len(r.Require) > 0 && r.Match.Pattern == "" {
		return made, errors.New("require is for patterns")
	}
	if given != 1 {
		return made, errors.New("match has to have exactly one of exact, template, pattern and regex")
	}
	return made, nil
}

// Check says what is wrong with a rule.
func (r *UserRule) Check() error {
	own := *r
	_, err := own.compile()
	return err
}

var userName = regexp.MustCompile(`^[a-z][a-z0-9_-]*$`)

// textMatcher compares whole statements, token by token.
type textMatcher struct {
	tokens  []string // words in lower case
	any     []bool   // this token stands for any literal or parameter
	fixed   bool     // whether it applies depends on the values of literals
	replace []string // $n, and text between them
}

var errTokens = errors.New("the statement cannot be read")

func compileExact(r *UserRule) (userMatcher, error) {
	return newTextMatcher(r.Match.Exact, r.Replace, false)
}

func compileTemplate(r *UserRule) (userMatcher, error) {
	return newTextMatcher(r.Match.Template, r.Replace, true)
}

func newTextMatcher(text, replace string, template bool) (*textMatcher, error) {
	spans, ok := sqlparse.AppendSpans(nil, []byte(text))
	if !ok || len(spans) == 0 {
		return nil, errTokens
	}
	m := &textMatcher{}
	seen := map[string]bool{}
	for _, s := range spans {
		token := tokenText(s.In(text))
		free := template && isParameter(token)
		m.fixed = m.fixed || !free && sqlparse.IsValue([]byte(token)) || free && seen[token]
		m.tokens, m.any = append(m.tokens, token), append(m.any, free)
		seen[token] = true
	}
	at := 0
	spans, ok = sqlparse.AppendSpans(nil, []byte(replace))
	if !ok || len(spans) == 0 {
		return nil, errors.New("replace cannot be read")
	}
	for _, s := range spans {
		if token := s.In(replace); template && isParameter(token) {
			if !seen[token] {
				return nil, fmt.Errorf("replace has %s, and the template has not", token)
			}
			m.replace = append(m.replace, replace[at:s.Start], token)
			at = s.End
		}
	}
	m.replace = append(m.replace, replace[at:])
	return m, nil
}

// tokenText is a token for comparisons.
func tokenText(token string) string {
	if c := token[0]; c == '\'' || c == '"' || c == '$' || len(token) > 1 && token[1] == '\'' {
		return token
	}
	return strings.ToLower(token)
}

func isParameter(token string) bool {
	_, err := strconv.Atoi(strings.TrimPrefix(token, "$"))
	return err == nil && token[0] == '$'
}

func (m *textMatcher) match(_ *UserRule, q *Query, _ bool) Match {
	spans, ok := sqlparse.AppendSpans(nil, []byte(q.Text))
	no := Match{Why: "it is another statement", Literals: m.fixed && len(spans) == len(m.tokens)}
	if !ok || len(spans) != len(m.tokens) {
		return no
	}
	bound := map[string]string{}
	for i, s := range spans {
		token := s.In(q.Text)
		if !m.any[i] {
			if tokenText(token) != m.tokens[i] {
				return no
			}
			continue
		}
		if before, again := bound[m.tokens[i]]; again && before != token || !isParameter(token) && !isLiteral(token) {
			return no
		}
		bound[m.tokens[i]] = token
	}
	var out strings.Builder
	for _, part := range m.replace {
		if value, ok := bound[part]; ok {
			part = value
		}
		out.WriteString(part)
	}
	return Match{Edits: []Edit{{spans[0].Start, spans[len(spans)-1].End, out.String()}}, Why: "it is that statement", Literals: m.fixed}
}

// isLiteral reports whether a token is a string or a number.
func isLiteral(token string) bool {
	c := token[0]
	return c == '\'' || c >= '0' && c <= '9' || c == '.' && len(token) > 1 || len(token) > 1 && token[1] == '\'' || c == '$'
}

// regexMatcher replaces what a regular expression finds.
type regexMatcher struct{ *regexp.Regexp }

func compileRegex(r *UserRule) (userMatcher, error) {
	re, err := regexp.Compile(r.Match.Regex)
	if err != nil {
		return nil, err
	}
	return regexMatcher{re}, nil
}

func (m regexMatcher) match(r *UserRule, q *Query, _ bool) Match {
	made := m.ReplaceAllString(q.Text, r.Replace)
	if made == q.Text {
		return Match{Why: "the expression is not found in it", Literals: true}
	}
	return Match{Edits: []Edit{{0, len(q.Text), made}}, Why: "the expression is found in it", Literals: true}
}

// spliceText is Splice for a rule of the configuration: what it means is what it says.
func spliceText(q *Query, m *Match) (Query, error) {
	text, err := Apply(q.Text, m.Edits)
	if err != nil {
		return Query{}, err
	}
	tree, _, ok := sqlparse.Tree(text)
	if !ok || len(tree.Stmts) != 1 || tree.Stmts[0].Stmt.GetSelectStmt() == nil {
		return Query{}, errUnparsed
	}
	return Query{Text: text, Tree: tree, Scope: q.Scope}, nil
}

// RunTests runs the tests in the rules, without a server, and returns what is wrong.
// A rule that requires something of the catalog is taken to have it.
func (e *Engine) RunTests() (failed []string, ran int) {
	for i := range e.rules {
		r, ok := e.rules[i].Rule.(userRule)
		if !ok {
			continue
		}
		for _, test := range r.Tests {
			ran++
			if got, err := r.try(test.In); err != nil {
				failed = append(failed, fmt.Sprintf("%s: %s: %v", r.Name(), test.In, err))
			} else if want := test.Out; want == sameText && got != test.In || want != sameText && !sameTokens(got, want) {
				failed = append(failed, fmt.Sprintf("%s: %s\n  becomes %s\n  and not %s", r.Name(), test.In, got, want))
			}
		}
	}
	return failed, ran
}

// try applies a rule to a text.
func (r userRule) try(text string) (string, error) {
	tree, _, ok := sqlparse.Tree(text)
	if !ok {
		return "", errUnparsed
	}
	q := Query{Text: text, Tree: tree, Scope: Scope{Catalog: &catalog.Snapshot{}, Setting: func(string) string { return "" }}}
	m := r.matcher.match(r.UserRule, &q, true)
	if len(m.Edits) == 0 {
		return text, nil
	}
	made, err := spliceText(&q, &m)
	return made.Text, err
}

// sameTokens compares texts but for white space, comments and the case of words.
func sameTokens(a, b string) bool {
	x, ok := sqlparse.AppendSpans(nil, []byte(a))
	y, too := sqlparse.AppendSpans(nil, []byte(b))
	return ok && too && slices.EqualFunc(x, y, func(s, t sqlparse.Span) bool { return tokenText(s.In(a)) == tokenText(t.In(b)) })
}
