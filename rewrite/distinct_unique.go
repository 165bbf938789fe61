package rewrite

import (
	"slices"

	pg_query "github.com/pganalyze/pg_query_go/v5"
)

// DistinctUnique (R11) takes DISTINCT out of a query whose rows are different anyhow.
// Preconditions:
//
//  1. it has DISTINCT without ON, and makes no row of several: no aggregates or windows;
//  2. FROM is one table and others that are joined to it by INNER or LEFT JOIN;
//  3. all columns of a key of the first are outputs, as they are;
//  4. and so are those of each other, or it has one row at most for one of the others.
var distinctUnique = automatic[*level]{
	name:  "distinct_unique",
	about: "DISTINCT is left out where a key is among the outputs",
	find:  findDistincts,
	needs: []need[*level]{
		{"it has DISTINCT ON, or makes one row of several", func(w *work, l *level) bool {
			return isPlainDistinct(l.query) && !w.aggregates(l.query) && !hasWindow(l.query)
		}},
		{"FROM is not a table with others by INNER or LEFT JOIN", func(_ *work, l *level) bool { return l.isTree() }},
		{"no key of the first table is among the outputs", func(_ *work, l *level) bool { return l.items[0].outputsKey() }},
		{"a joined table may have several rows for one", func(w *work, l *level) bool {
			return !slices.ContainsFunc(l.items[1:], func(i *item) bool { return !i.outputsKey() && !w.joinsOne(i) })
		}},
	},
	rewrite: func(w *work, l *level) { w.dropDistinct(l.query, w.clauses(l.query)) },
}

func findDistincts(w *work) (sites []*level) {
	for _, l := range w.found.levels {
		if isSimple(l.query) && len(l.query.DistinctClause) > 0 {
			sites = append(sites, l)
		}
	}
	return sites
}

// isTree reports whether FROM is a table with others by INNER or LEFT JOIN.
func (l *level) isTree() bool {
	if len(l.query.FromClause) != 1 || l.merged {
		return false
	}
	for k, i := range l.items {
		if i.rel == nil || i.right != (k > 0) ||
			k > 0 && i.join.Jointype != pg_query.JoinType_JOIN_LEFT && i.join.Jointype != pg_query.JoinType_JOIN_INNER {
			return false
		}
	}
	return true
}

// outputsKey reports whether all columns of a key of a table are outputs of its query.
func (i *item) outputsKey() bool {
	var columns []string
	for _, target := range i.level.query.TargetList {
		n := target.GetResTarget().Val
		names, ref := refNames(n.GetColumnRef()), n.GetColumnRef()
		switch of, c := i.level.column(n); {
		case of == i:
			columns = append(columns, c.Name)
		case ref != nil && names == nil && (len(ref.Fields) == 1 || len(ref.Fields) == 2 && ref.Fields[0].GetString_().GetSval() == i.alias):
			for _, c := range i.rel.Columns {
				columns = append(columns, c.Name)
			}
		}
	}
	return isUnique(i.rel, columns)
}
