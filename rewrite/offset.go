package rewrite

import (
	"slices"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/pgjay/pgjay/rewrite/catalog"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// Deep OFFSET: SELECT ... ORDER BY k, ... LIMIT n OFFSET m is got from a bookmark, the
// value v of the leading key k and the number r of rows before the first one that has
// it, as SELECT ... WHERE k >= v ORDER BY k, ... LIMIT n OFFSET m-r. No key needs to be
// unique, and the client's order stays as it is. The preconditions:
//
//  1. it is one SELECT that only reads, locks nothing, and means the same each time;
//     what it calls is known to depend on its arguments and the session's settings
//     alone (all of this is checked by the caller, as for the cache);
//  2. it has ORDER BY, LIMIT and OFFSET; these two are a number or a parameter, and
//     not WITH TIES;
//  3. nothing stands between its rows and the order: no set operation, DISTINCT, GROUP
//     BY, HAVING, window or WITH;
//  4. its columns are columns of tables or constants: nothing is computed for rows that
//     are skipped;
//  5. what it reads from are tables, joined or not, under the names that they have;
//  6. the leading key is a column or an expression of them, sorted in the usual order
//     of its type, which can be carried without loss: see keyTypes;
//  7. an index begins with it;
//  8. the parameters of LIMIT and OFFSET, if they are any, are used nowhere else.
//
// Where a bookmark is good, and when a page from one is let out, is for the caller:
// see Bookmarks.

// Deep is what is known of a statement whose pages can be got from bookmarks. It is
// not changed after Complete; any number of goroutines may use it. What it says holds
// for all texts that differ in literals only.
type Deep struct {
	Type *KeyType
	// Params are the types of its parameters.
	Params []uint32
	// Column is where in the result the leading key is; -1: nowhere, or its values
	// do not tell whether they are equal.
	Column int
	// Table is where the leading key comes from, 0 for an expression, and Collation
	// that of its column.
	Table, Collation uint32
	// Join is set when the page's rows can be found in an index first.
	Join bool

	lead string // the key, where it is not what ORDER BY says
	desc bool
	// nullable is set when the key may be NULL, nullsFirst when such rows come first.
	nullable, nullsFirst bool

	number int16  // of the column of Table
	unique string // the column that Join finds rows by
}

// Offset looks whether pages of a statement can be got from bookmarks; d is nil if not,
// and why says which precondition does not hold. Else it has to be completed. The text
// must be one that is not too much for the parser.
func Offset(text string, in Scope, p *sqlparse.Paging) (d *Deep, why string) {
	tree, err := pg_query.Parse(text)
	if err != nil || len(tree.Stmts) != 1 || tree.Stmts[0].Stmt.GetSelectStmt() == nil {
		return nil, "it is not one SELECT"
	}
	q := &Query{Text: text, Tree: tree, Scope: in}
	s := q.Tree.Stmts[0].Stmt.GetSelectStmt()
	if why := unpaged(s); why != "" {
		return nil, why
	}
	parameters, why := parametersOf(s, p)
	if why != "" {
		return nil, why
	}
	t, why := tablesOf(q, s)
	if why != "" {
		return nil, why
	}
	first := s.SortClause[0].GetSortBy()
	d = &Deep{Column: -1, desc: first.SortbyDir == pg_query.SortByDir_SORTBY_DESC}
	if why := d.findLead(s, t, first.Node); why != "" {
		return nil, why
	}
	d.nullsFirst = first.SortbyNulls == pg_query.SortByNulls_SORTBY_NULLS_FIRST ||
		first.SortbyNulls == pg_query.SortByNulls_SORTBY_NULLS_DEFAULT && d.desc
	d.findJoin(s, t)
	if !d.means(q, p, parameters) {
		return nil, "it would mean something else"
	}
	return d, ""
}

// parametersOf returns how many parameters there are: condition 8.
func parametersOf(s *pg_query.SelectStmt, p *sqlparse.Paging) (highest int, why string) {
	times := make(map[int]int)
	eachMessage(s.ProtoReflect(), func(m protoreflect.Message) bool {
		if ref, ok := m.Interface().(*pg_query.ParamRef); ok {
			times[int(ref.Number)]++
			highest = max(highest, int(ref.Number))
		}
		return true
	})
	for _, a := range [...]sqlparse.Amount{p.Limit, p.Offset} {
		if a.Parameter > 0 && times[a.Parameter] != 1 {
			return 0, "the parameter of LIMIT or OFFSET is used elsewhere"
		}
	}
	return highest, ""
}

// MayLack reports whether a page from a bookmark may lack rows if it has fewer than
// were asked for: where the key is NULL, and where it is not, are two regions.
func (d *Deep) MayLack(b Value) bool {
	if b.Null {
		return d.nullsFirst
	}
	return d.nullable && !d.nullsFirst
}

// unpaged says which of the conditions 2 to 4 does not hold.
func unpaged(s *pg_query.SelectStmt) string {
	switch {
	case len(s.SortClause) == 0:
		return "it has no ORDER BY"
	case s.LimitCount == nil || s.LimitOffset == nil:
		return "it has no LIMIT and OFFSET"
	case s.LimitOption != pg_query.LimitOption_LIMIT_OPTION_COUNT:
		return "it is WITH TIES"
	case s.Op != pg_query.SetOperation_SETOP_NONE, len(s.ValuesLists) > 0:
		return "it is a set operation"
	case len(s.DistinctClause) > 0:
		return "it is DISTINCT"
	case len(s.GroupClause) > 0, s.HavingClause != nil:
		return "it groups rows"
	case len(s.WindowClause) > 0:
		return "it has windows"
	case s.WithClause != nil:
		return "it has WITH"
	case s.IntoClause != nil, len(s.LockingClause) > 0:
		return "it does not only read"
	}
	for _, target := range s.TargetList {
		val := target.GetResTarget().GetVal()
		if val.GetColumnRef() == nil && val.GetAConst() == nil {
			return "something is computed for its rows"
		}
	}
	return ""
}

// table is one of those that are read from.
type table struct {
	name     string // by which its columns are qualified
	relation *catalog.Relation
}

// tables are those that are read from.
type tables struct {
	all   []table
	outer bool // an outer join is among the joins
	using bool // columns may be merged
}

func tablesOf(q *Query, s *pg_query.SelectStmt) (t *tables, why string) {
	t = new(tables)
	if len(s.FromClause) == 0 {
		return nil, "it reads from no table"
	}
	for _, from := range s.FromClause {
		if why := t.add(q, from); why != "" {
			return nil, why
		}
	}
	return t, ""
}

func (t *tables) add(q *Query, from *pg_query.Node) string {
	if j := from.GetJoinExpr(); j != nil {
		if j.Alias != nil || j.JoinUsingAlias != nil {
			return "a join has a name"
		}
		t.outer = t.outer || j.Jointype != pg_query.JoinType_JOIN_INNER
		t.using = t.using || j.IsNatural || len(j.UsingClause) > 0
		if why := t.add(q, j.Larg); why != "" {
			return why
		}
		return t.add(q, j.Rarg)
	}
	v := from.GetRangeVar()
	if v == nil {
		return "it does not only read from tables"
	}
	name := []string{v.Relname}
	if v.Schemaname != "" {
		name = []string{v.Schemaname, v.Relname}
	}
	r := q.Scope.Catalog.Resolve(q.Scope.Path, name)
	if r == nil || r.Kind != catalog.Table && r.Kind != catalog.Partitioned && r.Kind != catalog.MaterializedView {
		return v.Relname + " is not a table"
	}
	as := v.Relname
	if v.Alias != nil {
		if as = v.Alias.Aliasname; len(v.Alias.Colnames) > 0 {
			return "columns have other names"
		}
	}
	t.all = append(t.all, table{as, r})
	return ""
}

// find returns the table and the column that a name means; nil if that is not certain.
func (t *tables) find(fields []string) (in *table, c *catalog.Column) {
	for i := range t.all {
		if len(fields) == 2 && fields[0] != t.all[i].name {
			continue
		}
		found := t.all[i].relation.Column(fields[len(fields)-1])
		if found == nil {
			continue
		}
		if c != nil {
			return nil, nil
		}
		in, c = &t.all[i], found
	}
	return in, c
}

// fieldsOf returns the names in a reference to a column; nil if it is another one, or
// to all columns.
func fieldsOf(n *pg_query.Node) (fields []string) {
	ref := n.GetColumnRef()
	if ref == nil || len(ref.Fields) > 2 {
		return nil
	}
	for _, f := range ref.Fields {
		if f.GetString_() == nil {
			return nil
		}
		fields = append(fields, f.GetString_().Sval)
	}
	return fields
}

// findLead finds out what the leading key is: condition 6 and 7.
func (d *Deep) findLead(s *pg_query.SelectStmt, t *tables, key *pg_query.Node) string {
	key, written, why := ordered(s, key)
	if why != "" {
		return why
	}
	if !written {
		d.lead = quoteFields(fieldsOf(key))
	}
	d.nullable = true
	if c := key.GetCollateClause(); c != nil && fieldsOf(c.Arg) != nil {
		in, column := t.find(fieldsOf(c.Arg))
		if column == nil || !leads(in.relation, column.Number) {
			return "no index begins with the leading key"
		}
		d.nullable = !column.NotNull || t.outer
		return ""
	}
	fields := fieldsOf(key)
	if fields == nil {
		return d.expression(t)
	}
	in, column := t.find(fields)
	switch {
	case column == nil:
		return "the leading key is not a column of one table"
	case !leads(in.relation, column.Number):
		return "no index begins with the leading key"
	}
	d.nullable = !column.NotNull || t.outer
	if t.times(in.relation) == 1 {
		d.Table, d.number, d.Collation = in.relation.OID, column.Number, column.Collation
	}
	return ""
}

// times counts how often a relation is read from.
func (t *tables) times(r *catalog.Relation) (n int) {
	for i := range t.all {
		if t.all[i].relation == r {
			n++
		}
	}
	return n
}

// expression looks at a key that is computed.
func (d *Deep) expression(t *tables) string {
	for i := range t.all {
		if leads(t.all[i].relation, 0) {
			return ""
		}
	}
	return "no index begins with the leading key"
}

// leads reports whether an index begins with a column, or with an expression for 0.
func leads(r *catalog.Relation, column int16) bool {
	return slices.ContainsFunc(r.Indexes, func(i catalog.Index) bool {
		return i.Valid && !i.Partial && i.Method == "btree" && i.Columns[0] == column
	})
}

// ordered returns what is sorted by: a bare name or number in ORDER BY may be a column
// of the result (findTargetlistEntrySQL92). written is set when it is what stands
// there.
func ordered(s *pg_query.SelectStmt, key *pg_query.Node) (expr *pg_query.Node, written bool, why string) {
	if c := key.GetAConst(); c != nil {
		n := int(c.GetIval().GetIval())
		for i := range min(n, len(s.TargetList)) {
			if target := s.TargetList[i].GetResTarget().Val; fieldsOf(target) == nil {
				return nil, false, "the leading key is not a column"
			} else if i == n-1 {
				return target, false, ""
			}
		}
		return nil, false, "the leading key is a constant"
	}
	fields := fieldsOf(key)
	if len(fields) != 1 {
		return key, true, ""
	}
	var found *pg_query.Node
	for _, t := range s.TargetList {
		target := t.GetResTarget()
		of := fieldsOf(target.Val)
		name := target.Name
		if name == "" && of != nil {
			name = of[len(of)-1]
		}
		switch {
		case name != fields[0]:
		case of == nil || found != nil && !slices.Equal(of, fieldsOf(found)):
			return nil, false, "the leading key is not a column"
		default:
			found = target.Val
		}
	}
	if found != nil {
		return found, false, ""
	}
	return key, true, ""
}

// Complete says what PostgreSQL has said of the statement, and of its Probe. It
// returns which precondition does not hold; empty: all do.
func (d *Deep) Complete(original, probe *catalog.Reading, deterministic bool) string {
	n := len(original.Params)
	if len(probe.Params) != n+2 || !slices.Equal(original.Columns, probe.Columns) {
		return "it would be described in another way"
	}
	d.Params = original.Params
	if d.Type = KeyTypeOf(probe.Params[n]); d.Type == nil {
		return "the leading key is of a type whose values cannot be carried"
	}
	if d.Table == 0 || !deterministic {
		return ""
	}
	for i, c := range original.Columns {
		if c.Table == d.Table && c.Column == d.number {
			d.Column = i
			break
		}
	}
	return ""
}

func quoteFields(fields []string) string {
	quoted := make([]string, len(fields))
	for i, f := range fields {
		quoted[i] = `"` + strings.ReplaceAll(f, `"`, `""`) + `"`
	}
	return strings.Join(quoted, ".")
}
