package rewrite

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/proto"
)

// NullsSplit (R15) takes a page of an order that no index has, because NULLs are at the
// other end, from the rows that are not NULL and those that are. Preconditions:
//
//  1. it is the client's query of one table, with ORDER BY and plain LIMIT;
//  2. the first column of ORDER BY can be NULL, and NULLS FIRST or LAST is not what an
//     index in its direction has;
//  3. it makes no rows of several: no DISTINCT, aggregates or windows;
//  4. ORDER BY has only columns of the table, and all of a key: so the order is total;
//  5. LIMIT and OFFSET are integers, no parameters: both arms need their sum;
//  6. the column has a complete btree index that begins with it;
//  7. nothing refers to the whole row of the table, to its system columns, or to it with
//     its schema;
//  8. WHERE has no parameters: it would be there twice, and PostgreSQL may take their types
//     from the other place.
var nullsSplit = automatic[*level]{
	name:  "nulls_split",
	about: "a page in an order with NULLs at the unusual end is made of the page without them and that of them",
	find: func(w *work) (sites []*level) {
		for _, l := range w.found.levels {
			if isSimple(l.query) && len(l.items) > 0 && len(l.query.SortClause) > 0 && l.query.SortClause[0].GetSortBy().SortbyNulls != pg_query.SortByNulls_SORTBY_NULLS_DEFAULT {
				sites = append(sites, l)
			}
		}
		return sites
	},
	needs: []need[*level]{
		{"it is not the client's query of one table with a plain LIMIT", func(_ *work, l *level) bool {
			return l.use == answer && len(l.items) == 1 && l.items[0].rel != nil && l.query.LimitOption == pg_query.LimitOption_LIMIT_OPTION_COUNT
		}},
		{"the first column of ORDER BY is never NULL, or an index has that order", func(_ *work, l *level) bool {
			by := l.query.SortClause[0].GetSortBy()
			_, c := l.column(by.Node)
			first := by.SortbyNulls == pg_query.SortByNulls_SORTBY_NULLS_FIRST
			return c != nil && !c.NotNull && first != (by.SortbyDir == pg_query.SortByDir_SORTBY_DESC)
		}},
		{"it makes one row of several", func(w *work, l *level) bool {
			return len(l.query.DistinctClause) == 0 && !w.aggregates(l.query) && !hasWindow(l.query)
		}},
		{"ORDER BY is not by columns of the table with all of a key", func(_ *work, l *level) bool { return l.totalOrder() }},
		{"LIMIT or OFFSET are not integers", func(w *work, l *level) bool {
			w.literals = true
			_, ok := l.pageEnd()
			return ok
		}},
		{"the column has no index", func(_ *work, l *level) bool {
			i, c := l.column(l.query.SortClause[0].GetSortBy().Node)
			return hasIndex(i.rel, c, "btree", "")
		}},
		{"something refers to the row of the table", func(w *work, l *level) bool { return !w.wholeRow(l.items[0], l.query) }},
		{"there are parameters in WHERE", func(_ *work, l *level) bool { return !hasParameter(nil, l.query.WhereClause) }},
	},
	rewrite: rewriteNulls,
}

// pageEnd is the sum of LIMIT and OFFSET.
func (l *level) pageEnd() (int, bool) {
	sum := 0
	for k, n := range []*pg_query.Node{l.query.LimitCount, l.query.LimitOffset} {
		if k == 1 && n == nil {
			break
		}
		c, ok := constantOf(n)
		value, err := strconv.Atoi(c.text)
		if !ok || c.kind != 'i' || err != nil || value < 0 {
			return 0, false
		}
		sum += value
	}
	return sum, sum <= math.MaxInt32
}

func rewriteNulls(w *work, l *level) {
	q, first, c := l.query, l.items[0], w.clauses(l.query)
	at := w.source.item(first.node)
	w.failed = w.failed || at.none()
	if w.failed {
		return
	}
	column, _ := w.build("%1", w.given(q.SortClause[0].GetSortBy().Node))
	end, _ := l.pageEnd()
	var arms [2]string
	var nodes [2]*pg_query.SelectStmt
	for k, condition := range []string{" IS NOT NULL", " IS NULL"} {
		text := "SELECT * FROM " + w.copy(at) + " WHERE "
		if body := c.body["where"]; !body.none() {
			text += "(" + strings.TrimSpace(w.copy(body)) + ") AND "
		}
		text += column + condition
		if order := w.orderWithin(q.SortClause, k); order != "" {
			text += " ORDER BY " + order
		}
		arms[k] = text + fmt.Sprintf(" LIMIT %d", end)
		nodes[k] = w.pageArm(l, k, end)
	}
	w.edit(at, "(("+arms[0]+") UNION ALL ("+arms[1]+")) AS "+quoteName(first.alias))
	if whole := c.whole["where"]; !whole.none() {
		w.drop(whole)
	}
	union := &pg_query.SelectStmt{Op: pg_query.SetOperation_SETOP_UNION, All: true, Larg: nodes[0], Rarg: nodes[1],
		LimitOption: pg_query.LimitOption_LIMIT_OPTION_DEFAULT}
	q.WhereClause = nil
	first.node.Node = subselect(union, first.alias).Node
}

// orderWithin writes ORDER BY within the rows that are not NULL (0) and those that are
// (1): there the first column is no order.
func (w *work) orderWithin(order []*pg_query.Node, half int) string {
	var texts []string
	for k, n := range order[half:] {
		by := n.GetSortBy()
		text := w.of(by.Node) + map[pg_query.SortByDir]string{pg_query.SortByDir_SORTBY_ASC: " ASC", pg_query.SortByDir_SORTBY_DESC: " DESC"}[by.SortbyDir]
		if k+half > 0 {
			text += map[pg_query.SortByNulls]string{pg_query.SortByNulls_SORTBY_NULLS_FIRST: " NULLS FIRST", pg_query.SortByNulls_SORTBY_NULLS_LAST: " NULLS LAST"}[by.SortbyNulls]
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, ", ")
}

// pageArm is the node of one half of a page.
func (w *work) pageArm(l *level, half, end int) *pg_query.SelectStmt {
	q := l.query
	var order []*pg_query.Node
	for _, by := range q.SortClause[half:] {
		order = append(order, proto.Clone(by).(*pg_query.Node))
	}
	kind := pg_query.NullTestType_IS_NULL
	if half == 0 {
		kind = pg_query.NullTestType_IS_NOT_NULL
		order[0].GetSortBy().SortbyNulls = pg_query.SortByNulls_SORTBY_NULLS_DEFAULT
	}
	where := &pg_query.Node{Node: &pg_query.Node_NullTest{NullTest: &pg_query.NullTest{Arg: q.SortClause[0].GetSortBy().Node, Nulltesttype: kind}}}
	if q.WhereClause != nil {
		where = and(proto.Clone(q.WhereClause).(*pg_query.Node), where)
	}
	return &pg_query.SelectStmt{
		TargetList:  []*pg_query.Node{pg_query.MakeResTargetNodeWithVal(pg_query.MakeColumnRefNode([]*pg_query.Node{pg_query.MakeAStarNode()}, 0), 0)},
		FromClause:  []*pg_query.Node{proto.Clone(l.items[0].node).(*pg_query.Node)},
		WhereClause: where, SortClause: order, LimitCount: pg_query.MakeAConstIntNode(int64(end), 0),
		LimitOption: pg_query.LimitOption_LIMIT_OPTION_COUNT, Op: pg_query.SetOperation_SETOP_NONE,
	}
}
