package rewrite

import (
	"slices"

	pg_query "github.com/pganalyze/pg_query_go/v5"
)

// UnusedLeftJoin (R5) takes a table out that can only make more rows of one, where it does
// not matter how many there are. PostgreSQL does it where there is one at most.
// Preconditions:
//
//  1. it is the right arm of LEFT JOIN;
//  2. it is a table;
//  3. duplicates do not matter: the query has DISTINCT without ON, or it is that of an
//     EXISTS, IN, ANY or ALL, without LIMIT and OFFSET;
//  4. nothing counts rows: no aggregates, GROUP BY, HAVING or windows;
//  5. nothing but the join's own condition refers to it.
var unusedLeftJoin = automatic[*item]{
	name:  "unused_left_join",
	about: "a LEFT JOIN is left out whose table is not used, where duplicates do not matter",
	find:  findRightArms,
	needs: []need[*item]{
		{"it is not joined by LEFT JOIN", func(_ *work, i *item) bool { return i.join.Jointype == pg_query.JoinType_JOIN_LEFT }},
		{"it is not a table", func(_ *work, i *item) bool { return i.rel != nil }},
		{"it matters how many rows there are", func(_ *work, i *item) bool { return i.level.mergesRows() }},
		{"rows are counted", func(w *work, i *item) bool { return !w.aggregates(i.level.query) }},
		{"it is used", func(w *work, i *item) bool {
			return !w.mentioned(i, i.level.query, i.join.Quals, i.node)
		}},
	},
	rewrite: (*work).dropRight,
}

// findRightArms returns what is the right arm of a join, the last first: what is used in the
// condition of a join alone is not when that is gone.
func findRightArms(w *work) (sites []*item) {
	for _, l := range w.found.levels {
		for _, i := range l.items {
			if i.right {
				sites = append(sites, i)
			}
		}
	}
	slices.Reverse(sites)
	return sites
}

// mergesRows reports whether a query has the same answer, or those who use it have,
// however often a row is in it.
func (l *level) mergesRows() bool {
	if isPlainDistinct(l.query) {
		return true
	}
	return len(l.query.DistinctClause) == 0 && (l.use == exists || l.use == member || l.use == all) && !isLimited(l.query)
}
