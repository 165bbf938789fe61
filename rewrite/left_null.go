package rewrite

import pg_query "github.com/pganalyze/pg_query_go/v5"

// LeftNull (R30) says NOT EXISTS where a LEFT JOIN looks for rows that have none in
// another table; PostgreSQL sees it only if the column that is NULL is one of ON.
// Preconditions:
//
//  1. the table is the right arm of a LEFT JOIN which is not on the nullable side of
//     another join;
//  2. it is a table, and WHERE says of one of its columns IS NULL; AND joins that with the
//     rest;
//  3. by its constraint the column is never NULL;
//  4. nothing else refers to the table, but ON.
var leftNull = automatic[*item]{
	name:  "left_null",
	about: "LEFT JOIN with IS NULL of a column that is never NULL becomes NOT EXISTS",
	find:  findRightArms,
	needs: []need[*item]{
		{"it is not a LEFT JOIN, or may be NULL by another join", func(_ *work, i *item) bool {
			return i.join.Jointype == pg_query.JoinType_JOIN_LEFT && i.kept && i.join.Quals != nil
		}},
		{"it is not a table of which WHERE says that a column is NULL", func(_ *work, i *item) bool { return i.isNull() != nil }},
		{"the column may be NULL anyhow", func(_ *work, i *item) bool {
			_, c := i.level.column(i.isNull().GetNullTest().Arg)
			return c.NotNull
		}},
		{"it is used", func(w *work, i *item) bool {
			return !w.mentioned(i, i.level.query, i.join.Quals, i.node, i.isNull())
		}},
	},
	rewrite: func(w *work, i *item) {
		table, test := w.source.item(i.node), i.isNull()
		w.failed = w.failed || table.none()
		q := &pg_query.SelectStmt{FromClause: []*pg_query.Node{i.node}, WhereClause: i.join.Quals,
			LimitOption: pg_query.LimitOption_LIMIT_OPTION_DEFAULT, Op: pg_query.SetOperation_SETOP_NONE,
			TargetList: []*pg_query.Node{pg_query.MakeResTargetNodeWithVal(pg_query.MakeAConstIntNode(1, 0), 0)}}
		w.edit(w.source.expression(test), "(NOT EXISTS (SELECT 1 FROM "+w.copy(table)+" WHERE "+w.of(i.join.Quals)+"))")
		w.dropRight(i)
		test.Node = not(existsNode(q)).Node
	},
}

// isNull is the condition in WHERE that a column of the item is NULL.
func (i *item) isNull() *pg_query.Node {
	for _, n := range conjuncts(i.level.query.WhereClause) {
		t := n.GetNullTest()
		if t == nil || t.Nulltesttype != pg_query.NullTestType_IS_NULL {
			continue
		}
		if of, _ := i.level.column(t.Arg); of == i {
			return n
		}
	}
	return nil
}
