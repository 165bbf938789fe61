package rewrite

import (
	"slices"

	pg_query "github.com/pganalyze/pg_query_go/v5"
)

// UnionAll (R24) takes the search for duplicates out of a UNION that has none.
// Preconditions:
//
//  1. both arms are simple queries without aggregates, windows and DISTINCT ON;
//  2. no arm has duplicates: it has DISTINCT, or it has a key among its outputs and tables
//     that are joined have one row at most for each (see DistinctUnique);
//  3. no row of one is one of the other: there is an output that is one literal in one arm
//     and another in the other, or a column that WHERE says is equal to such.
var unionAll = automatic[unionSite]{
	name:  "union_all",
	about: "UNION of rows that are all different becomes UNION ALL",
	find:  findUnions,
	needs: []need[unionSite]{
		{"an arm is not a simple query", func(w *work, s unionSite) bool {
			return !slices.ContainsFunc(s.arms[:], func(l *level) bool {
				return l == nil || !isSimple(l.query) || w.aggregates(l.query) || hasWindow(l.query) || len(l.query.DistinctClause) > 0 && !isPlainDistinct(l.query)
			})
		}},
		{"an arm may have duplicates", func(w *work, s unionSite) bool {
			return !slices.ContainsFunc(s.arms[:], func(l *level) bool { return !isPlainDistinct(l.query) && !w.isSet(l) })
		}},
		{"a row may be in both arms", func(w *work, s unionSite) bool {
			w.literals = true
			for n := range s.arms[0].query.TargetList {
				a, isA := w.pinned(s.arms[0], n)
				b, isB := w.pinned(s.arms[1], n)
				if isA && isB && a.kind == b.kind && a.text != b.text {
					return true
				}
			}
			return false
		}},
	},
	rewrite: func(w *work, s unionSite) {
		from, to := w.clauses(s.arms[0].query).all.to, w.clauses(s.arms[1].query).all.from
		for k, token := range w.source.tokens {
			if token.Start < from || token.Start >= to || token.Word != "union" {
				continue
			}
			if next := w.source.tokens[k+1]; next.Word == "distinct" {
				w.edit(span{next.Start, next.End}, "ALL")
			} else {
				w.insert(token.End, " ALL")
			}
			s.query.All = true
			return
		}
		w.failed = true
	},
}

type unionSite struct {
	query *pg_query.SelectStmt
	arms  [2]*level
}

func findUnions(w *work) (sites []unionSite) {
	for _, l := range w.found.levels {
		if q := l.query; q.Op == pg_query.SetOperation_SETOP_UNION && !q.All {
			sites = append(sites, unionSite{q, [2]*level{w.levelOf(q.Larg), w.levelOf(q.Rarg)}})
		}
	}
	return sites
}

// isSet reports whether no two rows of a query are the same.
func (w *work) isSet(l *level) bool {
	return l.isTree() && l.items[0].outputsKey() &&
		!slices.ContainsFunc(l.items[1:], func(i *item) bool { return !i.outputsKey() && !w.joinsOne(i) })
}

// pinned returns the literal that output number n is in all rows.
func (w *work) pinned(l *level, n int) (constant, bool) {
	if n >= len(l.query.TargetList) {
		return constant{}, false
	}
	for _, target := range l.query.TargetList[:n+1] {
		if ref := target.GetResTarget().Val.GetColumnRef(); ref != nil && refNames(ref) == nil {
			return constant{}, false // a star is several outputs
		}
	}
	value := l.query.TargetList[n].GetResTarget().Val
	if k, ok := constantOf(value); ok {
		return k, true
	}
	i, c := l.column(value)
	for _, condition := range conjuncts(l.query.WhereClause) {
		left, right := w.operation(condition, "=")
		of, same := l.column(left)
		if k, ok := constantOf(right); ok && i != nil && of == i && same == c && k.fits(c) {
			return k, true
		}
	}
	return constant{}, false
}
