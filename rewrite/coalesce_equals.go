package rewrite

import pg_query "github.com/pganalyze/pg_query_go/v5"

// CoalesceEquals (R17) lets an index be used for coalesce(c, d) = k. Preconditions:
//
//  1. it is where NULL and false are the same;
//  2. = is PostgreSQL's own;
//  3. c is a column of a table;
//  4. d and k are literals of the type of c, of one for which other literals are other
//     values.
//
// What stands there depends on whether d is k.
var coalesceEquals = automatic[coalesceSite]{
	name:  "coalesce_equals",
	about: "coalesce(column, default) = value becomes column = value, OR column IS NULL if the value is the default",
	find:  findCoalesces,
	needs: []need[coalesceSite]{
		{"NULL and false are not the same there", func(_ *work, s coalesceSite) bool { return s.positive }},
		{"its operator is not PostgreSQL's own =", func(w *work, s coalesceSite) bool { return w.isOperator(s.expr.Name, "=") }},
		{"it is not a column of a table", func(_ *work, s coalesceSite) bool {
			i, _ := s.level.column(s.column)
			return i != nil
		}},
		{"default and value are not literals of the column's type that can be compared here", func(_ *work, s coalesceSite) bool {
			_, c := s.level.column(s.column)
			d, isD := constantOf(s.otherwise)
			k, isK := constantOf(s.value)
			return isD && isK && d.kind == k.kind && d.fits(c)
		}},
	},
	rewrite: func(w *work, s coalesceSite) {
		w.literals = true
		d, _ := constantOf(s.otherwise)
		k, _ := constantOf(s.value)
		template := "%1 OPERATOR(pg_catalog.=) %2"
		if d == k {
			template += " OR %1 IS NULL"
		}
		w.replace(s.node, template, w.given(s.column), w.given(s.value))
	},
}

type coalesceSite struct {
	level                    *level
	node                     *pg_query.Node
	expr                     *pg_query.A_Expr
	column, otherwise, value *pg_query.Node
	positive                 bool
}

func findCoalesces(w *work) (sites []coalesceSite) {
	positive := w.positive()
	w.eachIn(func(l *level, n *pg_query.Node) {
		e := n.GetAExpr()
		if e == nil || e.Kind != pg_query.A_Expr_Kind_AEXPR_OP {
			return
		}
		call, value := e.Lexpr, e.Rexpr
		if call.GetCoalesceExpr() == nil {
			call, value = value, call
		}
		if args := call.GetCoalesceExpr().GetArgs(); len(args) == 2 && value != nil && args[0].GetColumnRef() != nil {
			sites = append(sites, coalesceSite{l, n, e, args[0], args[1], value, positive[n]})
		}
	})
	return sites
}
