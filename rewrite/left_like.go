package rewrite

import (
	"unicode/utf8"

	pg_query "github.com/pganalyze/pg_query_go/v5"
)

// LeftLike (R19) lets an index be used for what a text begins with. Preconditions:
//
//  1. the operator and the function are PostgreSQL's own: left(c, n) = k;
//  2. c is a column of a table, of type text or varchar;
//  3. its collation finds only the same texts equal, and LIKE can be used with it;
//  4. n is a literal, and k one without a cast that has no more than n characters, but one
//     at least.
//
// If k has fewer, c is k.
var leftLike = automatic[leftSite]{
	name:  "left_like",
	about: "left(column, n) = text becomes column LIKE 'text%'",
	find:  findLefts,
	needs: []need[leftSite]{
		{"its operator or function is not PostgreSQL's own", func(w *work, s leftSite) bool {
			return w.isOperator(s.expr.Name, "=") && w.call(s.expr.Lexpr, "left") != nil
		}},
		{"it is not a text in a column of a table", func(_ *work, s leftSite) bool {
			i, c := s.level.column(s.args[0])
			return i != nil && isText(c)
		}},
		{"the collation of the column finds different texts equal", func(_ *work, s leftSite) bool {
			_, c := s.level.column(s.args[0])
			return c.Collation < firstUserOID
		}},
		{"it is not compared with a literal that may be the beginning", func(w *work, s leftSite) bool {
			w.literals = true
			k, isK := constantOf(s.expr.Rexpr)
			n := s.args[1].GetAConst().GetIval()
			length := utf8.RuneCountInString(k.text)
			return isK && k.kind == 's' && n != nil && length > 0 && length <= int(n.Ival)
		}},
	},
	rewrite: func(w *work, s leftSite) {
		k, _ := constantOf(s.expr.Rexpr)
		if utf8.RuneCountInString(k.text) < int(s.args[1].GetAConst().GetIval().GetIval()) {
			w.replace(s.node, "%1 OPERATOR(pg_catalog.=) %2", w.given(s.args[0]), w.given(s.expr.Rexpr))
			return
		}
		w.replace(s.node, "%1 OPERATOR(pg_catalog.~~) "+quoteString(likeEscaper.Replace(k.text)+"%"), w.given(s.args[0]))
	},
}

type leftSite struct {
	level *level
	node  *pg_query.Node
	expr  *pg_query.A_Expr
	args  []*pg_query.Node
}

func findLefts(w *work) (sites []leftSite) {
	w.eachIn(func(l *level, n *pg_query.Node) {
		e := n.GetAExpr()
		f := e.GetLexpr().GetFuncCall()
		if e == nil || e.Kind != pg_query.A_Expr_Kind_AEXPR_OP || len(f.GetArgs()) != 2 || f.Args[0].GetColumnRef() == nil {
			return
		}
		if name := nameOf(f.Funcname); name[len(name)-1] == "left" {
			sites = append(sites, leftSite{l, n, e, f.Args})
		}
	})
	return sites
}
