package rewrite

import (
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v5"
)

// OrIn (R22) makes one condition of many: c = a OR c = b OR ... becomes c IN (a, b, ...),
// which is planned and run as one. Preconditions:
//
//  1. each operator is PostgreSQL's own =;
//  2. on the left is always the same column of a table, of a type that we know;
//  3. on the right are literals of one kind, without casts, or parameters where their
//     type is that of the column;
//  4. there are so many that it pays.
var orIn = automatic[orSite]{
	name:  "or_in",
	about: "c = a OR c = b OR ... becomes c IN (a, b, ...)",
	find:  findOrs,
	needs: []need[orSite]{
		{"an operator is not PostgreSQL's own =", func(w *work, s orSite) bool {
			for _, arm := range s.arms {
				if left, _ := w.operation(arm, "="); left == nil {
					return false
				}
			}
			return true
		}},
		{"it is not always the same column of a table, of a type that is known", func(_ *work, s orSite) bool {
			i, c := s.level.column(s.column())
			if i == nil || exact[c.Type] == "" {
				return false
			}
			for _, arm := range s.arms {
				if !same(arm.GetAExpr().Lexpr, s.column()) {
					return false
				}
			}
			return true
		}},
		{"what it is compared with are not constants of one kind", func(_ *work, s orSite) bool {
			_, c := s.level.column(s.column())
			for _, arm := range s.arms {
				if !sameKind(arm.GetAExpr().Rexpr, s.arms[0].GetAExpr().Rexpr, c.Type) {
					return false
				}
			}
			return true
		}},
		{"there are too few", func(_ *work, s orSite) bool { return len(s.arms) >= fewest }},
	},
	rewrite: rewriteOr,
}

// fewest conditions for which it pays to have one instead.
const fewest = 8

type orSite struct {
	level *level
	node  *pg_query.Node
	arms  []*pg_query.Node
}

func (s orSite) column() *pg_query.Node { return s.arms[0].GetAExpr().Lexpr }

// findOrs returns all ORs of comparisons with a column on the left.
func findOrs(w *work) (sites []orSite) {
	w.eachIn(func(l *level, n *pg_query.Node) {
		if n.GetBoolExpr().GetBoolop() != pg_query.BoolExprType_OR_EXPR {
			return
		}
		s := orSite{l, n, n.GetBoolExpr().Args}
		for _, arm := range s.arms {
			if e := arm.GetAExpr(); e == nil || e.Kind != pg_query.A_Expr_Kind_AEXPR_OP || e.Lexpr.GetColumnRef() == nil {
				return
			}
		}
		sites = append(sites, s)
	})
	return sites
}

// sameKind reports whether a constant is of the kind of another, for a column of a type.
func sameKind(a, b *pg_query.Node, column uint32) bool {
	if a.GetParamRef() != nil {
		return b.GetParamRef() != nil && column != varcharType // alone it would be text
	}
	c, ok := constantOf(a)
	d, also := constantOf(b)
	return ok && also && c.kind == d.kind
}

func rewriteOr(w *work, s orSite) {
	list := &pg_query.List{}
	var text strings.Builder
	for _, arm := range s.arms {
		p := w.given(arm.GetAExpr().Rexpr)
		list.Items = append(list.Items, p.node)
		if text.Len() > 0 {
			text.WriteString(", ")
		}
		text.WriteString(p.text)
	}
	at := w.source.expression(s.node)
	w.failed = w.failed || at.none()
	column := w.given(s.column())
	w.edit(at, "("+column.text+" IN ("+text.String()+"))")
	s.node.Node = pg_query.MakeAExprNode(pg_query.A_Expr_Kind_AEXPR_IN, []*pg_query.Node{pg_query.MakeStrNode("=")}, column.node,
		&pg_query.Node{Node: &pg_query.Node_List{List: list}}, 0).Node
}
