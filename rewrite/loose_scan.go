package rewrite

import (
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/proto"
)

// LooseScan (R25) finds the few different values of a column by its index, jumping from
// each to the next. Preconditions:
//
//  1. the query is SELECT DISTINCT of one column of a table and nothing else: no WHERE,
//     ORDER BY, LIMIT, WITH; it is no arm of a set operation;
//  2. equal values of its type are the same, and PostgreSQL's own order is that of the index;
//  3. it has a complete btree index that begins with it;
//  4. ANALYZE has found that there are few values for the rows.
var looseScan = automatic[*level]{
	name:  "loose_scan",
	about: "SELECT DISTINCT of a column with few values jumps from value to value in its index",
	find:  findDistincts,
	needs: []need[*level]{
		{"it is not only SELECT DISTINCT of a column of a table", func(_ *work, l *level) bool {
			q := l.query
			plain := &pg_query.SelectStmt{DistinctClause: q.DistinctClause, TargetList: q.TargetList, FromClause: q.FromClause, LimitOption: q.LimitOption, Op: q.Op}
			i, _ := l.column(only(q.TargetList).GetResTarget().GetVal())
			return isPlainDistinct(q) && proto.Equal(q, plain) && len(l.items) == 1 && i != nil && i.level == l && l.use != arm
		}},
		{"the type of the column has equal values that are not the same", func(_ *work, l *level) bool {
			_, c := l.column(l.query.TargetList[0].GetResTarget().Val)
			return isExact(c) && c.Type != boolType
		}},
		{"the column has no index", func(_ *work, l *level) bool {
			i, c := l.column(l.query.TargetList[0].GetResTarget().Val)
			return hasIndex(i.rel, c, "btree", exact[c.Type]+"_ops") || c.Type == varcharType && hasIndex(i.rel, c, "btree", "text_ops")
		}},
		{"there are many values, or ANALYZE has not found how many", func(_ *work, l *level) bool {
			_, c := l.column(l.query.TargetList[0].GetResTarget().Val)
			return c.FewValues
		}},
	},
	rewrite: rewriteLoose,
}

func rewriteLoose(w *work, l *level) {
	c := w.clauses(l.query)
	i, column := l.column(l.query.TargetList[0].GetResTarget().Val)
	name := l.query.TargetList[0].GetResTarget().Name
	if name == "" {
		name = column.Name
	}
	text := `WITH RECURSIVE "pgjay" (v) AS ((SELECT %c %f WHERE %c IS NOT NULL ORDER BY %c LIMIT 1) UNION ALL ` +
		`SELECT (SELECT %c %f WHERE %c OPERATOR(pg_catalog.>) "pgjay".v ORDER BY %c LIMIT 1) FROM "pgjay" WHERE "pgjay".v IS NOT NULL) ` +
		`SELECT "pgjay".v AS %n FROM "pgjay" WHERE "pgjay".v IS NOT NULL`
	if !column.NotNull {
		text += " UNION ALL (SELECT %c %f WHERE %c IS NULL LIMIT 1)"
	}
	text = strings.NewReplacer("%c", i.name(column.Name).text, "%f", w.copy(c.whole["from"]), "%n", quoteName(name)).Replace(text)
	tree, err := pg_query.Parse(text)
	if w.failed = w.failed || err != nil || w.hasComment(c.all) || i.alias == groups || i.rel.Name == groups; w.failed {
		return
	}
	w.edit(c.all, text)
	proto.Reset(l.query)
	proto.Merge(l.query, tree.Stmts[0].Stmt.GetSelectStmt())
}

// hasComment reports whether there is a comment in some bytes, which a rule would drop.
func (w *work) hasComment(at span) bool {
	end := at.from
	for _, t := range w.source.tokens {
		if t.Start < at.from || t.Start >= at.to {
			continue
		}
		if strings.TrimSpace(w.Text[end:t.Start]) != "" {
			return true
		}
		end = t.End
	}
	return false
}
