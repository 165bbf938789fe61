package rewrite

import (
	"fmt"

	pg_query "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/pgjay/pgjay/rewrite/catalog"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// Gate says why no rule of ours may touch a statement; empty: nothing speaks
// against it. facts are those of q.Text. The conditions, in order:
//
//  1. strings are read as the standard says (standard_conforming_strings) and the
//     text is in UTF-8;
//  2. it is one statement, a SELECT that writes nothing, without INTO, and not one
//     in a DECLARE, COPY, EXPLAIN or definition;
//  3. it takes no locks (no FOR UPDATE or the like);
//  4. it has no TABLESAMPLE and no WHERE CURRENT OF;
//  5. no function, operator or cast in it is volatile; what is not known is;
//  6. no function in it that can be anywhere but in FROM returns a set;
//  7. each name of a relation is resolved, by the search_path, to one that is there:
//     an ordinary table, a partitioned one or a materialized view of a user's;
//  8. of which none has row security, and no ordinary table has children, for which
//     its keys would not hold.
//
// That the role may read all that the statement names, so that nothing hides a
// refusal, is for PostgreSQL to say: see Guard. Sessions with temporary tables are not
// rewritten: the catalog does not know these.
func Gate(q *Query, facts *sqlparse.Facts) (why string) {
	switch {
	case q.Scope.Setting("standard_conforming_strings") != "on":
		return "standard_conforming_strings is not on"
	case q.Scope.Setting("client_encoding") != "UTF8":
		return "client_encoding is not UTF8"
	case facts.Opaque:
		return "the parser does not understand it"
	case len(facts.Parts) != 1 || len(q.Tree.Stmts) != 1:
		return "it is not one statement"
	}
	part, query := &facts.Parts[0], q.Tree.Stmts[0].Stmt.GetSelectStmt()
	switch {
	case query == nil || part.Command != sqlparse.CommandSelect || len(part.Writes) > 0:
		return "it is not a SELECT that only reads"
	case part.Locks:
		return "it locks rows"
	}
	w := gateWalk{scope: &q.Scope}
	if eachMessage(q.Tree.ProtoReflect(), w.visit); w.why != "" {
		return w.why
	}
	if why := volatile(&q.Scope, part); why != "" {
		return why
	}
	return refusedRelation(&q.Scope, part)
}

// gateWalk looks for a node that no rule may meet, in all of a tree.
type gateWalk struct {
	scope *Scope
	why   string
}

// visit reports whether to look at what is below a message.
func (w *gateWalk) visit(m protoreflect.Message) bool {
	if w.why != "" {
		return false
	}
	switch v := m.Interface().(type) {
	case *pg_query.InsertStmt, *pg_query.UpdateStmt, *pg_query.DeleteStmt, *pg_query.MergeStmt:
		w.why = "it is not a SELECT that only reads"
	case *pg_query.IntoClause:
		w.why = "it has INTO"
	case *pg_query.LockingClause:
		w.why = "it locks rows"
	case *pg_query.RangeTableSample:
		w.why = "it has TABLESAMPLE"
	case *pg_query.CurrentOfExpr:
		w.why = "it has CURRENT OF"
	case *pg_query.RangeFunction:
		w.from(v)
		return false
	case *pg_query.FuncCall:
		if name := nameOf(v.Funcname); w.scope.Catalog.ReturnsSet(w.scope.Path, name) {
			w.why = fmt.Sprintf("function %s may return a set outside of FROM", name)
		}
	}
	return w.why == ""
}

// from goes over functions in FROM, which may return sets.
func (w *gateWalk) from(f *pg_query.RangeFunction) {
	for _, item := range f.Functions {
		for _, n := range item.GetList().GetItems() {
			call := n.GetFuncCall()
			eachMessage(n.ProtoReflect(), func(m protoreflect.Message) bool {
				return call != nil && m.Interface() == proto.Message(call) || w.visit(m)
			})
		}
	}
}

func nameOf(parts []*pg_query.Node) sqlparse.Name {
	name := make(sqlparse.Name, len(parts))
	for i, p := range parts {
		name[i] = p.GetString_().GetSval()
	}
	return name
}

// volatile says what in a statement is volatile.
func volatile(scope *Scope, part *sqlparse.Part) string {
	c := scope.Catalog
	for _, of := range []struct {
		names []sqlparse.Name
		ask   func(path, name []string) string
	}{
		{part.Functions, c.VolatileFunction}, {part.Operators, c.VolatileOperator}, {part.Types, c.VolatileType},
	} {
		for _, name := range of.names {
			if why := of.ask(scope.Path, name); why != "" {
				return why
			}
		}
	}
	for _, word := range part.Attributes {
		if why := c.VolatileAttribute(scope.Path, word); why != "" {
			return why
		}
	}
	return ""
}

// refusedRelation says which relation that a statement names stands against it.
func refusedRelation(scope *Scope, part *sqlparse.Part) string {
	for _, name := range part.Reads {
		r := scope.Catalog.Resolve(scope.Path, name)
		switch {
		case r == nil:
			return fmt.Sprintf("relation %s is not known", name)
		case r.Kind != catalog.Table && r.Kind != catalog.Partitioned && r.Kind != catalog.MaterializedView:
			return fmt.Sprintf("%s is not a table", r)
		case r.Schema == "pg_catalog" || r.Schema == "information_schema":
			return fmt.Sprintf("%s is one of PostgreSQL's own", r)
		case r.RowSecurity:
			return fmt.Sprintf("%s has row security", r)
		case r.Kind == catalog.Table && len(r.Children) > 0:
			return fmt.Sprintf("%s has children", r)
		}
	}
	return ""
}
