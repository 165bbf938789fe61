package rewrite

import (
	"slices"

	pg_query "github.com/pganalyze/pg_query_go/v5"
)

// NotIn (R6) makes a join of NOT IN, which PostgreSQL runs as it stands: for each row it
// goes through all the others, unless these fit into work_mem. Preconditions:
//
//  1. the operator is PostgreSQL's own =;
//  2. on the left is a column of a table that is never NULL: neither by its constraint nor
//     by an outer join;
//  3. the query has one output, a column of a table that is never NULL, or of which WHERE
//     says so;
//  4. the types of both are the same, or both integers;
//  5. all rows of the query count: no LIMIT, OFFSET, DISTINCT ON, aggregates, windows or
//     set operations;
//  6. nothing in its FROM has the name of the table on the left.
var notIn = automatic[notInSite]{
	name:  "not_in",
	about: "x NOT IN (SELECT y ...) becomes NOT EXISTS (... WHERE y = x)",
	find:  findNotIns,
	needs: []need[notInSite]{
		{"its operator is not PostgreSQL's own =", func(w *work, s notInSite) bool {
			name := s.link.OperName
			if len(name) == 0 {
				name = []*pg_query.Node{pg_query.MakeStrNode("=")}
			}
			return w.isOperator(name, "=")
		}},
		{"the left side may be NULL", func(_ *work, s notInSite) bool { return s.level.notNull(s.link.Testexpr) }},
		{"an output of the query may be NULL", func(w *work, s notInSite) bool {
			return s.output() != nil && (s.inner.notNull(s.output()) || s.saysNotNull())
		}},
		{"the types are not the same", func(_ *work, s notInSite) bool {
			_, x := s.level.column(s.link.Testexpr)
			_, y := s.inner.column(s.output())
			return exact[x.Type] != "" && (x.Type == y.Type || isInteger(x) && isInteger(y))
		}},
		{"not all rows of the query count", func(w *work, s notInSite) bool {
			q := s.inner.query
			return !isLimited(q) && (len(q.DistinctClause) == 0 || isPlainDistinct(q)) && !w.aggregates(q)
		}},
		{"the name of the table on the left means another one in the query", func(_ *work, s notInSite) bool {
			x, _ := s.level.column(s.link.Testexpr)
			return x.level == s.level && !slices.ContainsFunc(s.inner.items, func(i *item) bool { return i.alias == x.alias })
		}},
	},
	rewrite: func(w *work, s notInSite) {
		x, column := s.level.column(s.link.Testexpr)
		q := s.inner.query
		c := w.clauses(q)
		before, behind := w.around(s.node, q)
		text, node := w.build("%1 OPERATOR(pg_catalog.=) %2", w.given(s.output()), x.name(column.Name))
		w.addWhere(q, c, text, node)
		w.setTargets(q, c)
		if len(q.DistinctClause) > 0 {
			w.dropDistinct(q, c)
		}
		if len(q.SortClause) > 0 {
			w.dropOrder(q, c)
		}
		w.asExists(s.node, before, behind, q, false)
	},
}

type notInSite struct {
	level, inner *level
	node         *pg_query.Node
	link         *pg_query.SubLink
}

func findNotIns(w *work) (sites []notInSite) {
	w.eachIn(func(l *level, n *pg_query.Node) {
		b := n.GetBoolExpr()
		if b == nil || b.Boolop != pg_query.BoolExprType_NOT_EXPR {
			return
		}
		link := b.Args[0].GetSubLink()
		inner := w.levelOf(link.GetSubselect().GetSelectStmt())
		if inner != nil && inner.use == member && isSimple(inner.query) && link.Testexpr.GetColumnRef() != nil {
			sites = append(sites, notInSite{l, inner, n, link})
		}
	})
	return sites
}

// output is the only output of the query, if that is a column of a table in it.
func (s notInSite) output() *pg_query.Node {
	n := only(s.inner.query.TargetList).GetResTarget().GetVal()
	if i, _ := s.inner.column(n); i == nil || i.level != s.inner {
		return nil
	}
	return n
}

// saysNotNull reports whether WHERE says that the output is not NULL.
func (s notInSite) saysNotNull() bool {
	return slices.ContainsFunc(conjuncts(s.inner.query.WhereClause), func(n *pg_query.Node) bool {
		t := n.GetNullTest()
		return t != nil && t.Nulltesttype == pg_query.NullTestType_IS_NOT_NULL && same(t.Arg, s.output())
	})
}
