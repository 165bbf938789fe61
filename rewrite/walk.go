package rewrite

import (
	"slices"

	pg_query "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// eachSelect calls f for each SELECT in a tree, outer ones first.
func eachSelect(m protoreflect.Message, f func(*pg_query.SelectStmt)) {
	if s, ok := m.Interface().(*pg_query.SelectStmt); ok {
		f(s)
	}
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.Message() == nil:
		case field.IsList():
			for list, i := value.List(), 0; i < list.Len(); i++ {
				eachSelect(list.Get(i).Message(), f)
			}
		default:
			eachSelect(value.Message(), f)
		}
		return true
	})
}

// sortEdits puts edits into the order of their places.
func sortEdits(edits []Edit) {
	slices.SortStableFunc(edits, func(a, b Edit) int { return a.From - b.From })
}
