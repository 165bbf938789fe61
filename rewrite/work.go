package rewrite

import (
	"slices"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/proto"
)

// work is what one rule makes of one statement: a tree that it changes, and the same
// changes as edits of the text.
type work struct {
	*Query
	source *source
	tree   *pg_query.ParseResult // the rule's own
	found  found
	edits  []Edit
	// copied are bytes that edits have in their texts.
	copied []span
	// failed is set when the place of something was not found: then the statement is
	// left as it is.
	failed bool
	// literals is set when a precondition has looked at the value of a literal.
	literals bool
}

// begin returns nil for what is not one statement or cannot be cut into tokens.
func begin(q *Query) *work {
	w := &work{Query: q, source: newSource(q.Text)}
	if w.source == nil || len(q.Tree.Stmts) != 1 {
		return nil
	}
	w.tree = proto.Clone(q.Tree).(*pg_query.ParseResult)
	w.findLevels(w.tree.Stmts[0].Stmt)
	return w
}

// edit puts text in the place of a span. Overlaps fail.
func (w *work) edit(at span, text string) {
	w.failed = w.failed || at.to < at.from || at.from == 0 && at.to == 0
	w.edits = append(w.edits, Edit{From: at.from, To: at.to, Text: text})
}

// insert puts text before a byte.
func (w *work) insert(at int, text string) { w.edit(span{at, at}, text) }

// copy is the text of a span, to be put somewhere else.
func (w *work) copy(at span) string {
	w.failed = w.failed || at.none()
	w.copied = append(w.copied, at)
	return w.Text[at.from:at.to]
}

// of is the text of an expression, to be put somewhere else; work has failed if it is not
// found.
func (w *work) of(n *pg_query.Node) string { return w.copy(w.source.expression(n)) }

// operand is the text of an expression, to be put anywhere.
func (w *work) operand(n *pg_query.Node) string {
	text := w.of(n)
	switch n.Node.(type) {
	case *pg_query.Node_ColumnRef, *pg_query.Node_ParamRef, *pg_query.Node_AConst:
		return text
	}
	return "(" + text + ")"
}

// part is something in a template: its text and its node.
type part struct {
	text string
	node *pg_query.Node
}

// given is an expression of the statement as a part of a template.
func (w *work) given(n *pg_query.Node) part {
	return part{w.operand(n), proto.Clone(n).(*pg_query.Node)}
}

// replace puts a template in the place of an expression, with parentheses around it.
func (w *work) replace(n *pg_query.Node, template string, parts ...part) {
	at := w.source.expression(n)
	w.failed = w.failed || at.none()
	text, node := w.build(template, parts...)
	w.edit(at, "("+text+")")
	if node != nil {
		n.Node = node.Node
	}
}

// firstPart is the number of the first parameter in a template that stands for a part.
const firstPart = 60001

// build makes the text and the node of an expression. In the template %1 to %9 stand
// for the parts.
func (w *work) build(template string, parts ...part) (string, *pg_query.Node) {
	text, parsed := template, template
	for i, p := range parts {
		mark := "%" + string(rune('1'+i))
		text = strings.ReplaceAll(text, mark, p.text)
		parsed = strings.ReplaceAll(parsed, mark, "$6000"+string(rune('1'+i)))
	}
	tree, err := pg_query.Parse("SELECT " + parsed)
	if err != nil {
		w.failed = true
		return text, nil
	}
	query := tree.Stmts[0].Stmt.GetSelectStmt()
	eachNode(query, func(n *pg_query.Node) {
		if i := int(n.GetParamRef().GetNumber()) - firstPart; i >= 0 && i < len(parts) {
			n.Node = proto.Clone(parts[i].node).(*pg_query.Node).Node
		}
	})
	return text, query.TargetList[0].GetResTarget().Val
}

// clashes reports whether one of the edits and copies from these numbers on overlaps one
// before.
func (w *work) clashes(edits, copied int) bool {
	for k, c := range w.copied {
		others := w.edits[:edits]
		if k < copied {
			others = w.edits[edits:]
		}
		for _, e := range others {
			if e.From < c.to && c.from < max(e.To, e.From+1) {
				return true
			}
		}
	}
	for _, a := range w.edits[edits:] {
		for _, b := range w.edits[:edits] {
			if a.From < b.To && b.From < a.To || a.From == b.From && (a.From < a.To) == (b.From < b.To) {
				return true
			}
		}
	}
	return false
}

// finish is the Match of the work.
func (w *work) finish(about, why string) Match {
	if len(w.edits) == 0 {
		return Match{Why: why, Literals: w.literals}
	}
	sortEdits(w.edits)
	flatten(w.tree)
	return Match{Edits: w.edits, Tree: w.tree, Why: about, Literals: w.literals}
}

// flatten joins an AND with the AND that is its first operand, as the parser does.
func flatten(m proto.Message) {
	eachNode(m, func(n *pg_query.Node) {
		for b := n.GetBoolExpr(); b != nil && b.Boolop != pg_query.BoolExprType_NOT_EXPR; {
			first := b.Args[0].GetBoolExpr()
			if first == nil || first.Boolop != b.Boolop {
				break
			}
			b.Args = append(slices.Clone(first.Args), b.Args[1:]...)
		}
	})
}
