package rewrite

import (
	"slices"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v5"
)

// ExistsOr (R29) makes one search of several: EXISTS (.. a.x = t.k) OR EXISTS (.. b.y =
// t.k) becomes t.k IN (SELECT a.x .. UNION ALL SELECT b.y ..). Preconditions:
//
//  1. it is where NULL and false are the same;
//  2. all that OR joins is EXISTS of simple queries, whose rows are those of FROM and WHERE:
//     no LIMIT, OFFSET, DISTINCT ON, aggregates, windows, or tables that are not known;
//  3. each WHERE compares, by PostgreSQL's own =, a column of its own with one of the query
//     around it, which is the same in all; AND joins that with the rest;
//  4. the columns are of the same type, or all integers;
//  5. nothing else in them refers to the query around them.
var existsOr = automatic[existsSite]{
	name:  "exists_or",
	about: "EXISTS ... OR EXISTS ... becomes IN (... UNION ALL ...)",
	find:  findExistsOrs,
	needs: []need[existsSite]{
		{"NULL and false are not the same there", func(_ *work, s existsSite) bool { return s.positive }},
		{"what is searched is not the rows of FROM and WHERE", func(w *work, s existsSite) bool {
			return !slices.ContainsFunc(s.arms, func(l *level) bool {
				return !isSimple(l.query) || isLimited(l.query) || l.query.WithClause != nil || len(l.query.DistinctClause) > 0 || w.aggregates(l.query) ||
					slices.ContainsFunc(l.items, func(i *item) bool { return i.rel == nil })
			})
		}},
		{"they do not compare with the same column", func(w *work, s existsSite) bool {
			first := w.link(s.arms[0])
			return !slices.ContainsFunc(s.arms, func(l *level) bool {
				k := w.link(l)
				return k == nil || k.outer != first.outer || k.outerName != first.outerName
			})
		}},
		{"the types are not the same", func(w *work, s existsSite) bool {
			return !slices.ContainsFunc(s.arms, func(l *level) bool {
				k := w.link(l)
				a, b := k.outer.rel.Column(k.outerName), k.inner.rel.Column(k.innerName)
				return !isExact(a) || a.Type != b.Type && !(isInteger(a) && isInteger(b))
			})
		}},
		{"something else refers to the query around it", func(w *work, s existsSite) bool {
			return !slices.ContainsFunc(s.arms, func(l *level) bool {
				return slices.ContainsFunc(s.level.items, func(i *item) bool { return w.mentioned(i, l.query, w.link(l).condition) })
			})
		}},
	},
	rewrite: rewriteExists,
}

type existsSite struct {
	level    *level
	node     *pg_query.Node
	arms     []*level
	positive bool
}

// correlation is the comparison of a column of a query with one of the query around it.
type correlation struct {
	condition            *pg_query.Node
	inner, outer         *item
	innerName, outerName string
}

func (w *work) link(l *level) *correlation {
	for _, n := range conjuncts(l.query.WhereClause) {
		left, right := w.operation(n, "=")
		for range 2 {
			a, x := l.column(left)
			b, y := l.column(right)
			if a != nil && b != nil && a.level == l && b.level == l.outer {
				return &correlation{n, a, b, x.Name, y.Name}
			}
			left, right = right, left
		}
	}
	return nil
}

func findExistsOrs(w *work) (sites []existsSite) {
	positive := w.positive()
	w.eachIn(func(l *level, n *pg_query.Node) {
		if n.GetBoolExpr().GetBoolop() != pg_query.BoolExprType_OR_EXPR {
			return
		}
		s := existsSite{level: l, node: n, positive: positive[n]}
		for _, arg := range n.GetBoolExpr().Args {
			link := arg.GetSubLink()
			in := w.levelOf(link.GetSubselect().GetSelectStmt())
			if in == nil || link.SubLinkType != pg_query.SubLinkType_EXISTS_SUBLINK {
				return
			}
			s.arms = append(s.arms, in)
		}
		sites = append(sites, s)
	})
	return sites
}

func rewriteExists(w *work, s existsSite) {
	at := w.source.expression(s.node)
	w.failed = w.failed || at.none()
	first := w.link(s.arms[0])
	x := first.outer.name(first.outerName)
	var texts []string
	var query *pg_query.SelectStmt
	for _, l := range s.arms {
		text, arm := w.search(l)
		texts = append(texts, text)
		if query == nil {
			query = arm
			continue
		}
		query = &pg_query.SelectStmt{Op: pg_query.SetOperation_SETOP_UNION, All: true, Larg: query, Rarg: arm,
			LimitOption: pg_query.LimitOption_LIMIT_OPTION_DEFAULT}
	}
	w.edit(at, "("+x.text+" IN ("+strings.Join(texts, " UNION ALL ")+"))")
	s.node.Node = &pg_query.Node_SubLink{SubLink: &pg_query.SubLink{SubLinkType: pg_query.SubLinkType_ANY_SUBLINK, Testexpr: x.node,
		Subselect: &pg_query.Node{Node: &pg_query.Node_SelectStmt{SelectStmt: query}}}}
}

// search is the query of the column that an EXISTS compares, without the comparison.
func (w *work) search(l *level) (string, *pg_query.SelectStmt) {
	k, c := w.link(l), w.clauses(l.query)
	name := k.inner.name(k.innerName)
	from := c.whole["from"]
	text := "SELECT " + name.text + " " + w.copy(from)
	q := &pg_query.SelectStmt{TargetList: []*pg_query.Node{pg_query.MakeResTargetNodeWithVal(name.node, 0)}, FromClause: l.query.FromClause,
		LimitOption: pg_query.LimitOption_LIMIT_OPTION_DEFAULT, Op: pg_query.SetOperation_SETOP_NONE}
	word := " WHERE "
	for _, n := range conjuncts(l.query.WhereClause) {
		if n == k.condition {
			continue
		}
		text += word + "(" + w.of(n) + ")"
		word = " AND "
		if q.WhereClause == nil {
			q.WhereClause = n
		} else {
			q.WhereClause = and(q.WhereClause, n)
		}
	}
	return text, q
}
