package rewrite

import (
	"slices"
	"strconv"

	pg_query "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/pgjay/pgjay/rewrite/catalog"
)

// The built-in types that rules know, by OID.
const (
	boolType        = 16
	int8Type        = 20
	int2Type        = 21
	int4Type        = 23
	textType        = 25
	dateType        = 1082
	varcharType     = 1043
	timestampType   = 1114
	timestamptzType = 1184
	uuidType        = 2950
)

// exact are the types of which equal values are the same bytes, and print the same: so
// it does not matter which of several equal ones is taken. A text is one if its
// collation is not one that somebody has made, which may find different strings equal.
var exact = map[uint32]string{
	boolType: "bool", int2Type: "int2", int4Type: "int4", int8Type: "int8", textType: "text", varcharType: "varchar",
	dateType: "date", timestampType: "timestamp", timestamptzType: "timestamptz", uuidType: "uuid",
}

const firstUserOID = 16384

func isExact(c *catalog.Column) bool { return exact[c.Type] != "" && c.Collation < firstUserOID }

func isText(c *catalog.Column) bool { return c.Type == textType || c.Type == varcharType }

func isInteger(c *catalog.Column) bool {
	return c.Type == int2Type || c.Type == int4Type || c.Type == int8Type
}

// conjuncts are the conditions that AND joins.
func conjuncts(n *pg_query.Node) []*pg_query.Node {
	return operandsOf(n, pg_query.BoolExprType_AND_EXPR)
}

func operandsOf(n *pg_query.Node, op pg_query.BoolExprType) (all []*pg_query.Node) {
	if n == nil {
		return nil
	}
	b := n.GetBoolExpr()
	if b == nil || b.Boolop != op {
		return []*pg_query.Node{n}
	}
	for _, arg := range b.Args {
		all = append(all, operandsOf(arg, op)...)
	}
	return all
}

// isOperator reports whether a name is that of an operator of PostgreSQL's own, for
// operands of its own types.
func (w *work) isOperator(name []*pg_query.Node, operators ...string) bool {
	return len(name) > 0 && slices.Contains(operators, name[len(name)-1].GetString_().GetSval()) &&
		w.Scope.Catalog.OwnOperator(w.Scope.Path, nameOf(name))
}

// operation returns the operands of left op right, with one of these operators.
func (w *work) operation(n *pg_query.Node, operators ...string) (left, right *pg_query.Node) {
	e := n.GetAExpr()
	if e == nil || e.Kind != pg_query.A_Expr_Kind_AEXPR_OP || e.Lexpr == nil || !w.isOperator(e.Name, operators...) {
		return nil, nil
	}
	return e.Lexpr, e.Rexpr
}

// call returns a call of a function of PostgreSQL's own that is nothing but that: no
// DISTINCT, ORDER BY, FILTER, OVER, VARIADIC.
func (w *work) call(n *pg_query.Node, functions ...string) *pg_query.FuncCall {
	f := n.GetFuncCall()
	if f == nil || f.AggDistinct || f.AggFilter != nil || f.AggOrder != nil || f.AggWithinGroup || f.FuncVariadic || f.Over != nil {
		return nil
	}
	name := nameOf(f.Funcname)
	if !slices.Contains(functions, name[len(name)-1]) || !w.Scope.Catalog.OwnFunction(w.Scope.Path, name) {
		return nil
	}
	return f
}

// constant is a literal without a cast.
type constant struct {
	kind byte // s string, i integer of four bytes, b boolean
	text string
}

func constantOf(n *pg_query.Node) (constant, bool) {
	switch v := n.GetAConst().GetVal().(type) {
	case *pg_query.A_Const_Sval:
		return constant{'s', v.Sval.Sval}, true
	case *pg_query.A_Const_Ival:
		return constant{'i', strconv.Itoa(int(v.Ival.Ival))}, true
	case *pg_query.A_Const_Boolval:
		return constant{'b', strconv.FormatBool(v.Boolval.Boolval)}, true
	}
	return constant{}, false
}

// fits reports whether a literal is a value of the column's type, and equal texts of
// such literals are equal values and the other way round.
func (c constant) fits(column *catalog.Column) bool {
	switch c.kind {
	case 's':
		return isText(column) && isExact(column)
	case 'i':
		return isInteger(column)
	}
	return column.Type == boolType
}

// isTypeName reports whether a cast is to this type of PostgreSQL's own, without
// modifiers.
func (w *work) isTypeName(t *pg_query.TypeName, names ...string) bool {
	if t == nil || len(t.Typmods) > 0 || len(t.ArrayBounds) > 0 || t.Setof || t.PctType {
		return false
	}
	name := nameOf(t.Names)
	own := len(name) == 1 && len(w.Scope.Path) > 0 && w.Scope.Path[0] == "pg_catalog" || len(name) == 2 && name[0] == "pg_catalog"
	return own && slices.Contains(names, name[len(name)-1])
}

// isUnique reports whether some key of the table makes its rows unique by these columns
// alone, none of which can be NULL.
func isUnique(r *catalog.Relation, columns []string) bool {
	return slices.ContainsFunc(r.Keys, func(k catalog.Index) bool {
		if !k.Proves() {
			return false
		}
		for n, number := range k.Columns {
			c := columnNumbered(r, number)
			if c == nil || !c.NotNull || !slices.Contains(columns, c.Name) || !tellsApart(&k, n, c) {
				return false
			}
		}
		return true
	})
}

// tellsApart reports whether an index takes for equal what = takes for equal: another
// collation, or an operator class that we do not know, may find fewer values equal.
func tellsApart(k *catalog.Index, n int, c *catalog.Column) bool {
	if c.Collation >= firstUserOID && k.Collations[n] != c.Collation {
		return false
	}
	switch k.Classes[n] {
	case "text_ops", "varchar_ops", "text_pattern_ops", "varchar_pattern_ops":
		return isText(c)
	}
	return exact[c.Type] != "" && k.Classes[n] == exact[c.Type]+"_ops"
}

func columnNumbered(r *catalog.Relation, number int16) *catalog.Column {
	for i := range r.Columns {
		if r.Columns[i].Number == number {
			return &r.Columns[i]
		}
	}
	return nil
}

// hasIndex reports whether a complete index of this method begins with the column, and
// has this operator class for it; any if the class is empty.
func hasIndex(r *catalog.Relation, c *catalog.Column, method, class string) bool {
	return slices.ContainsFunc(r.Indexes, func(i catalog.Index) bool {
		if i.Method != method || !i.Valid || i.Partial {
			return false
		}
		for n, number := range i.Columns {
			if number == c.Number && (class == "" || i.Classes[n] == class) && (n == 0 || method == "gin") {
				return true
			}
		}
		return false
	})
}

// positive are the expressions of which it does not matter whether they are false or
// NULL: the conditions of WHERE, ON, HAVING and FILTER, and what AND and OR make them of.
func (w *work) positive() map[*pg_query.Node]bool {
	found := map[*pg_query.Node]bool{}
	eachMessage(w.tree.ProtoReflect(), func(m protoreflect.Message) bool {
		switch v := m.Interface().(type) {
		case *pg_query.SelectStmt:
			addPositive(found, v.WhereClause)
			addPositive(found, v.HavingClause)
		case *pg_query.JoinExpr:
			addPositive(found, v.Quals)
		case *pg_query.FuncCall:
			addPositive(found, v.AggFilter)
		}
		return true
	})
	return found
}

func addPositive(found map[*pg_query.Node]bool, n *pg_query.Node) {
	if n == nil {
		return
	}
	found[n] = true
	if b := n.GetBoolExpr(); b != nil && b.Boolop != pg_query.BoolExprType_NOT_EXPR {
		for _, arg := range b.Args {
			addPositive(found, arg)
		}
	}
}

// eachIn calls f for each expression of each query, with the query it is in.
func (w *work) eachIn(f func(*level, *pg_query.Node)) {
	for _, l := range w.found.levels {
		if l.query.Op != pg_query.SetOperation_SETOP_NONE {
			continue
		}
		eachMessage(l.query.ProtoReflect(), func(m protoreflect.Message) bool {
			switch v := m.Interface().(type) {
			case *pg_query.SelectStmt:
				return v == l.query
			case *pg_query.Node:
				f(l, v)
			}
			return true
		})
	}
}

// aggregates reports whether a query makes one row of several, or windows over them:
// GROUP BY, HAVING, WINDOW, OVER, or a call of what may be an aggregate.
func (w *work) aggregates(q *pg_query.SelectStmt) bool {
	if len(q.GroupClause) > 0 || q.HavingClause != nil || len(q.WindowClause) > 0 {
		return true
	}
	yes := false
	for _, part := range slices.Concat(q.TargetList, q.SortClause, q.DistinctClause) {
		eachMessage(part.ProtoReflect(), func(m protoreflect.Message) bool {
			switch v := m.Interface().(type) {
			case *pg_query.SelectStmt:
				return false
			case *pg_query.FuncCall:
				yes = yes || v.Over != nil || w.Scope.Catalog.Aggregates(w.Scope.Path, nameOf(v.Funcname))
			case *pg_query.GroupingFunc, *pg_query.JsonObjectAgg, *pg_query.JsonArrayAgg:
				yes = true
			}
			return true
		})
	}
	return yes
}

// isPlainDistinct reports whether a query has DISTINCT without ON.
func isPlainDistinct(q *pg_query.SelectStmt) bool {
	return len(q.DistinctClause) == 1 && q.DistinctClause[0].Node == nil
}

func isLimited(q *pg_query.SelectStmt) bool { return q.LimitCount != nil || q.LimitOffset != nil }

func isSimple(q *pg_query.SelectStmt) bool {
	return q.Op == pg_query.SetOperation_SETOP_NONE && len(q.ValuesLists) == 0
}

// same reports whether two nodes are equal but for their places.
func same(a, b proto.Message) bool { return proto.Equal(bare(a), bare(b)) }

// name writes a column of an item with the item's name before it.
func (i *item) name(column string) part {
	ref := &pg_query.ColumnRef{Fields: []*pg_query.Node{pg_query.MakeStrNode(i.alias), pg_query.MakeStrNode(column)}}
	return part{quoteName(i.alias) + "." + quoteName(column), &pg_query.Node{Node: &pg_query.Node_ColumnRef{ColumnRef: ref}}}
}
