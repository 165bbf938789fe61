package rewrite

import (
	"fmt"

	pg_query "github.com/pganalyze/pg_query_go/v5"
)

// CountExists (R9) stops at the first row where a query counts only to see whether there
// is one. Preconditions:
//
//  1. the operator is PostgreSQL's own;
//  2. the comparison asks whether there is one: > 0, >= 1, <> 0, or = 0, < 1, <= 0;
//  3. the query has one output: count(*), count of a constant, or of a column of its own;
//  4. it has no GROUP BY, HAVING, DISTINCT, LIMIT, OFFSET, and no windows.
//
// count(c) becomes EXISTS (... WHERE ... AND c IS NOT NULL). An output without a name
// keeps the name that PostgreSQL gives it.
var countExists = automatic[countSite]{
	name:  "count_exists",
	about: "(SELECT count(*) ...) > 0 becomes EXISTS (...)",
	find:  findCounts,
	needs: []need[countSite]{
		{"its operator is not PostgreSQL's own", func(w *work, s countSite) bool {
			return w.isOperator(s.expr.Name, "=", "<>", "!=", "<", "<=", ">", ">=")
		}},
		{"it does not ask whether there is a row", func(w *work, s countSite) bool {
			w.literals = true
			return s.asks() != 0
		}},
		{"the query has another output than a count", func(w *work, s countSite) bool { return s.count(w) != nil }},
		{"what is counted is not the rows of FROM and WHERE", func(_ *work, s countSite) bool {
			q := s.query
			return len(q.GroupClause)+len(q.DistinctClause)+len(q.WindowClause) == 0 && q.HavingClause == nil && !isLimited(q)
		}},
	},
	rewrite: rewriteCount,
}

type countSite struct {
	level *level // of the comparison
	node  *pg_query.Node
	expr  *pg_query.A_Expr
	query *pg_query.SelectStmt
	text  string // operator and number, as if the count stood on the left
}

var mirrored = map[string]string{"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "=", "<>": "<>", "!=": "<>"}

func findCounts(w *work) (sites []countSite) {
	w.eachIn(func(l *level, n *pg_query.Node) {
		e := n.GetAExpr()
		if e == nil || e.Kind != pg_query.A_Expr_Kind_AEXPR_OP || e.Lexpr == nil {
			return
		}
		operator := mirrored[mirrored[e.Name[len(e.Name)-1].GetString_().GetSval()]]
		link, number := e.Lexpr, e.Rexpr
		if link.GetSubLink() == nil {
			link, number, operator = number, link, mirrored[operator]
		}
		c, ok := constantOf(number)
		q := link.GetSubLink().GetSubselect().GetSelectStmt()
		if ok && c.kind == 'i' && q != nil && isSimple(q) && link.GetSubLink().SubLinkType == pg_query.SubLinkType_EXPR_SUBLINK {
			sites = append(sites, countSite{l, n, e, q, operator + c.text})
		}
	})
	return sites
}

// asks is 1 for whether there is a row, -1 for whether there is none, 0 for more.
func (s countSite) asks() int {
	switch s.text {
	case ">0", ">=1", "<>0":
		return 1
	case "=0", "<1", "<=0":
		return -1
	}
	return 0
}

// count returns the call of count that is the only output.
func (s countSite) count(w *work) *pg_query.FuncCall {
	f := w.call(only(s.query.TargetList).GetResTarget().GetVal(), "count")
	switch {
	case f == nil || f.AggStar:
		return f
	case len(f.Args) != 1:
		return nil
	}
	if c, ok := constantOf(f.Args[0]); ok && c.text != "" {
		return f
	}
	if i, _ := w.levelOf(s.query).column(f.Args[0]); i == nil || i.level.query != s.query {
		return nil
	}
	return f
}

func (w *work) levelOf(q *pg_query.SelectStmt) *level {
	for _, l := range w.found.levels {
		if l.query == q {
			return l
		}
	}
	return nil
}

func rewriteCount(w *work, s countSite) {
	f, c := s.count(w), w.clauses(s.query)
	before, behind := w.around(s.node, s.query)
	if arg := only(f.Args); arg.GetColumnRef() != nil {
		text, node := w.build("%1 IS NOT NULL", w.given(arg))
		w.addWhere(s.query, c, text, node)
	}
	w.setTargets(s.query, c)
	w.asExists(s.node, before, behind, s.query, s.asks() > 0)
	w.keepName(s.level, s.node)
}

// keepName gives an output that has no name the one that an operator has.
func (w *work) keepName(l *level, n *pg_query.Node) {
	for _, target := range l.query.TargetList {
		if t := target.GetResTarget(); t.Val == n && t.Name == "" && n.GetSubLink() != nil {
			w.edits[len(w.edits)-1].Text += fmt.Sprintf(" AS %s", quoteName("?column?"))
			t.Name = "?column?"
		}
	}
}
