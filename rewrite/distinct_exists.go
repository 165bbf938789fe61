package rewrite

import (
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v5"
)

// DistinctExists (R12) asks whether there is a row in another table, where a join with
// it makes many rows of one and DISTINCT makes one of them again. Preconditions:
//
//  1. the query has DISTINCT without ON, and no aggregates or windows;
//  2. FROM is the INNER JOIN of two tables, and no more;
//  3. the second is used in WHERE and ON only;
//  4. all columns of a key of the first are outputs, as they are.
var distinctExists = automatic[*item]{
	name:  "distinct_exists",
	about: "SELECT DISTINCT of one table joined with another that is not shown becomes EXISTS",
	find:  findRightArms,
	needs: []need[*item]{
		{"it has no plain DISTINCT, or makes one row of several", func(w *work, i *item) bool {
			return isPlainDistinct(i.level.query) && !w.aggregates(i.level.query) && !hasWindow(i.level.query)
		}},
		{"FROM is not an INNER JOIN of two tables", func(_ *work, i *item) bool {
			return i.level.isTree() && len(i.level.items) == 2 && i.inner && i.join.Quals != nil
		}},
		{"the second table is shown", func(w *work, i *item) bool {
			q := i.level.query
			return !w.mentioned(i, q, i.join.Quals, i.node, q.WhereClause)
		}},
		{"no key of the first table is among the outputs", func(_ *work, i *item) bool { return i.level.items[0].outputsKey() }},
	},
	rewrite: func(w *work, i *item) {
		q := i.level.query
		c := w.clauses(q)
		table := w.source.item(i.node)
		inner := &pg_query.SelectStmt{FromClause: []*pg_query.Node{i.node}, WhereClause: i.join.Quals,
			LimitOption: pg_query.LimitOption_LIMIT_OPTION_DEFAULT, Op: pg_query.SetOperation_SETOP_NONE,
			TargetList: []*pg_query.Node{pg_query.MakeResTargetNodeWithVal(pg_query.MakeAConstIntNode(1, 0), 0)}}
		head := "EXISTS (SELECT 1 FROM " + w.copy(table) + " WHERE (" + w.of(i.join.Quals) + ")"
		w.dropRight(i)
		if at := c.body["where"]; !at.none() {
			from := at.to - len(strings.TrimLeft(w.Text[at.from:at.to], " \t\r\n"))
			w.insert(from, head+" AND (")
			w.insert(at.to, "))")
			inner.WhereClause = and(inner.WhereClause, q.WhereClause)
			q.WhereClause = existsNode(inner)
		} else {
			w.addWhere(q, c, head+")", existsNode(inner))
		}
		w.dropDistinct(q, c)
	},
}
