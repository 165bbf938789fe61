package rewrite

// InDistinct (R7) takes DISTINCT and ORDER BY out of the query of an IN, where neither
// means anything. Preconditions:
//
//  1. it is the query of IN, ANY, ALL or EXISTS;
//  2. it has no LIMIT and no OFFSET, which say which rows count;
//  3. it has no DISTINCT ON, which takes the first rows.
var inDistinct = automatic[*level]{
	name:  "in_distinct",
	about: "DISTINCT and ORDER BY are left out of the query of an IN",
	find:  findOrdered,
	needs: []need[*level]{
		{"it is not the query of an IN or EXISTS", func(_ *work, l *level) bool { return l.use == member || l.use == all || l.use == exists }},
		{"it has LIMIT or OFFSET", func(_ *work, l *level) bool { return !isLimited(l.query) }},
		{"it has DISTINCT ON", func(_ *work, l *level) bool { return len(l.query.DistinctClause) == 0 || isPlainDistinct(l.query) }},
	},
	rewrite: func(w *work, l *level) {
		c := w.clauses(l.query)
		if len(l.query.DistinctClause) > 0 {
			w.dropDistinct(l.query, c)
		}
		if len(l.query.SortClause) > 0 {
			w.dropOrder(l.query, c)
		}
	},
}

// findOrdered returns the queries with DISTINCT or ORDER BY.
func findOrdered(w *work) (sites []*level) {
	for _, l := range w.found.levels {
		if isSimple(l.query) && len(l.query.DistinctClause)+len(l.query.SortClause) > 0 {
			sites = append(sites, l)
		}
	}
	return sites
}
