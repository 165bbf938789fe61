package rewrite

import (
	"slices"

	pg_query "github.com/pganalyze/pg_query_go/v5"
)

// SelfJoin (R23) reads a table once that is joined with itself by a key. Preconditions:
//
//  1. the right arm of an INNER JOIN which is not on the nullable side of another join is
//     a table;
//  2. ON says only that all columns of a key are equal to those of another FROM item of the
//     same table, both with or both without ONLY;
//  3. all references to it are to columns, with its name before them, in the query itself:
//     they become references to the other.
var selfJoin = automatic[*item]{
	name:  "self_join",
	about: "a table that is joined with itself by a key is read once",
	find:  findRightArms,
	needs: []need[*item]{
		{"it is not an INNER JOIN of a table, or may be NULL by another join", func(_ *work, i *item) bool { return i.inner && i.rel != nil && !i.level.merged }},
		{"ON does not compare it with the same table by all of a key", func(w *work, i *item) bool {
			twin, columns := w.twin(i)
			return twin != nil && isUnique(i.rel, columns)
		}},
		{"not all references to it are to columns, with its name", func(w *work, i *item) bool {
			_, ok := w.references(i)
			return ok
		}},
	},
	rewrite: func(w *work, i *item) {
		twin, _ := w.twin(i)
		refs, _ := w.references(i)
		at := w.rightArm(i)
		for _, ref := range refs {
			k := w.source.at(int(ref.Location))
			if k < 0 {
				w.failed = true
				return
			}
			if token := w.source.tokens[k]; token.Start < at.from || token.Start >= at.to {
				w.edit(span{token.Start, token.End}, quoteName(twin.alias))
			}
			ref.Fields[0] = pg_query.MakeStrNode(twin.alias)
		}
		w.dropArm(i, at)
	},
}

// twin returns the other FROM item of the same table that ON compares an item with, and
// the columns that are equal.
func (w *work) twin(i *item) (twin *item, columns []string) {
	for _, n := range conjuncts(i.join.Quals) {
		c, other := w.compares(i, n)
		of, same := i.level.column(other)
		if c == nil || of == nil || of == i || of.level != i.level || of.rel != i.rel || same.Name != c.Name || !of.inner || twin != nil && twin != of ||
			of.node.GetRangeVar().Inh != i.node.GetRangeVar().Inh {
			return nil, nil
		}
		twin, columns = of, append(columns, c.Name)
	}
	return twin, columns
}

// references returns all references to an item, if they are to columns with its name.
func (w *work) references(i *item) (refs []*pg_query.ColumnRef, ok bool) {
	ok = true
	eachNode(i.level.query, func(n *pg_query.Node) {
		ref := n.GetColumnRef()
		if ref == nil || !w.mayBe(ref, i) {
			return
		}
		of, _ := w.found.at[ref].column(n)
		if of != i || len(ref.Fields) != 2 || w.found.at[ref] != i.level {
			ok = false
		}
		refs = append(refs, ref)
	})
	slices.SortFunc(refs, func(a, b *pg_query.ColumnRef) int { return int(a.Location - b.Location) })
	return refs, ok
}
