package rewrite

import (
	"slices"

	pg_query "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/pgjay/pgjay/rewrite/catalog"
)

// use is what the rows of a query are for.
type use int

const (
	answer  use = iota // of the client
	scalar             // (SELECT ..) as a value, ARRAY(SELECT ..)
	exists             // EXISTS (SELECT ..)
	member             // x IN (SELECT ..), x = ANY (SELECT ..)
	all                // x > ALL (SELECT ..)
	derived            // FROM (SELECT ..)
	with               // WITH x AS (SELECT ..)
	arm                // of UNION and the like
)

// level is a query, with the names that can be used in it.
type level struct {
	query *pg_query.SelectStmt
	use   use
	// outer is the query around it, whose names can be seen, too; nil for the outermost.
	outer *level
	// link is the expression that uses it, in outer; from the FROM item.
	link  *pg_query.SubLink
	items []*item
	// merged is set when joins have columns or names of their own: USING, NATURAL,
	// an alias.
	merged bool
}

// item is a FROM item that is no join.
type item struct {
	level *level
	node  *pg_query.Node
	alias string
	// rel is the table, nil for everything else, and where the columns have been
	// given other names.
	rel *catalog.Relation
	// inner is set when each of its rows that WHERE accepts is in the result as often as
	// joins say: it is not on the nullable side of an outer join.
	inner bool
	// join is the join whose arm it is, the right one or not.
	join  *pg_query.JoinExpr
	right bool
	// kept is set for the right arm of a join when the join itself is not on the nullable
	// side of another.
	kept bool
	// above is the node that has join, or the item itself if it is in no join.
	above *pg_query.Node
}

// found says where each reference to a column is.
type found struct {
	levels []*level
	at     map[*pg_query.ColumnRef]*level
}

// place is where the walk is.
type place struct {
	level *level
	use   use
	link  *pg_query.SubLink
	ctes  []string
}

// findLevels walks a tree and notes its queries.
func (w *work) findLevels(m proto.Message) {
	w.found.at = map[*pg_query.ColumnRef]*level{}
	w.walk(m.ProtoReflect(), place{})
}

func (w *work) walk(m protoreflect.Message, p place) {
	switch v := m.Interface().(type) {
	case *pg_query.ColumnRef:
		w.found.at[v] = p.level
		return
	case *pg_query.SubLink:
		p.link = v
		p.use = map[pg_query.SubLinkType]use{pg_query.SubLinkType_EXISTS_SUBLINK: exists, pg_query.SubLinkType_ANY_SUBLINK: member,
			pg_query.SubLinkType_ALL_SUBLINK: all}[v.SubLinkType]
		if p.use == answer {
			p.use = scalar
		}
	case *pg_query.RangeSubselect:
		p.use, p.link = derived, nil
	case *pg_query.SelectStmt:
		p = w.enter(v, p)
	}
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		switch {
		case field.Message() == nil || !m.Has(field) || field.Name() == "with_clause":
		case field.IsList():
			for list, j := m.Get(field).List(), 0; j < list.Len(); j++ {
				w.walk(list.Get(j).Message(), p)
			}
		default:
			w.walk(m.Get(field).Message(), p)
		}
	}
}

// enter begins a query.
func (w *work) enter(q *pg_query.SelectStmt, p place) place {
	l := &level{query: q, use: p.use, outer: p.level, link: p.link}
	w.found.levels = append(w.found.levels, l)
	for _, n := range q.WithClause.GetCtes() {
		cte := n.GetCommonTableExpr()
		if q.WithClause.Recursive {
			p.ctes = append(slices.Clip(p.ctes), cte.Ctename)
		}
		w.walk(cte.Ctequery.ProtoReflect(), place{level: p.level, use: with, ctes: p.ctes})
		if !q.WithClause.Recursive {
			p.ctes = append(slices.Clip(p.ctes), cte.Ctename)
		}
	}
	if q.Op != pg_query.SetOperation_SETOP_NONE {
		return place{level: p.level, use: arm, ctes: p.ctes}
	}
	for _, n := range q.FromClause {
		w.add(l, n, &item{above: n, inner: true}, p.ctes)
	}
	return place{level: l, use: scalar, ctes: p.ctes}
}

// add notes the items below a FROM item, which are as at says.
func (w *work) add(l *level, n *pg_query.Node, at *item, ctes []string) {
	if j := n.GetJoinExpr(); j != nil {
		l.merged = l.merged || j.IsNatural || len(j.UsingClause) > 0 || j.Alias != nil
		t := j.Jointype
		left := t == pg_query.JoinType_JOIN_INNER || t == pg_query.JoinType_JOIN_LEFT
		right := t == pg_query.JoinType_JOIN_INNER || t == pg_query.JoinType_JOIN_RIGHT
		w.add(l, j.Larg, &item{above: n, join: j, inner: at.inner && left}, ctes)
		w.add(l, j.Rarg, &item{above: n, join: j, right: true, kept: at.inner, inner: at.inner && right}, ctes)
		return
	}
	at.level, at.node = l, n
	switch v := n.Node.(type) {
	case *pg_query.Node_RangeVar:
		at.alias = aliasOf(v.RangeVar.Alias, v.RangeVar.Relname)
		plain := len(v.RangeVar.Alias.GetColnames()) == 0 && (v.RangeVar.Schemaname != "" || !slices.Contains(ctes, v.RangeVar.Relname))
		if plain {
			at.rel = w.Scope.Catalog.Resolve(w.Scope.Path, nameOfRelation(v.RangeVar))
		}
	case *pg_query.Node_RangeSubselect:
		at.alias = aliasOf(v.RangeSubselect.Alias, "")
	case *pg_query.Node_RangeFunction:
		at.alias = aliasOf(v.RangeFunction.Alias, "")
	}
	l.items = append(l.items, at)
}

func aliasOf(a *pg_query.Alias, otherwise string) string {
	if a.GetAliasname() != "" {
		return a.Aliasname
	}
	return otherwise
}

func nameOfRelation(v *pg_query.RangeVar) (name []string) {
	for _, part := range []string{v.Catalogname, v.Schemaname, v.Relname} {
		if part != "" {
			name = append(name, part)
		}
	}
	return name
}

// column finds what a node refers to, if it is nothing but a reference to a column of
// a table, in this query or, with the table's name before it, in one around it.
func (l *level) column(n *pg_query.Node) (*item, *catalog.Column) {
	names := refNames(n.GetColumnRef())
	switch len(names) {
	case 1:
		return l.unqualified(names[0])
	case 2:
		for at := l; at != nil; at = at.outer {
			for _, i := range at.items {
				if i.alias == names[0] {
					return i.column(names[1])
				}
			}
		}
	}
	return nil, nil
}

func (i *item) column(name string) (*item, *catalog.Column) {
	if i.rel == nil || i.rel.Column(name) == nil {
		return nil, nil
	}
	return i, i.rel.Column(name)
}

// unqualified finds the only column of this name; nil where there may be others.
func (l *level) unqualified(name string) (of *item, c *catalog.Column) {
	if l.merged {
		return nil, nil
	}
	for _, i := range l.items {
		if i.rel == nil {
			return nil, nil
		}
		if found := i.rel.Column(name); found != nil && of == nil {
			of, c = i, found
		} else if found != nil {
			return nil, nil
		}
	}
	return of, c
}

// refNames are the names of a reference, nil if one is a star.
func refNames(ref *pg_query.ColumnRef) []string {
	names := make([]string, 0, 2)
	for _, f := range ref.GetFields() {
		s := f.GetString_()
		if s == nil {
			return nil
		}
		names = append(names, s.Sval)
	}
	return names
}

// systemColumns can be asked of any table.
var systemColumns = []string{"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"}

// mentioned reports whether something in a message may refer to an item.
func (w *work) mentioned(i *item, in proto.Message, except ...proto.Message) bool {
	if i.level.merged {
		return true
	}
	yes := false
	eachMessage(in.ProtoReflect(), func(m protoreflect.Message) bool {
		v := m.Interface()
		for _, skip := range except {
			if v == skip {
				return false
			}
		}
		if ref, ok := v.(*pg_query.ColumnRef); ok && w.mayBe(ref, i) {
			yes = true
		}
		return !yes
	})
	return yes
}

// mayBe reports whether a reference may be to an item, its columns or its rows.
func (w *work) mayBe(ref *pg_query.ColumnRef, i *item) bool {
	names, at := refNames(ref), w.found.at[ref]
	if names == nil { // a star
		if len(ref.Fields) == 1 {
			return at == i.level
		}
		names = []string{ref.Fields[0].GetString_().GetSval(), ""}
	}
	if len(names) > 2 {
		return true
	}
	for l := at; l != i.level; l = l.outer {
		if l == nil {
			return false // it cannot see the item
		}
		if l.has(names) {
			return false
		}
	}
	if len(names) == 2 {
		return names[0] == i.alias
	}
	return names[0] == i.alias || i.rel == nil || i.rel.Column(names[0]) != nil || slices.Contains(systemColumns, names[0])
}

// has reports whether a name is surely one of this query's.
func (l *level) has(names []string) bool {
	for _, i := range l.items {
		if len(names) == 2 && i.alias == names[0] || len(names) == 1 && i.rel != nil && i.rel.Column(names[0]) != nil {
			return true
		}
	}
	return false
}

// reads reports whether a reference to any column of the item, or its whole row or a
// system column, is in a message that is none to a plain column.
func (w *work) wholeRow(i *item, in proto.Message) bool {
	yes := false
	eachNode(in, func(n *pg_query.Node) {
		ref := n.GetColumnRef()
		if ref == nil || !w.mayBe(ref, i) {
			return
		}
		names := refNames(ref)
		if names == nil {
			return // a star stands for columns
		}
		if of, _ := w.found.at[ref].column(n); of != i && !(len(names) == 1 && names[0] != i.alias && !slices.Contains(systemColumns, names[0])) {
			yes = true
		}
	})
	return yes
}
