package rewrite

import (
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v5"
)

// CountDistinct (R26) lets PostgreSQL hash for count(DISTINCT c), which it does for GROUP
// BY only. Preconditions:
//
//  1. count is PostgreSQL's own, without FILTER and OVER, and the only output;
//  2. c is a column of a table in FROM, of a type of which equal values are the same;
//  3. the query has no GROUP BY, HAVING, DISTINCT, windows, ORDER BY, LIMIT or OFFSET.
var countDistinct = automatic[*level]{
	name:  "count_distinct",
	about: "count(DISTINCT column) becomes a count of what GROUP BY finds",
	find:  findCountDistincts,
	needs: []need[*level]{
		{"it is not the only output, or another function", func(w *work, l *level) bool {
			f := l.firstCall()
			plain := &pg_query.FuncCall{Funcname: f.Funcname, Args: f.Args, AggFilter: f.AggFilter, Over: f.Over, AggOrder: f.AggOrder}
			return len(l.query.TargetList) == 1 && w.call(&pg_query.Node{Node: &pg_query.Node_FuncCall{FuncCall: plain}}, "count") != nil
		}},
		{"what is counted is not a column of a table, of a type that is known", func(_ *work, l *level) bool {
			i, c := l.column(l.firstCall().Args[0])
			return i != nil && i.level == l && isExact(c)
		}},
		{"the query does more than count", func(_ *work, l *level) bool {
			q := l.query
			return len(q.GroupClause)+len(q.DistinctClause)+len(q.WindowClause)+len(q.SortClause) == 0 && q.HavingClause == nil && !isLimited(q)
		}},
	},
	rewrite: func(w *work, l *level) {
		q, c := l.query, w.clauses(l.query)
		f := l.firstCall()
		_, column := l.column(f.Args[0])
		name := (&item{alias: groups}).name(column.Name)
		arg := w.of(f.Args[0])
		call := w.source.expression(only(q.TargetList).GetResTarget().Val)
		w.failed = w.failed || call.none()
		open := strings.IndexByte(w.Text[call.from:], '(') + call.from
		w.edit(span{open + 1, call.to - 1}, name.text)
		w.insert(c.whole["from"].from, "FROM (SELECT "+arg+" ")
		w.insert(c.all.to, " GROUP BY "+arg+") AS "+quoteName(groups))
		inner := &pg_query.SelectStmt{TargetList: []*pg_query.Node{pg_query.MakeResTargetNodeWithVal(f.Args[0], 0)}, FromClause: q.FromClause,
			WhereClause: q.WhereClause, GroupClause: []*pg_query.Node{f.Args[0]}, LimitOption: pg_query.LimitOption_LIMIT_OPTION_DEFAULT,
			Op: pg_query.SetOperation_SETOP_NONE}
		q.FromClause, q.WhereClause = []*pg_query.Node{subselect(inner, groups)}, nil
		f.Args, f.AggDistinct = []*pg_query.Node{name.node}, false
	},
}

// groups is what a query is called that a rule has made.
const groups = "pgjay"

func (l *level) firstCall() *pg_query.FuncCall {
	return l.query.TargetList[0].GetResTarget().GetVal().GetFuncCall()
}

func findCountDistincts(w *work) (sites []*level) {
	for _, l := range w.found.levels {
		if isSimple(l.query) && len(l.query.TargetList) > 0 && len(l.query.FromClause) > 0 {
			if f := l.firstCall(); f != nil && f.AggDistinct && len(f.Args) == 1 {
				sites = append(sites, l)
			}
		}
	}
	return sites
}
