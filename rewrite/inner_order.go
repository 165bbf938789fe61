package rewrite

import (
	"slices"

	pg_query "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/pgjay/pgjay/rewrite/catalog"
)

// InnerOrder (R13) takes ORDER BY out of a query in FROM, if the one around it makes of
// its rows what does not depend on their order. Preconditions:
//
//  1. the inner query has no LIMIT, OFFSET and DISTINCT ON: there the order says which
//     rows there are;
//  2. it is all that is in FROM;
//  3. the outer query has aggregates, but neither windows nor LIMIT;
//  4. none of the aggregates depends on the order: count, bool_and, bool_or, every, and
//     min, max, sum, avg where equal values are the same and sums are exact;
//  5. so are the columns of GROUP BY.
var innerOrder = automatic[*level]{
	name:  "inner_order",
	about: "ORDER BY is left out of a query in FROM of which only aggregates are made",
	find: func(w *work) (sites []*level) {
		for _, l := range findOrdered(w) {
			if l.use == derived && l.outer != nil && len(l.query.SortClause) > 0 {
				sites = append(sites, l)
			}
		}
		return sites
	},
	needs: []need[*level]{
		{"its order says which rows there are", func(_ *work, l *level) bool {
			return !isLimited(l.query) && (len(l.query.DistinctClause) == 0 || isPlainDistinct(l.query))
		}},
		{"it is not all that is in FROM", func(_ *work, l *level) bool { return len(l.outer.items) == 1 }},
		{"the query around it does not only make aggregates of it", func(w *work, l *level) bool {
			q := l.outer.query
			return w.aggregates(q) && len(q.WindowClause) == 0 && !isLimited(q) && !hasWindow(q)
		}},
		{"an aggregate may depend on the order", func(w *work, l *level) bool { return w.orderless(l) }},
		{"a column of GROUP BY has equal values that are not the same", func(_ *work, l *level) bool {
			return !slices.ContainsFunc(l.outer.query.GroupClause, func(n *pg_query.Node) bool {
				c := l.output(n)
				return c == nil || !isExact(c)
			})
		}},
	},
	rewrite: func(w *work, l *level) { w.dropOrder(l.query, w.clauses(l.query)) },
}

func hasWindow(q *pg_query.SelectStmt) (yes bool) {
	eachNode(q, func(n *pg_query.Node) { yes = yes || n.GetFuncCall().GetOver() != nil })
	return yes
}

// orderless reports whether no aggregate of the query around this one depends on the
// order of its rows.
func (w *work) orderless(l *level) bool {
	ok := true
	eachMessage(l.outer.query.ProtoReflect(), func(m protoreflect.Message) bool {
		switch v := m.Interface().(type) {
		case *pg_query.SelectStmt:
			return v == l.outer.query
		case *pg_query.GroupingFunc, *pg_query.JsonObjectAgg, *pg_query.JsonArrayAgg:
			ok = false
		case *pg_query.Node:
			f := v.GetFuncCall()
			ok = ok && (f == nil || !w.Scope.Catalog.Aggregates(w.Scope.Path, nameOf(f.Funcname)) || w.isOrderless(l, v))
		}
		return true
	})
	return ok
}

func (w *work) isOrderless(l *level, n *pg_query.Node) bool {
	f := n.GetFuncCall()
	bare := &pg_query.Node{Node: &pg_query.Node_FuncCall{FuncCall: &pg_query.FuncCall{Funcname: f.Funcname, Args: f.Args, AggStar: f.AggStar}}}
	if w.call(bare, "count", "bool_and", "bool_or", "every") != nil {
		return true
	}
	c := l.output(only(f.Args))
	switch {
	case c == nil:
		return false
	case w.call(bare, "sum", "avg") != nil:
		return isInteger(c)
	}
	return w.call(bare, "min", "max") != nil && isExact(c)
}

// output returns the column of a table that a reference to an output of this query is.
func (l *level) output(n *pg_query.Node) *catalog.Column {
	names := refNames(n.GetColumnRef())
	if len(names) == 0 {
		return nil
	}
	var found *catalog.Column
	for _, target := range l.query.TargetList {
		t := target.GetResTarget()
		c := l.named(t, names[len(names)-1])
		if c != nil && found != nil {
			return nil
		}
		if c != nil {
			found = c
		}
	}
	return found
}

// named returns the column that an output with this name is.
func (l *level) named(t *pg_query.ResTarget, name string) *catalog.Column {
	_, c := l.column(t.Val)
	switch {
	case len(t.Val.GetColumnRef().GetFields()) == 1 && refNames(t.Val.GetColumnRef()) == nil:
		_, c = l.unqualified(name)
		return c
	case c == nil || t.Name != "" && t.Name != name || t.Name == "" && c.Name != name:
		return nil
	}
	return c
}
