package rewrite

import (
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/proto"

	"github.com/pgjay/pgjay/rewrite/catalog"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// nullsOrder takes NULLS LAST from ORDER BY c DESC, and NULLS FIRST from ORDER BY c,
// where c is never NULL: then an index can give the order. Its preconditions:
//
//  1. the ORDER BY is that of a SELECT by itself, not of a set operation, which has
//     no GROUPING SETS, ROLLUP or CUBE: these make columns NULL;
//  2. what it orders by is a column, with NULLS LAST behind DESC or NULLS FIRST
//     without, and no USING;
//  3. it means a column of a relation in the FROM of that SELECT: its name is no
//     other output column's, not merged by USING or NATURAL, and stands for one column only;
//  4. that relation is not on the side of an outer join that gets NULLs;
//  5. the column has a NOT NULL constraint that holds for all rows.
type nullsOrder struct{}

func (nullsOrder) Name() string { return "nulls_order" }

func (nullsOrder) About() string {
	return "ORDER BY a NOT NULL column needs no NULLS LAST behind DESC, nor NULLS FIRST: then an index can give the order"
}

func (r nullsOrder) Match(q *Query) Match {
	m := Match{Why: "there is no ORDER BY with NULLS FIRST or LAST of a column in it"}
	spans, ok := sqlparse.AppendSpans(nil, []byte(q.Text))
	if !ok {
		return m
	}
	tree := proto.Clone(q.Tree).(*pg_query.ParseResult)
	n := nullsWork{Query: q, spans: spans, match: &m, ctes: map[string]bool{}}
	eachSelect(tree.ProtoReflect(), func(s *pg_query.SelectStmt) {
		for _, c := range s.WithClause.GetCtes() {
			n.ctes[c.GetCommonTableExpr().GetCtename()] = true
		}
	})
	eachSelect(tree.ProtoReflect(), n.query)
	if len(m.Edits) > 0 {
		sortEdits(m.Edits)
		m.Tree, m.Why = tree, r.About()
	}
	return m
}

// nullsWork is what the rule makes of one statement.
type nullsWork struct {
	*Query
	spans []sqlparse.Span
	ctes  map[string]bool
	match *Match
}

// query takes what can be taken from one SELECT.
func (n *nullsWork) query(s *pg_query.SelectStmt) {
	for _, item := range s.SortClause {
		by := item.GetSortBy()
		column := by.GetNode().GetColumnRef()
		if column == nil || !movesNulls(by) {
			continue
		}
		if why := n.nullable(s, column); why != "" {
			n.match.Why = why
			continue
		}
		if e, ok := n.nullsBehind(int(column.Location)); ok {
			n.match.Edits = append(n.match.Edits, e)
			by.SortbyNulls = pg_query.SortByNulls_SORTBY_NULLS_DEFAULT
		}
	}
}

// movesNulls reports whether NULLs are asked for where they would not be by default.
func movesNulls(by *pg_query.SortBy) bool {
	switch by.SortbyDir {
	case pg_query.SortByDir_SORTBY_DESC:
		return by.SortbyNulls == pg_query.SortByNulls_SORTBY_NULLS_LAST
	case pg_query.SortByDir_SORTBY_ASC, pg_query.SortByDir_SORTBY_DEFAULT:
		return by.SortbyNulls == pg_query.SortByNulls_SORTBY_NULLS_FIRST
	}
	return false
}

// nullable says why a column to order by may be NULL; empty: it cannot be.
func (n *nullsWork) nullable(s *pg_query.SelectStmt, c *pg_query.ColumnRef) string {
	if s.Op != pg_query.SetOperation_SETOP_NONE {
		return "it orders the result of a set operation"
	}
	for _, g := range s.GroupClause {
		if g.GetGroupingSet() != nil {
			return "grouping sets make columns NULL"
		}
	}
	if len(c.Fields) == 1 {
		if c = outputColumn(s, c); c == nil {
			return "what it orders by may be an output column that is not one of a table"
		}
	}
	items := n.items(s)
	name := make([]string, len(c.Fields))
	for i, f := range c.Fields {
		name[i] = f.GetString_().GetSval()
	}
	return columnNullable(items, name)
}

// outputColumn returns the column that a name means in ORDER BY: it is looked for among
// the output columns first. It is nil where that is not sure.
func outputColumn(s *pg_query.SelectStmt, c *pg_query.ColumnRef) *pg_query.ColumnRef {
	name := c.Fields[0].GetString_().GetSval()
	meant := c
	for _, t := range s.TargetList {
		target := t.GetResTarget()
		column := target.GetVal().GetColumnRef()
		label, known := target.GetName(), true
		if label == "" {
			label, known = labelOf(target.GetVal())
		}
		switch {
		case known && label != name:
		case column == nil || meant != c && !proto.Equal(bareColumn(meant), bareColumn(column)):
			return nil
		default:
			meant = column
		}
	}
	return meant
}

func bareColumn(c *pg_query.ColumnRef) *pg_query.ColumnRef {
	return &pg_query.ColumnRef{Fields: c.Fields}
}

// labelOf is the name of an output column without one, as far as that is known. A *
// has only names of columns.
func labelOf(n *pg_query.Node) (label string, known bool) {
	switch v := n.GetNode().(type) {
	case *pg_query.Node_ColumnRef:
		return v.ColumnRef.Fields[len(v.ColumnRef.Fields)-1].GetString_().GetSval(), true
	case *pg_query.Node_FuncCall:
		return v.FuncCall.Funcname[len(v.FuncCall.Funcname)-1].GetString_().GetSval(), true
	case *pg_query.Node_AConst, *pg_query.Node_ParamRef, *pg_query.Node_AExpr:
		return "?column?", true
	}
	return "", false
}

// fromItem is a relation in FROM.
type fromItem struct {
	alias    string
	relation *catalog.Relation // nil: not known, as of a sub-select
	nullable bool              // an outer join may give NULLs in its place
	merged   bool              // USING or NATURAL makes columns of several one
}

// items are the relations in the FROM of a SELECT.
func (n *nullsWork) items(s *pg_query.SelectStmt) (items []fromItem) {
	for _, f := range s.FromClause {
		items = append(items, n.fromItems(f, fromItem{})...)
	}
	return items
}

// fromItems are those of one item; in has what is known from around it.
func (n *nullsWork) fromItems(f *pg_query.Node, in fromItem) []fromItem {
	switch v := f.GetNode().(type) {
	case *pg_query.Node_RangeVar:
		r := v.RangeVar
		in.alias = r.Relname
		if r.Alias != nil {
			in.alias = r.Alias.Aliasname
		}
		if r.Schemaname != "" || !n.ctes[r.Relname] {
			in.relation = n.Scope.Catalog.Resolve(n.Scope.Path, nameParts(r))
		}
		if len(r.Alias.GetColnames()) > 0 {
			in.relation = nil
		}
		return []fromItem{in}
	case *pg_query.Node_JoinExpr:
		j := v.JoinExpr
		left, right := in, in
		left.merged = in.merged || j.IsNatural || len(j.UsingClause) > 0
		right.merged = left.merged
		left.nullable = in.nullable || j.Jointype == pg_query.JoinType_JOIN_RIGHT || j.Jointype == pg_query.JoinType_JOIN_FULL
		right.nullable = in.nullable || j.Jointype == pg_query.JoinType_JOIN_LEFT || j.Jointype == pg_query.JoinType_JOIN_FULL
		if j.Alias != nil || j.JoinUsingAlias != nil {
			return []fromItem{{alias: j.Alias.GetAliasname(), merged: true}}
		}
		return append(n.fromItems(j.Larg, left), n.fromItems(j.Rarg, right)...)
	}
	return []fromItem{in}
}

// columnNullable says why a column of one of the relations may be NULL.
func columnNullable(items []fromItem, name []string) string {
	const unknown = "it is not sure which column it orders by"
	var found *fromItem
	var column *catalog.Column
	for i := range items {
		f := &items[i]
		if len(name) == 2 && f.alias != name[0] {
			continue
		}
		if f.relation == nil || len(name) > 2 || len(name) == 1 && f.merged {
			return unknown
		}
		c := f.relation.Column(name[len(name)-1])
		if c == nil {
			continue
		}
		if found != nil {
			return unknown
		}
		found, column = f, c
	}
	switch {
	case found == nil:
		return unknown
	case found.nullable:
		return "an outer join may make the column NULL: " + column.Name
	case !column.NotNull:
		return "the column may be NULL: " + column.Name
	}
	return ""
}

func nameParts(r *pg_query.RangeVar) (name []string) {
	for _, part := range []string{r.Catalogname, r.Schemaname, r.Relname} {
		if part != "" {
			name = append(name, part)
		}
	}
	return name
}

// nullsBehind finds NULLS FIRST or NULLS LAST behind the column that begins at a byte.
func (n *nullsWork) nullsBehind(at int) (Edit, bool) {
	i := 0
	for i < len(n.spans) && n.spans[i].Start < at {
		i++
	}
	word := func(i int) string {
		if i >= len(n.spans) {
			return ""
		}
		return strings.ToLower(n.spans[i].In(n.Text))
	}
	for i++; word(i) == "."; i += 2 {
	}
	if word(i) == "asc" || word(i) == "desc" {
		i++
	}
	if word(i) != "nulls" || word(i+1) != "last" && word(i+1) != "first" {
		return Edit{}, false
	}
	return Edit{From: n.spans[i].Start, To: n.spans[i+1].End}, true
}
