package rewrite

import (
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v5"
)

// StrposLike (R18) lets a trigram index find what has a text in it. Preconditions:
//
//  1. the operator and the function are PostgreSQL's own: strpos(c, k) > 0, >= 1, <> 0 or
//     position(k IN c) so;
//  2. c is a column of a table, of type text or varchar;
//  3. its collation finds only the same texts equal, and LIKE can be used with it;
//  4. k is a literal without a cast and is not empty;
//  5. the column has a complete index with the operator class gin_trgm_ops.
//
// What LIKE would not take literally has a backslash before it.
var strposLike = automatic[strposSite]{
	name:  "strpos_like",
	about: "strpos(column, text) > 0 becomes column LIKE '%text%', which a trigram index can find",
	find:  findStrpos,
	needs: []need[strposSite]{
		{"its operator or function is not PostgreSQL's own", func(w *work, s strposSite) bool {
			return w.isOperator(s.expr.Name, ">", ">=", "<>", "!=") && w.call(s.call, "strpos", "position") != nil
		}},
		{"it is not a text in a column of a table", func(_ *work, s strposSite) bool {
			i, c := s.level.column(s.column())
			return i != nil && isText(c)
		}},
		{"the collation of the column finds different texts equal", func(_ *work, s strposSite) bool {
			_, c := s.level.column(s.column())
			return c.Collation < firstUserOID
		}},
		{"what is looked for is not a literal, or it is empty", func(_ *work, s strposSite) bool {
			k, ok := constantOf(s.call.GetFuncCall().Args[1])
			return ok && k.kind == 's' && k.text != ""
		}},
		{"the column has no trigram index", func(_ *work, s strposSite) bool {
			i, c := s.level.column(s.column())
			return hasIndex(i.rel, c, "gin", "gin_trgm_ops")
		}},
	},
	rewrite: func(w *work, s strposSite) {
		k, _ := constantOf(s.call.GetFuncCall().Args[1])
		w.replace(s.node, "%1 OPERATOR(pg_catalog.~~) "+quoteString("%"+likeEscaper.Replace(k.text)+"%"), w.given(s.column()))
	},
}

// likeEscaper makes LIKE take a text literally.
var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

type strposSite struct {
	level *level
	node  *pg_query.Node
	expr  *pg_query.A_Expr
	call  *pg_query.Node
}

func (s strposSite) column() *pg_query.Node { return s.call.GetFuncCall().Args[0] }

func findStrpos(w *work) (sites []strposSite) {
	w.eachIn(func(l *level, n *pg_query.Node) {
		e := n.GetAExpr()
		if e == nil || e.Kind != pg_query.A_Expr_Kind_AEXPR_OP || len(e.Lexpr.GetFuncCall().GetArgs()) != 2 {
			return
		}
		name := nameOf(e.Lexpr.GetFuncCall().Funcname)
		c, ok := constantOf(e.Rexpr)
		if last := name[len(name)-1]; !ok || last != "strpos" && last != "position" {
			return
		}
		w.literals = true
		switch e.Name[len(e.Name)-1].GetString_().GetSval() + c.text {
		case ">0", ">=1", "<>0", "!=0":
			sites = append(sites, strposSite{l, n, e, e.Lexpr})
		}
	})
	return sites
}
