package sqlparse

import (
	"slices"

	pg_query "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// walker goes over the tree of a statement and collects what it names. It looks
// at every field of every node, so that what it does not know is not overlooked;
// a relation outside of a query is taken for one that is changed.
type walker struct {
	part *Part
	// ctes are the names that WITH defines, as far as they can be seen here.
	ctes []string
	// writes is set outside of queries.
	writes bool
}

// statement walks a statement.
func (w *walker) statement(n *pg_query.Node) {
	w.writes = true
	switch v := n.GetNode().(type) {
	case *pg_query.Node_LockStmt, *pg_query.Node_VacuumStmt, *pg_query.Node_ClusterStmt, *pg_query.Node_ReindexStmt:
		w.writes = false // they change no row
	case *pg_query.Node_CopyStmt:
		w.writes = v.CopyStmt.IsFrom
	case *pg_query.Node_DropStmt:
		w.drop(v.DropStmt)
	}
	w.node(n)
}

// finish sorts what was found.
func (w *walker) finish() {
	slices.Sort(w.part.Attributes)
	w.part.Attributes = slices.Clip(slices.Compact(w.part.Attributes))
	for _, names := range []*[]Name{&w.part.Reads, &w.part.Writes, &w.part.Functions, &w.part.Operators, &w.part.Types} {
		slices.SortFunc(*names, func(a, b Name) int { return slices.Compare(a, b) })
		*names = slices.Clip(slices.CompactFunc(*names, func(a, b Name) bool { return slices.Equal(a, b) }))
	}
}

// node walks a node with all that is below it.
func (w *walker) node(m proto.Message) {
	writes, ctes := w.writes, len(w.ctes)
	switch v := m.(type) {
	case *pg_query.RangeVar:
		w.relation(v)
		return
	case *pg_query.LockingClause: // names aliases
		w.part.Locks = true
		return
	case *pg_query.ParamRef:
		w.part.Parameters = max(w.part.Parameters, int(v.Number))
	case *pg_query.FuncCall:
		w.part.Functions = append(w.part.Functions, nameOf(v.Funcname))
	case *pg_query.A_Expr:
		w.operator(v)
	case *pg_query.TypeCast:
		w.part.Types = append(w.part.Types, nameOf(v.TypeName.GetNames()))
	case *pg_query.SubLink:
		if len(v.OperName) > 0 {
			w.part.Operators = append(w.part.Operators, nameOf(v.OperName))
		} else if v.SubLinkType == pg_query.SubLinkType_ANY_SUBLINK { // IN
			w.part.Operators = append(w.part.Operators, Name{"="})
		}
	case *pg_query.SortBy:
		if len(v.UseOp) > 0 {
			w.part.Operators = append(w.part.Operators, nameOf(v.UseOp))
		}
	case *pg_query.SQLValueFunction, *pg_query.ColumnRef, *pg_query.RangeTableSample, *pg_query.XmlSerialize, *pg_query.XmlExpr,
		*pg_query.CurrentOfExpr:
		w.unstable(m)
	case *pg_query.A_Indirection:
		w.attributes(v.Indirection)
	case *pg_query.TableLikeClause:
		w.writes = false
	case *pg_query.IntoClause:
		w.writes = true
	case *pg_query.WithClause:
		return // has been walked with its statement
	case *pg_query.SelectStmt:
		w.query(v.WithClause, nil)
	case *pg_query.InsertStmt:
		w.query(v.WithClause, v.Relation)
	case *pg_query.UpdateStmt:
		w.query(v.WithClause, v.Relation)
	case *pg_query.DeleteStmt:
		w.query(v.WithClause, v.Relation)
	case *pg_query.MergeStmt:
		w.query(v.WithClause, v.Relation)
	}
	w.fields(m.ProtoReflect())
	w.writes, w.ctes = writes, w.ctes[:ctes]
}

// fields walks what is below a node.
func (w *walker) fields(m protoreflect.Message) {
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.Message() == nil:
		case field.IsList():
			for list, i := value.List(), 0; i < list.Len(); i++ {
				w.node(list.Get(i).Message().Interface())
			}
		case field.Name() != "relation" || !isTarget(m):
			w.node(value.Message().Interface())
		}
		return true
	})
}

// isTarget reports whether the field named relation is what a query writes to.
func isTarget(m protoreflect.Message) bool {
	switch m.Interface().(type) {
	case *pg_query.InsertStmt, *pg_query.UpdateStmt, *pg_query.DeleteStmt, *pg_query.MergeStmt:
		return true
	}
	return false
}

// query begins a query: what WITH defines can be seen in all of it, except for
// the target.
func (w *walker) query(with *pg_query.WithClause, target *pg_query.RangeVar) {
	w.writes = true
	if target != nil {
		w.relation(target)
	}
	w.writes = false
	for _, n := range with.GetCtes() {
		if with.Recursive {
			w.ctes = append(w.ctes, n.GetCommonTableExpr().GetCtename())
		}
	}
	for _, n := range with.GetCtes() {
		w.node(n)
		if !with.Recursive {
			w.ctes = append(w.ctes, n.GetCommonTableExpr().GetCtename())
		}
	}
}

// relation notes a relation, if it is not what a WITH defines.
func (w *walker) relation(v *pg_query.RangeVar) {
	name := newName(v.Catalogname, v.Schemaname, v.Relname)
	switch {
	case w.writes:
		w.part.Writes = append(w.part.Writes, name)
	case v.Schemaname != "" || !slices.Contains(w.ctes, v.Relname):
		w.part.Reads = append(w.part.Reads, name)
	}
}

// drop notes the relations of a DROP; they are lists of names in the tree.
func (w *walker) drop(s *pg_query.DropStmt) {
	switch s.RemoveType {
	case pg_query.ObjectType_OBJECT_TABLE, pg_query.ObjectType_OBJECT_VIEW, pg_query.ObjectType_OBJECT_MATVIEW,
		pg_query.ObjectType_OBJECT_FOREIGN_TABLE, pg_query.ObjectType_OBJECT_SEQUENCE, pg_query.ObjectType_OBJECT_INDEX:
		for _, o := range s.Objects {
			w.part.Writes = append(w.part.Writes, nameOf(o.GetList().GetItems()))
		}
	}
}

// newName returns a name of the parts that are not empty.
func newName(parts ...string) Name {
	return slices.Clip(slices.DeleteFunc(Name(parts), func(part string) bool { return part == "" }))
}

func nameOf(parts []*pg_query.Node) Name {
	name := make(Name, len(parts))
	for i, p := range parts {
		name[i] = p.GetString_().GetSval()
	}
	return name
}
