package rewrite

import (
	"slices"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/proto"

	"github.com/pgjay/pgjay/rewrite/catalog"
)

// LimitInside (R27) takes the rows of a page before it joins others to them, not behind
// that. Preconditions:
//
//  1. it is the client's query, with LIMIT, without WITH TIES, and with ORDER BY;
//  2. it makes no rows of several: no DISTINCT, aggregates or windows;
//  3. FROM is one table and others that are joined to it by LEFT JOIN, without USING and
//     the like;
//  4. each of these has at most one row for a row of the first: ON compares all columns
//     of a key of it with = with something of others;
//  5. WHERE, ORDER BY, LIMIT and OFFSET refer to the first table only;
//  6. ORDER BY has only columns of it, which are no names of other outputs, and all of a
//     key: so both orders are the same;
//  7. nothing refers to the whole row of the first table, to its system columns, or to it
//     with its schema: what takes its place has none of these.
var limitInside = automatic[*level]{
	name:  "limit_inside",
	about: "LIMIT is applied to the table that ORDER BY is about before others are joined to it",
	find: func(w *work) (sites []*level) {
		for _, l := range w.found.levels {
			if isSimple(l.query) && len(l.items) > 1 && l.query.LimitCount != nil {
				sites = append(sites, l)
			}
		}
		return sites
	},
	needs: []need[*level]{
		{"it is not the client's query with ORDER BY and a plain LIMIT", func(_ *work, l *level) bool {
			return l.use == answer && len(l.query.SortClause) > 0 && l.query.LimitOption == pg_query.LimitOption_LIMIT_OPTION_COUNT
		}},
		{"it makes one row of several", func(w *work, l *level) bool {
			return len(l.query.DistinctClause) == 0 && !w.aggregates(l.query) && !hasWindow(l.query)
		}},
		{"FROM is not a table with others by LEFT JOIN", func(_ *work, l *level) bool { return l.isChain() }},
		{"a joined table may have several rows for one", func(w *work, l *level) bool {
			return !slices.ContainsFunc(l.items[1:], func(i *item) bool { return !w.joinsOne(i) })
		}},
		{"WHERE, ORDER BY, LIMIT or OFFSET refer to a joined table", func(w *work, l *level) bool { return !w.pageUses(l) }},
		{"ORDER BY is not by columns of the table with all of a key", func(_ *work, l *level) bool { return l.totalOrder() }},
		{"something refers to the row of the table", func(w *work, l *level) bool { return !w.wholeRow(l.items[0], l.query) }},
	},
	rewrite: rewriteLimit,
}

// isChain reports whether FROM is a table with others by LEFT JOIN.
func (l *level) isChain() bool {
	if len(l.query.FromClause) != 1 || l.merged {
		return false
	}
	for k, i := range l.items {
		if i.rel == nil || i.right != (k > 0) || k > 0 && i.join.Jointype != pg_query.JoinType_JOIN_LEFT {
			return false
		}
	}
	return true
}

// joinsOne reports whether the table on the right of a join has one row at most for each
// row on the left: ON has a comparison of each column of a key with something else.
func (w *work) joinsOne(i *item) bool {
	var columns []string
	for _, n := range conjuncts(i.join.Quals) {
		if c, other := w.compares(i, n); c != nil && !w.mentioned(i, other) {
			columns = append(columns, c.Name)
		}
	}
	return i.rel != nil && isUnique(i.rel, columns)
}

// compares returns the column of an item that a condition compares with =, and with
// what. The types are such that equal is what the item's indexes take for equal.
func (w *work) compares(i *item, n *pg_query.Node) (*catalog.Column, *pg_query.Node) {
	left, right := w.operation(n, "=")
	if left == nil {
		return nil, nil
	}
	for range 2 {
		if of, c := i.level.column(left); of == i && exact[c.Type] != "" && c.Collation < firstUserOID {
			return c, right
		}
		left, right = right, left
	}
	return nil, nil
}

func (w *work) pageUses(l *level) bool {
	for _, i := range l.items[1:] {
		for _, part := range append(slices.Clone(l.query.SortClause), l.query.WhereClause, l.query.LimitCount, l.query.LimitOffset) {
			if part != nil && w.mentioned(i, part) {
				return true
			}
		}
	}
	return false
}

// totalOrder reports whether ORDER BY has only columns of the first table, and all of a
// key of it.
func (l *level) totalOrder() bool {
	var columns []string
	for _, n := range l.query.SortClause {
		by := n.GetSortBy()
		i, c := l.column(by.Node)
		if i != l.items[0] || len(by.UseOp) > 0 || l.shadows(by.Node) {
			return false
		}
		columns = append(columns, c.Name)
	}
	return isUnique(l.items[0].rel, columns)
}

// shadows reports whether a name without a table's may be that of an output which is
// something else.
func (l *level) shadows(n *pg_query.Node) bool {
	names := refNames(n.GetColumnRef())
	if len(names) != 1 {
		return false
	}
	for _, target := range l.query.TargetList {
		t := target.GetResTarget()
		if t.Name == names[0] && !same(t.Val, n) || t.Name == "" && isNamedByForm(t.Val) {
			return true
		}
	}
	return false
}

// isNamedByForm reports whether an output without a name may have the name of a
// function, a type, or something else that it is made of.
func isNamedByForm(n *pg_query.Node) bool {
	switch n.Node.(type) {
	case *pg_query.Node_ColumnRef, *pg_query.Node_AConst, *pg_query.Node_AExpr, *pg_query.Node_BoolExpr, *pg_query.Node_NullTest:
		return false
	}
	return true
}

// rewriteLimit makes FROM (SELECT * FROM t WHERE .. ORDER BY .. LIMIT ..) AS t of FROM t.
func rewriteLimit(w *work, l *level) {
	first, q, c := l.items[0], l.query, w.clauses(l.query)
	at := w.source.item(first.node)
	w.failed = w.failed || at.none()
	if w.failed {
		return
	}
	inner := []string{"SELECT * FROM " + w.copy(at)}
	for _, name := range []string{"where", "order", "limit"} {
		if whole := c.whole[name]; !whole.none() {
			inner = append(inner, w.copy(whole))
		}
	}
	w.edit(at, "("+strings.Join(inner, " ")+") AS "+quoteName(first.alias))
	for _, name := range []string{"where", "limit"} {
		if whole := c.whole[name]; !whole.none() {
			w.drop(whole)
		}
	}
	page := &pg_query.SelectStmt{
		TargetList:  []*pg_query.Node{pg_query.MakeResTargetNodeWithVal(pg_query.MakeColumnRefNode([]*pg_query.Node{pg_query.MakeAStarNode()}, 0), 0)},
		FromClause:  []*pg_query.Node{proto.Clone(first.node).(*pg_query.Node)},
		WhereClause: q.WhereClause, LimitCount: q.LimitCount, LimitOffset: q.LimitOffset, LimitOption: q.LimitOption,
		Op: pg_query.SetOperation_SETOP_NONE,
	}
	for _, by := range q.SortClause {
		page.SortClause = append(page.SortClause, proto.Clone(by).(*pg_query.Node))
	}
	q.WhereClause, q.LimitCount, q.LimitOffset, q.LimitOption = nil, nil, nil, pg_query.LimitOption_LIMIT_OPTION_DEFAULT
	first.node.Node = subselect(page, first.alias).Node
}

// subselect is a query as a FROM item.
func subselect(q *pg_query.SelectStmt, alias string) *pg_query.Node {
	return &pg_query.Node{Node: &pg_query.Node_RangeSubselect{RangeSubselect: &pg_query.RangeSubselect{
		Subquery: &pg_query.Node{Node: &pg_query.Node_SelectStmt{SelectStmt: q}}, Alias: &pg_query.Alias{Aliasname: alias}}}}
}
