package rewrite

import (
	"slices"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v5"
)

// Changes that several rules make, each to the text and to the tree.

// clauses are the places of a query's clauses; work has failed if they are not found.
func (w *work) clauses(q *pg_query.SelectStmt) *clauses {
	if isSimple(q) {
		if c := w.source.clauses(q); c != nil {
			return c
		}
	}
	w.failed = true
	return &clauses{body: map[string]span{}, whole: map[string]span{}}
}

// drop takes bytes out, with the spaces before them.
func (w *work) drop(at span) {
	for at.from > 0 && w.Text[at.from-1] == ' ' {
		at.from--
	}
	w.edit(at, "")
}

// dropDistinct takes DISTINCT out of a query.
func (w *work) dropDistinct(q *pg_query.SelectStmt, c *clauses) {
	w.drop(c.distinct)
	q.DistinctClause = nil
}

// dropOrder takes ORDER BY out of a query.
func (w *work) dropOrder(q *pg_query.SelectStmt, c *clauses) {
	w.drop(c.whole["order"])
	q.SortClause = nil
}

// rightArm is the place of the right arm of a join, with JOIN before it and ON behind it.
func (w *work) rightArm(i *item) span {
	left, all := w.source.item(i.join.Larg), w.source.item(i.above)
	if left.none() || all.none() {
		w.failed = true
		return span{}
	}
	at := span{left.to, all.to}
	for k := range w.source.tokens { // parentheses around the left arm
		if t := w.source.tokens[k]; t.Start >= at.from {
			if t.Word != ")" {
				break
			}
			at.from = t.End
		}
	}
	return at
}

// dropRight takes the right arm out of a join.
func (w *work) dropRight(i *item) { w.dropArm(i, w.rightArm(i)) }

// dropArm takes the right arm, which is there, out of a join; and the parentheses around
// the join if it leaves a table alone, which may have none.
func (w *work) dropArm(i *item, at span) {
	if i.join.Larg.GetJoinExpr() == nil {
		before, behind := w.source.before(w.source.item(i.join.Larg).from), w.remains(at.to)
		for before >= 0 && behind >= 0 && w.source.tokens[before].Word == "(" && w.source.tokens[behind].Word == ")" {
			for _, k := range []int{before, behind} {
				w.edit(span{w.source.tokens[k].Start, w.source.tokens[k].End}, "")
			}
			before, behind = before-1, w.remains(w.source.tokens[behind].End)
		}
	}
	w.edit(at, "")
	for _, other := range i.level.items {
		if other.above == i.join.Larg {
			other.above = i.above
		}
	}
	i.above.Node = i.join.Larg.Node
}

// remains returns the first token that begins there or behind and is in no edit, or -1.
func (w *work) remains(place int) int {
	k := w.source.behind(place)
	for k >= 0 && k < len(w.source.tokens) && slices.ContainsFunc(w.edits, func(e Edit) bool {
		return e.From <= w.source.tokens[k].Start && w.source.tokens[k].End <= e.To
	}) {
		k++
	}
	if k == len(w.source.tokens) {
		return -1
	}
	return k
}

// setTargets puts a constant in the place of a query's outputs: what EXISTS wants.
func (w *work) setTargets(q *pg_query.SelectStmt, c *clauses) {
	at := c.body["targets"]
	from := at.to - len(strings.TrimLeft(w.Text[at.from:at.to], " \t\r\n"))
	w.edit(span{from, at.to}, "1")
	q.TargetList = []*pg_query.Node{pg_query.MakeResTargetNodeWithVal(pg_query.MakeAConstIntNode(1, 0), 0)}
}

// addWhere adds a condition to a query's WHERE, or gives it one.
func (w *work) addWhere(q *pg_query.SelectStmt, c *clauses, condition string, node *pg_query.Node) {
	if q.WhereClause == nil {
		at := c.whole["from"].to
		if at == 0 {
			at = c.body["targets"].to
		}
		w.insert(at, " WHERE "+condition)
		q.WhereClause = node
		return
	}
	at := c.body["where"]
	from := at.to - len(strings.TrimLeft(w.Text[at.from:at.to], " \t\r\n"))
	w.insert(from, "(")
	w.insert(at.to, ") AND "+condition)
	q.WhereClause = and(q.WhereClause, node)
}

func and(nodes ...*pg_query.Node) *pg_query.Node {
	return pg_query.MakeBoolExprNode(pg_query.BoolExprType_AND_EXPR, nodes, 0)
}

func not(n *pg_query.Node) *pg_query.Node {
	return pg_query.MakeBoolExprNode(pg_query.BoolExprType_NOT_EXPR, []*pg_query.Node{n}, 0)
}

func existsNode(q *pg_query.SelectStmt) *pg_query.Node {
	query := &pg_query.Node{Node: &pg_query.Node_SelectStmt{SelectStmt: q}}
	return &pg_query.Node{Node: &pg_query.Node_SubLink{SubLink: &pg_query.SubLink{SubLinkType: pg_query.SubLinkType_EXISTS_SUBLINK, Subselect: query}}}
}

// around finds the bytes of an expression before and behind the parentheses of a query in
// it.
func (w *work) around(n *pg_query.Node, q *pg_query.SelectStmt) (before, behind span) {
	all, c := w.source.expression(n), w.clauses(q)
	w.failed = w.failed || all.none()
	open, end := w.source.before(c.all.from), w.source.behind(c.all.to)
	if w.failed || open < 0 || end < 0 || w.source.tokens[open].Word != "(" || w.source.tokens[end].Word != ")" {
		w.failed = true
		return span{}, span{}
	}
	return span{all.from, w.source.tokens[open].Start}, span{w.source.tokens[end].End, all.to}
}

// asExists puts EXISTS, or NOT EXISTS, with a query in the place of an expression, whose
// other bytes are before and behind the query. Its outputs are set by setTargets.
func (w *work) asExists(n *pg_query.Node, before, behind span, q *pg_query.SelectStmt, yes bool) {
	word, node := "EXISTS", existsNode(q)
	if !yes {
		word, node = "NOT EXISTS", not(node)
	}
	w.edit(before, "("+word+" ")
	w.edit(behind, ")")
	n.Node = node.Node
}

// sortEdits puts edits into the order of their places.
func sortEdits(edits []Edit) {
	slices.SortStableFunc(edits, func(a, b Edit) int { return a.From - b.From })
}
