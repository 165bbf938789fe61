package rewrite

import (
	pg_query "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/proto"
)

// OrUnion (R8) lets each of two conditions on different tables use its index.
// Preconditions:
//
//  1. WHERE is p OR q and no more;
//  2. FROM has several tables, and all are known;
//  3. p refers to one of them, and q to another;
//  4. the query has no ORDER BY, LIMIT, OFFSET, DISTINCT, aggregates, windows and WITH,
//     and is no arm of a set operation;
//  5. no parameter is in it: it would be there twice, and PostgreSQL may take its type
//     from the other place.
//
// The second arm has the rows for which q holds and p does not: no row is there twice, and
// none is lost, whatever duplicates there are.
var orUnion = automatic[*level]{
	name:  "or_union",
	about: "p OR q of different tables becomes UNION ALL of the rows for p and of the others for q",
	find: func(w *work) (sites []*level) {
		for _, l := range w.found.levels {
			if b := l.query.WhereClause.GetBoolExpr(); isSimple(l.query) && b.GetBoolop() == pg_query.BoolExprType_OR_EXPR {
				sites = append(sites, l)
			}
		}
		return sites
	},
	needs: []need[*level]{
		{"there are more than two conditions", func(_ *work, l *level) bool { return len(l.query.WhereClause.GetBoolExpr().Args) == 2 }},
		{"not all in FROM are tables", func(_ *work, l *level) bool {
			for _, i := range l.items {
				if i.rel == nil {
					return false
				}
			}
			return len(l.items) > 1
		}},
		{"the conditions are not on two tables", func(w *work, l *level) bool {
			args := l.query.WhereClause.GetBoolExpr().Args
			a, b := w.about(l, args[0]), w.about(l, args[1])
			return a != nil && b != nil && a != b
		}},
		{"it is more than the rows of FROM and WHERE", func(w *work, l *level) bool {
			q := l.query
			return len(q.SortClause)+len(q.DistinctClause) == 0 && !isLimited(q) && q.WithClause == nil && !w.aggregates(q) && !hasWindow(q) && l.use != arm
		}},
		{"there are parameters in it", func(_ *work, l *level) bool {
			return !hasParameter(append(l.query.FromClause[:len(l.query.FromClause):len(l.query.FromClause)], l.query.TargetList...), l.query.WhereClause)
		}},
	},
	rewrite: func(w *work, l *level) {
		q, c := l.query, w.clauses(l.query)
		args := q.WhereClause.GetBoolExpr().Args
		p, other := w.given(args[0]), w.given(args[1])
		text, node := w.build("%2 AND (%1) IS NOT TRUE", p, other)
		head := w.copy(span{c.all.from, c.whole["where"].from})
		w.edit(c.body["where"], " "+p.text+" UNION ALL "+head+"WHERE "+text)
		left := proto.Clone(q).(*pg_query.SelectStmt)
		right := proto.Clone(q).(*pg_query.SelectStmt)
		left.WhereClause, right.WhereClause = p.node, node
		proto.Reset(q)
		q.Op, q.All, q.Larg, q.Rarg = pg_query.SetOperation_SETOP_UNION, true, left, right
		q.LimitOption = pg_query.LimitOption_LIMIT_OPTION_DEFAULT
	},
}

// about returns the only table of a query that a condition refers to.
func (w *work) about(l *level, condition *pg_query.Node) (only *item) {
	for _, i := range l.items {
		if !w.mentioned(i, condition) {
			continue
		}
		if only != nil {
			return nil
		}
		only = i
	}
	return only
}
