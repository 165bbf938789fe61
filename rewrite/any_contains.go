package rewrite

import pg_query "github.com/pganalyze/pg_query_go/v5"

// AnyContains (R2) lets a GIN index find the arrays that have an element. Preconditions:
//
//  1. x = ANY (a) is where false and NULL are the same: where x or an element is NULL,
//     ANY is NULL and @> is false;
//  2. = is PostgreSQL's own;
//  3. a is a column of a table, of a type in our list;
//  4. x is a constant of that type: a string without a cast, an integer for integers, a
//     parameter where its type is what the cast makes it;
//  5. a has a complete GIN index with the operator class array_ops.
//
// The cast to the type of the column makes varchar[] and bigint[] be found, and the
// operator is PostgreSQL's own also where an extension has one of that name.
var anyContains = automatic[anySite]{
	name:  "any_contains",
	about: "x = ANY (array) becomes array @> ARRAY[x], which a GIN index can find",
	find:  findAny,
	needs: []need[anySite]{
		{"NULL and false are not the same there", func(_ *work, s anySite) bool { return s.positive }},
		{"its operator is not PostgreSQL's own =", func(w *work, s anySite) bool { return w.isOperator(s.expr.Name, "=") }},
		{"the array is not a column of a table, of a type that is known", func(_ *work, s anySite) bool { return s.item != nil }},
		{"what is looked for is not a constant of the type of the elements", func(w *work, s anySite) bool { return w.isElement(s.expr.Lexpr, s.element()) }},
		{"the array has no GIN index", func(_ *work, s anySite) bool {
			return hasIndex(s.item.rel, s.item.rel.Column(s.column), "gin", "array_ops")
		}},
	},
	rewrite: func(w *work, s anySite) {
		w.replace(s.node, "%1 OPERATOR(pg_catalog.@>) ARRAY[%2]::pg_catalog."+s.element()+"[]", w.given(s.expr.Rexpr), w.given(s.expr.Lexpr))
	},
}

type anySite struct {
	node     *pg_query.Node
	expr     *pg_query.A_Expr
	positive bool
	item     *item
	column   string
}

func findAny(w *work) (sites []anySite) {
	positive := w.positive()
	w.eachIn(func(l *level, n *pg_query.Node) {
		e := n.GetAExpr()
		if e == nil || e.Kind != pg_query.A_Expr_Kind_AEXPR_OP_ANY || e.Rexpr.GetColumnRef() == nil {
			return
		}
		s := anySite{node: n, expr: e, positive: positive[n]}
		if i, c := l.column(e.Rexpr); i != nil && arrays[c.Type] != "" {
			s.item, s.column = i, c.Name
		}
		sites = append(sites, s)
	})
	return sites
}

// arrays are the elements of built-in array types.
var arrays = map[uint32]string{
	1005: "int2", 1007: "int4", 1016: "int8", 1009: "text", 1015: "varchar", 2951: "uuid", 1182: "date", 1115: "timestamp", 1185: "timestamptz",
}

func (s anySite) element() string { return arrays[s.item.rel.Column(s.column).Type] }

// isElement reports whether a node is a constant that in an array of this type is the
// same as it is alone.
func (w *work) isElement(n *pg_query.Node, element string) bool {
	if n.GetParamRef() != nil {
		return element != "varchar" // alone it would be text
	}
	if cast := n.GetTypeCast(); cast != nil {
		c, ok := constantOf(cast.Arg)
		return ok && c.kind == 's' && w.isTypeName(cast.TypeName, element)
	}
	c, ok := constantOf(n)
	if !ok || c.kind == 'b' {
		return false
	}
	w.literals = w.literals || element == "int2" // of which some are too large
	integers := element == "int2" || element == "int4" || element == "int8"
	return c.kind == 's' || integers && element != "int2" || element == "int2" && len(c.text) < 5
}
