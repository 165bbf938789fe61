package rewrite

import pg_query "github.com/pganalyze/pg_query_go/v5"

// CountColumn (R31) counts rows where a column is counted that is never NULL: then the
// column need not be read. Preconditions:
//
//  1. count is PostgreSQL's own, of one argument, without DISTINCT;
//  2. the argument is a column of a table in FROM of the same query: one of a query around
//     it would make it that one's aggregate;
//  3. it is never NULL, neither by its constraint nor by an outer join.
var countColumn = automatic[columnSite]{
	name:  "count_column",
	about: "count(column) becomes count(*) where the column is never NULL",
	find:  findColumnCounts,
	needs: []need[columnSite]{
		{"it is not PostgreSQL's own count, or it has DISTINCT", func(w *work, s columnSite) bool {
			plain := &pg_query.FuncCall{Funcname: s.call.Funcname, Args: s.call.Args}
			return !s.call.AggDistinct && w.call(&pg_query.Node{Node: &pg_query.Node_FuncCall{FuncCall: plain}}, "count") != nil
		}},
		{"what is counted is not a column of a table in the same query", func(_ *work, s columnSite) bool {
			i, _ := s.level.column(s.call.Args[0])
			return i != nil && i.level == s.level
		}},
		{"the column may be NULL", func(_ *work, s columnSite) bool { return s.level.notNull(s.call.Args[0]) }},
	},
	rewrite: func(w *work, s columnSite) {
		at := w.source.expression(s.call.Args[0])
		w.failed = w.failed || at.none()
		if k := w.source.before(at.from); k >= 0 && w.source.tokens[k].Word == "all" {
			at.from = w.source.tokens[k].Start
		}
		w.edit(at, "*")
		s.call.Args, s.call.AggStar = nil, true
	},
}

type columnSite struct {
	level *level
	call  *pg_query.FuncCall
}

func findColumnCounts(w *work) (sites []columnSite) {
	w.eachIn(func(l *level, n *pg_query.Node) {
		f := n.GetFuncCall()
		if f == nil || len(f.Args) != 1 || f.Args[0].GetColumnRef() == nil || f.AggOrder != nil {
			return
		}
		if name := nameOf(f.Funcname); name[len(name)-1] == "count" {
			sites = append(sites, columnSite{l, f})
		}
	})
	return sites
}
