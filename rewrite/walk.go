package rewrite

import (
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// eachMessage calls f for a message and what is below it, as long as it says so.
func eachMessage(m protoreflect.Message, f func(protoreflect.Message) bool) {
	if !f(m) {
		return
	}
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		switch {
		case field.Message() == nil || !m.Has(field):
		case field.IsList():
			for list, j := m.Get(field).List(), 0; j < list.Len(); j++ {
				eachMessage(list.Get(j).Message(), f)
			}
		default:
			eachMessage(m.Get(field).Message(), f)
		}
	}
}

// eachNode calls f for each Node below a message, outermost first. What f puts into a
// node is not visited unless f has left the node's kind as it was.
func eachNode(m proto.Message, f func(*pg_query.Node)) {
	eachMessage(m.ProtoReflect(), func(m protoreflect.Message) bool {
		if n, ok := m.Interface().(*pg_query.Node); ok {
			before := n.Node
			f(n)
			return n.Node == before
		}
		return true
	})
}

// eachSelect calls f for each SELECT in a tree, outer ones first.
func eachSelect(m protoreflect.Message, f func(*pg_query.SelectStmt)) {
	eachMessage(m, func(m protoreflect.Message) bool {
		if s, ok := m.Interface().(*pg_query.SelectStmt); ok {
			f(s)
		}
		return true
	})
}

// eachPlace calls f for each field with a place. One that is zero is there too.
func eachPlace(m protoreflect.Message, f func(protoreflect.Message, protoreflect.FieldDescriptor)) {
	eachMessage(m, func(m protoreflect.Message) bool {
		fields := m.Descriptor().Fields()
		for i := range fields.Len() {
			if field := fields.Get(i); isPlace(field) {
				f(m, field)
			}
		}
		return true
	})
}

func isPlace(field protoreflect.FieldDescriptor) bool {
	name := string(field.Name())
	return field.Kind() == protoreflect.Int32Kind && (strings.HasSuffix(name, "location") || name == "stmt_len")
}

// bare is a copy of a tree without places.
func bare[M proto.Message](m M) M {
	c := proto.Clone(m).(M)
	eachPlace(c.ProtoReflect(), protoreflect.Message.Clear)
	return c
}
