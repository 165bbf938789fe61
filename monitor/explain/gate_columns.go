package explain

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"
	pg_query "github.com/pganalyze/pg_query_go/v5"
)

// t.status is a column of t if t has one, else the function status with a row of t. It is
// taken for a column only where all is certain: t is nothing in the whole text but a table
// or view by that name or alias, without names for its columns, and each one that is called
// so, in any schema, has the column.

// column is a name that is a column if the relation, in all schemas, has it.
type column struct{ relation, name string }

// references is what a text says of names with a dot.
type references struct {
	of        map[string][]string // by name: what stood before the dot
	unsure    map[string]bool     // names that stand elsewhere behind a dot
	relations map[string][]string // by alias or name: the relations
	others    map[string]bool     // what is, or may be, something else than a relation
	wild      bool                // what has a name of its own in FROM may be anywhere
}

// columns returns those of attributes that are columns if the catalog has them, and those
// that it is not certain of.
func columns(text []byte, attributes []string) (certain []column, unsure []string) {
	tree, err := pg_query.ParseToJSON(string(text))
	var parsed any
	if err != nil || json.Unmarshal([]byte(tree), &parsed) != nil {
		return nil, attributes
	}
	r := references{of: make(map[string][]string), unsure: make(map[string]bool), relations: make(map[string][]string), others: make(map[string]bool)}
	r.visit(parsed)
	for _, name := range attributes {
		if of := r.columns(name); of != nil {
			certain = append(certain, of...)
		} else {
			unsure = append(unsure, name)
		}
	}
	slices.SortFunc(certain, func(a, b column) int { return cmp.Or(cmp.Compare(a.relation, b.relation), cmp.Compare(a.name, b.name)) })
	return slices.Compact(certain), unsure
}

// columns returns the columns that a name must be; nil: it may be something else.
func (r *references) columns(name string) (all []column) {
	if r.wild || r.unsure[name] || !plainName(name) {
		return nil
	}
	for _, alias := range r.of[name] {
		if r.others[alias] || len(r.relations[alias]) == 0 {
			return nil
		}
		for _, relation := range r.relations[alias] {
			if r.others[relation] || !plainName(relation) {
				return nil
			}
			all = append(all, column{relation, name})
		}
	}
	return all
}

// plainName reports whether a name is certainly the same on the server: it is not cut, and
// its bytes are letters in all encodings.
func plainName(name string) bool { return len(name) < 64 && ascii(name) }

// visit looks at a node of the tree and all below it.
func (r *references) visit(v any) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			r.visit(e)
		}
	case map[string]any:
		if relation, ok := v["relname"].(string); ok {
			r.relation(relation, v["alias"])
			return
		}
		for _, key := range []string{"aliasname", "ctename"} {
			if name, ok := v[key].(string); ok {
				r.others[name] = true
			}
		}
		for key, e := range v {
			switch key {
			case "fields":
				r.reference(namesOf(e))
			case "indirection":
				r.isUnsure(namesOf(e))
			case "funcname":
				r.isOther(namesOf(e))
			case "SqlvalueFunction", "SQLValueFunction", "RangeTableFunc", "JsonTable", "CoalesceExpr", "MinMaxExpr", "XmlExpr":
				r.wild = true
			}
			r.visit(e)
		}
	}
}

// relation notes a relation, which has no other nodes below it.
func (r *references) relation(relation string, alias any) {
	name := relation
	if a, ok := alias.(map[string]any); ok {
		name, _ = a["aliasname"].(string)
		if a["colnames"] != nil {
			r.others[name] = true
		}
	}
	r.relations[name] = append(r.relations[name], relation)
}

// reference notes a name with dots.
func (r *references) reference(names []string) {
	if len(names) == 2 && !slices.Contains(names, "") {
		r.of[names[1]] = append(r.of[names[1]], names[0])
		return
	}
	r.isUnsure(names[min(1, len(names)):])
}

// isOther notes a function: in FROM its rows have its name.
func (r *references) isOther(names []string) {
	for _, name := range names {
		r.others[name] = true
	}
}

func (r *references) isUnsure(names []string) {
	for _, name := range names {
		r.unsure[name] = true
	}
}

// namesOf returns the names in a list of nodes, empty ones for what is none.
func namesOf(list any) (names []string) {
	nodes, _ := list.([]any)
	for _, node := range nodes {
		n, _ := node.(map[string]any)
		s, _ := n["String"].(map[string]any)
		name, _ := s["sval"].(string)
		names = append(names, name)
	}
	return names
}

// askNoColumns asks which of the columns ($2) of relations ($1) are not in all relations of
// that name. Indexes and types of rows are in no FROM.
const askNoColumns = `SELECT DISTINCT w.name FROM unnest($1::name[], $2::name[]) w (relation, name)
	WHERE NOT EXISTS (SELECT FROM pg_class c WHERE c.relname = w.relation AND c.relkind NOT IN ('i', 'I', 'c'))
	OR EXISTS (SELECT FROM pg_class c WHERE c.relname = w.relation AND c.relkind NOT IN ('i', 'I', 'c')
		AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = w.name AND a.attnum > 0 AND NOT a.attisdropped))`

// resolve adds to what may be called the names that are not columns.
func (m *mentions) resolve(ctx context.Context, conn *pgconn.PgConn) error {
	if len(m.columns) == 0 {
		return nil
	}
	var relations, names []string
	for _, c := range m.columns {
		relations, names = append(relations, c.relation), append(names, c.name)
	}
	answer := conn.ExecParams(ctx, askNoColumns, [][]byte{textArray(relations), textArray(names)}, nil, nil, nil).Read()
	for _, row := range answer.Rows {
		m.call(string(row[0]))
	}
	return answer.Err
}
