package rewrite

import (
	"slices"

	pg_query "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/pgjay/pgjay/rewrite/catalog"
)

// Without a bookmark the rows of a page can be found by their unique key first:
// SELECT ... WHERE u = ANY (ARRAY(SELECT u ... ORDER BY ... LIMIT n OFFSET m)) ORDER BY
// ..., so that the rows that are skipped are read in an index only. It is the same in
// every snapshot, for all values of LIMIT and OFFSET. The preconditions, besides those
// of bookmarks:
//
//  1. it reads from one table, without children that are not its partitions;
//  2. a column that is unique and not NULL is among the keys of ORDER BY: no two rows
//     are equal in the order;
//  3. all keys and all of WHERE are columns of the table, and in one index with that
//     column, which begins with the leading key or a column of WHERE;
//  4. most of the table's pages are known to be visible (the caller checks that), else
//     the index alone does not do.

// findJoin looks whether that can be done.
func (d *Deep) findJoin(s *pg_query.SelectStmt, t *tables) {
	if len(t.all) != 1 || len(s.FromClause) != 1 {
		return
	}
	r := t.all[0].relation
	if r.Kind == catalog.Table && len(r.Children) > 0 {
		return
	}
	sorted, ok := sortColumns(s, t)
	if !ok {
		return
	}
	where, ok := conditionColumns(s.WhereClause, t)
	if !ok {
		return
	}
	for _, c := range sorted {
		if !c.NotNull || !provesAlone(r, c.Number) {
			continue
		}
		if covers(r, sorted[0].Number, append(where, sorted...)) {
			d.Join, d.unique = true, quoteFields([]string{c.Name})
			return
		}
	}
}

func provesAlone(r *catalog.Relation, column int16) bool {
	return slices.ContainsFunc(r.Keys, func(k catalog.Index) bool {
		return k.Proves() && len(k.Columns) == 1 && k.Columns[0] == column
	})
}

// covers reports whether an index has all columns, and begins with the leading key or
// with one of the others.
func covers(r *catalog.Relation, lead int16, columns []*catalog.Column) bool {
	return slices.ContainsFunc(r.Indexes, func(i catalog.Index) bool {
		if !i.Valid || i.Partial || i.Expressions || i.Method != "btree" {
			return false
		}
		begins := i.Columns[0] == lead
		for _, c := range columns {
			if !slices.Contains(i.Columns, c.Number) && !slices.Contains(i.Included, c.Number) {
				return false
			}
			begins = begins || i.Columns[0] == c.Number
		}
		return begins
	})
}

// sortColumns returns the columns that ORDER BY names, and that mean the same in
// another SELECT from the table.
func sortColumns(s *pg_query.SelectStmt, t *tables) (columns []*catalog.Column, ok bool) {
	for _, item := range s.SortClause {
		fields := fieldsOf(item.GetSortBy().Node)
		if fields == nil || len(fields) == 1 && isAlias(s, fields[0]) {
			return nil, false
		}
		_, c := t.find(fields)
		if c == nil {
			return nil, false
		}
		columns = append(columns, c)
	}
	return columns, true
}

func isAlias(s *pg_query.SelectStmt, name string) bool {
	return slices.ContainsFunc(s.TargetList, func(n *pg_query.Node) bool { return n.GetResTarget().Name == name })
}

// conditionColumns returns the columns in a condition, if there are no queries in it.
func conditionColumns(where *pg_query.Node, t *tables) (columns []*catalog.Column, ok bool) {
	ok = true
	if where == nil {
		return nil, true
	}
	eachMessage(where.ProtoReflect(), func(m protoreflect.Message) bool {
		switch v := m.Interface().(type) {
		case *pg_query.SubLink:
			ok = false
		case *pg_query.ColumnRef:
			fields := fieldsOf(&pg_query.Node{Node: &pg_query.Node_ColumnRef{ColumnRef: v}})
			if fields == nil {
				ok = false
				break
			}
			_, c := t.find(fields)
			columns, ok = append(columns, c), ok && c != nil
		}
		return true
	})
	return columns, ok
}
