package rewrite

import (
	"slices"

	pg_query "github.com/pganalyze/pg_query_go/v5"

	"github.com/pgjay/pgjay/rewrite/catalog"
)

// FKJoin (R3) leaves out a table that a foreign key says has just one row for each of
// another, if it is not used. Preconditions:
//
//  1. it is the right arm of an INNER JOIN which is not on the nullable side of another
//     join;
//  2. it is a table, without ONLY;
//  3. ON says nothing but that all columns of a foreign key of another table, which is not
//     on the nullable side of a join either, are equal to those it refers to, which are
//     of the same types;
//  4. the key holds for all rows: it is valid and enforced, its triggers are on, and no
//     subscription writes the tables, which would not look at it;
//  5. and at all times: it is not deferrable;
//  6. it is not kept by actions (CASCADE and the like) that triggers or rules of the table
//     can turn into nothing;
//  7. nothing else refers to the table.
//
// Where columns of the key can be NULL, IS NOT NULL takes the place of the join.
//
// What cannot be proven here: that nobody writes with session_replication_role = replica.
var fkJoin = automatic[*item]{
	name:  "fk_join",
	about: "a join is left out whose table is not used and has one row for each, by a foreign key",
	find:  findRightArms,
	needs: []need[*item]{
		{"it is not an INNER JOIN, or may be NULL by another join", func(_ *work, i *item) bool { return i.inner }},
		{"it is not a table, or it has ONLY", func(_ *work, i *item) bool {
			return i.rel != nil && i.node.GetRangeVar().Inh
		}},
		{"ON is not a foreign key", func(w *work, i *item) bool {
			k, _ := w.foreignKey(i)
			return k != nil
		}},
		{"the foreign key does not hold for all rows", func(w *work, i *item) bool {
			k, from := w.foreignKey(i)
			return k.Holds && !from.rel.Subscribed && !i.rel.Subscribed
		}},
		{"the foreign key is deferrable", func(w *work, i *item) bool {
			k, _ := w.foreignKey(i)
			return !k.Deferrable
		}},
		{"a trigger or rule can turn an action of the foreign key into nothing", func(w *work, i *item) bool {
			k, from := w.foreignKey(i)
			return !undone(k, from.rel)
		}},
		{"it is used", func(w *work, i *item) bool { return !w.mentioned(i, i.level.query, i.join.Quals, i.node) }},
	},
	rewrite: func(w *work, i *item) {
		k, from := w.foreignKey(i)
		c := w.clauses(i.level.query)
		w.dropRight(i)
		for _, number := range k.FromColumns {
			if column := columnNumbered(from.rel, number); !column.NotNull {
				text, node := w.build("%1 IS NOT NULL", from.name(column.Name))
				w.addWhere(i.level.query, c, text, node)
			}
		}
	},
}

// foreignKey returns the foreign key to a table that is what ON says, and whose it is.
func (w *work) foreignKey(i *item) (*catalog.ForeignKey, *item) {
	var from *item
	pairs := map[int16]int16{}
	for _, n := range conjuncts(i.join.Quals) {
		to, other := w.compares(i, n)
		of, c := i.level.column(other)
		if to == nil || c == nil || c.Type != to.Type || of == i || !of.inner || from != nil && from != of {
			return nil, nil
		}
		from, pairs[c.Number] = of, to.Number
	}
	if from == nil {
		return nil, nil
	}
	k := slices.IndexFunc(from.rel.ForeignKeys, func(k *catalog.ForeignKey) bool {
		return k.From == from.rel.OID && k.To == i.rel.OID && isPairs(k, pairs)
	})
	if k < 0 {
		return nil, nil
	}
	return from.rel.ForeignKeys[k], from
}

func isPairs(k *catalog.ForeignKey, pairs map[int16]int16) bool {
	for n, from := range k.FromColumns {
		if pairs[from] != k.ToColumns[n] {
			return false
		}
	}
	return len(pairs) == len(k.FromColumns)
}

// undone reports whether something of the table may keep an action of its foreign key
// from being done.
func undone(k *catalog.ForeignKey, from *catalog.Relation) bool {
	acts := func(action byte) bool { return action != catalog.NoAction && action != catalog.Restrict }
	if !acts(k.OnDelete) && !acts(k.OnUpdate) {
		return false
	}
	return len(from.Rules) > 0 || slices.ContainsFunc(from.Triggers, func(t catalog.Trigger) bool { return t.Before })
}

// notNull reports whether a node is a column of a table that is never NULL there.
func (l *level) notNull(n *pg_query.Node) bool {
	i, c := l.column(n)
	return i != nil && i.inner && c.NotNull
}
