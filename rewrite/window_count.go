package rewrite

import (
	pg_query "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/proto"
)

// WindowCount (R28) counts the rows of a page's query once, where a window makes
// PostgreSQL collect all of them with all their columns. Preconditions:
//
//  1. it is PostgreSQL's count(*) OVER (), with nothing in the parentheses and no FILTER;
//  2. the query has LIMIT: else all rows are wanted;
//  3. what is counted is the rows of FROM and WHERE: no DISTINCT, aggregates or other
//     windows;
//  4. WHERE and FROM have no parameter: it would be there twice, and PostgreSQL may take its
//     type from the other place.
var windowCount = automatic[windowSite]{
	name:  "window_count",
	about: "count(*) OVER () becomes (SELECT count(*) ...) of the same rows",
	find:  findWindowCounts,
	needs: []need[windowSite]{
		{"it is not PostgreSQL's count(*) OVER ()", func(w *work, s windowSite) bool {
			f := s.node.GetFuncCall()
			return f.AggStar && f.AggFilter == nil && s.isEmpty() &&
				w.call(&pg_query.Node{Node: &pg_query.Node_FuncCall{FuncCall: &pg_query.FuncCall{Funcname: f.Funcname}}}, "count") != nil
		}},
		{"there is no LIMIT", func(_ *work, s windowSite) bool { return s.level.query.LimitCount != nil }},
		{"what is counted is not the rows of FROM and WHERE", func(w *work, s windowSite) bool {
			q := s.level.query
			return len(q.DistinctClause)+len(q.GroupClause)+len(q.WindowClause) == 0 && q.HavingClause == nil && s.alone(w)
		}},
		{"there are parameters in it", func(_ *work, s windowSite) bool {
			return !hasParameter(s.level.query.FromClause, s.level.query.WhereClause)
		}},
	},
	rewrite: func(w *work, s windowSite) {
		q, c := s.level.query, w.clauses(s.level.query)
		text := "SELECT pg_catalog.count(*)"
		for _, name := range []string{"from", "where"} {
			if at := c.whole[name]; !at.none() {
				text += " " + w.copy(at)
			}
		}
		at := w.source.expression(s.node)
		w.failed = w.failed || at.none()
		w.edit(at, "("+text+")")
		f := s.node.GetFuncCall()
		f.Over = nil
		same := proto.Clone(&pg_query.SelectStmt{FromClause: q.FromClause, WhereClause: q.WhereClause}).(*pg_query.SelectStmt)
		inner := &pg_query.SelectStmt{TargetList: []*pg_query.Node{pg_query.MakeResTargetNodeWithVal(&pg_query.Node{Node: s.node.Node}, 0)},
			FromClause: same.FromClause, WhereClause: same.WhereClause, LimitOption: pg_query.LimitOption_LIMIT_OPTION_DEFAULT, Op: pg_query.SetOperation_SETOP_NONE}
		f.Funcname = []*pg_query.Node{pg_query.MakeStrNode("pg_catalog"), pg_query.MakeStrNode("count")}
		s.node.Node = &pg_query.Node_SubLink{SubLink: &pg_query.SubLink{SubLinkType: pg_query.SubLinkType_EXPR_SUBLINK,
			Subselect: &pg_query.Node{Node: &pg_query.Node_SelectStmt{SelectStmt: inner}}}}
	},
}

type windowSite struct {
	level *level
	node  *pg_query.Node
}

func findWindowCounts(w *work) (sites []windowSite) {
	w.eachIn(func(l *level, n *pg_query.Node) {
		f := n.GetFuncCall()
		if f == nil || f.Over == nil || len(f.Args) > 0 {
			return
		}
		if name := nameOf(f.Funcname); name[len(name)-1] == "count" {
			sites = append(sites, windowSite{l, n})
		}
	})
	return sites
}

// isEmpty reports whether the window is all rows.
func (s windowSite) isEmpty() bool {
	o := s.node.GetFuncCall().Over
	return o.Name == "" && o.Refname == "" && len(o.PartitionClause)+len(o.OrderClause) == 0
}

// alone reports whether the query has no aggregates and no other windows.
func (s windowSite) alone(w *work) bool {
	calls := 0
	w.eachIn(func(l *level, n *pg_query.Node) {
		if f := n.GetFuncCall(); l == s.level && f != nil && (f.Over != nil || w.Scope.Catalog.Aggregates(w.Scope.Path, nameOf(f.Funcname))) {
			calls++
		}
	})
	return calls == 1
}

func hasParameter(lists []*pg_query.Node, other *pg_query.Node) (yes bool) {
	for _, n := range append(lists[:len(lists):len(lists)], other) {
		if n != nil {
			eachNode(n, func(n *pg_query.Node) { yes = yes || n.GetParamRef() != nil })
		}
	}
	return yes
}
