package rewrite

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// patternMatcher finds expressions of one form where it does not matter whether they
// are false or NULL: the conditions of WHERE, ON, HAVING and FILTER, and what AND and
// OR make them of.
type patternMatcher struct {
	form     *pg_query.Node
	replace  string // $name stands for what it has found
	fixed    bool   // whether it applies depends on the values of literals
	requires []requirement
}

// variablePrefix is how the names of variables begin where the pattern is parsed.
const variablePrefix = "pgjay_variable_"

var variable = regexp.MustCompile(`\$([a-z][a-z0-9_]*)`)

func compilePattern(r *UserRule) (userMatcher, error) {
	tree, _, ok := sqlparse.Tree("SELECT " + variable.ReplaceAllString(r.Match.Pattern, variablePrefix+"$1"))
	if !ok || len(tree.Stmts) != 1 {
		return nil, errors.New("the pattern cannot be read as an expression")
	}
	targets := tree.Stmts[0].Stmt.GetSelectStmt().GetTargetList()
	if len(targets) != 1 || targets[0].GetResTarget().Name != "" {
		return nil, errors.New("the pattern is not one expression")
	}
	m := &patternMatcher{form: targets[0].GetResTarget().Val, replace: r.Replace}
	seen := map[string]bool{}
	eachNode(tree, func(n *pg_query.Node) {
		name := variableName(n)
		m.fixed = m.fixed || n.GetAConst() != nil || name != "" && seen[name]
		seen[name] = true
	})
	if variableName(m.form) != "" {
		return nil, errors.New("the pattern is for all expressions")
	}
	for _, found := range variable.FindAllStringSubmatch(r.Replace, -1) {
		if !seen[found[1]] {
			return nil, fmt.Errorf("replace has %s, and the pattern has not", found[0])
		}
	}
	for _, text := range r.Require {
		need, err := newRequirement(text)
		if err != nil {
			return nil, err
		}
		m.requires = append(m.requires, need)
	}
	return m, nil
}

// variableName returns the name of the variable that a node of a pattern is; "": none.
func variableName(n *pg_query.Node) string {
	c := n.GetColumnRef()
	if c == nil || len(c.Fields) != 1 {
		return ""
	}
	name, ok := strings.CutPrefix(c.Fields[0].GetString_().GetSval(), variablePrefix)
	if !ok {
		return ""
	}
	return name
}

func (m *patternMatcher) match(_ *UserRule, q *Query, trusting bool) Match {
	w := begin(q)
	if w == nil {
		return Match{Why: "it is not one statement that can be read for sure"}
	}
	var edits []Edit
	why, positive := "there is no such expression in it", w.positive()
	w.eachIn(func(l *level, n *pg_query.Node) {
		bound := map[string]*pg_query.Node{}
		if !positive[n] || !fits(m.form.ProtoReflect(), n.ProtoReflect(), bound) {
			return
		}
		for _, need := range m.requires {
			if !trusting && !need.holds(w, l, bound) {
				why = "it does not hold: " + need.text
				return
			}
		}
		at := w.source.expression(n)
		if at.none() || slices.ContainsFunc(edits, func(e Edit) bool { return at.from < e.To && e.From < at.to }) {
			return
		}
		text := variable.ReplaceAllStringFunc(m.replace, func(name string) string { return w.operand(bound[name[1:]]) })
		edits = append(edits, Edit{at.from, at.to, "(" + text + ")"})
	})
	if len(edits) > 0 && !w.failed {
		sortEdits(edits)
		return Match{Edits: edits, Why: "there is such an expression in it", Literals: m.fixed}
	}
	return Match{Why: why, Literals: m.fixed}
}

// fits compares a pattern with a part of a statement, and notes what its variables are.
func fits(form, m protoreflect.Message, bound map[string]*pg_query.Node) bool {
	if f, ok := form.Interface().(*pg_query.Node); ok {
		if name := variableName(f); name != "" {
			n := m.Interface().(*pg_query.Node)
			if before := bound[name]; before != nil {
				return proto.Equal(bare(before), bare(n))
			}
			bound[name] = n
			return true
		}
	}
	if form.Descriptor() != m.Descriptor() {
		return false
	}
	fields := form.Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		if isPlace(field) {
			continue
		}
		if form.Has(field) != m.Has(field) || !fieldFits(field, form.Get(field), m.Get(field), bound) {
			return false
		}
	}
	return true
}

func fieldFits(field protoreflect.FieldDescriptor, form, value protoreflect.Value, bound map[string]*pg_query.Node) bool {
	switch {
	case field.Message() == nil:
		return form.Equal(value)
	case field.IsList():
		a, b := form.List(), value.List()
		for i := range a.Len() {
			if i >= b.Len() || !fits(a.Get(i).Message(), b.Get(i).Message(), bound) {
				return false
			}
		}
		return a.Len() == b.Len()
	}
	return !form.Message().IsValid() || fits(form.Message(), value.Message(), bound)
}

// requirement is a fact of the catalog, or of the session, that must hold.
type requirement struct {
	text, fact, about, want string
}

var requirementForm = regexp.MustCompile(`^(notnull|type|index|setting)\(\$?([A-Za-z][A-Za-z0-9_]*)\)(?: = (\S.*))?$`)

// columnTypes are the types that can be required.
var columnTypes = map[string]uint32{
	"boolean": 16, "smallint": 21, "integer": 23, "bigint": 20, "numeric": 1700, "text": 25, "varchar": 1043, "uuid": 2950, "date": 1082,
	"timestamp": 1114, "timestamptz": 1184, "jsonb": 3802, "text[]": 1009, "varchar[]": 1015, "integer[]": 1007, "bigint[]": 1016, "uuid[]": 2951,
}

func newRequirement(text string) (r requirement, err error) {
	found := requirementForm.FindStringSubmatch(text)
	if found == nil {
		return r, fmt.Errorf("%q is none of notnull($name), type($name) = T, index($name) = METHOD and setting(name) = VALUE", text)
	}
	r = requirement{text, found[1], found[2], found[3]}
	if (r.fact == "notnull") != (r.want == "") {
		return r, fmt.Errorf("%q has too much or too little behind it", text)
	}
	if _, known := columnTypes[r.want]; r.fact == "type" && !known {
		return r, fmt.Errorf("%q: the types are %s", text, strings.Join(slices.Sorted(maps.Keys(columnTypes)), ", "))
	}
	return r, nil
}

// holds reports whether it does, for what the variables are.
func (r *requirement) holds(w *work, l *level, bound map[string]*pg_query.Node) bool {
	if r.fact == "setting" {
		return w.Scope.Setting(r.about) == r.want
	}
	item, column := l.column(bound[r.about])
	if item == nil {
		return false
	}
	switch r.fact {
	case "notnull":
		return column.NotNull && item.inner
	case "type":
		return column.Type == columnTypes[r.want]
	}
	return hasIndex(item.rel, column, r.want, "")
}
