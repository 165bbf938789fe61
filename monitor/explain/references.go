package explain

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v5"

	"github.com/pgjay/pgjay/monitor/advice"
	"github.com/pgjay/pgjay/monitor/plan"
)

// Who deletes a row, or changes its key, waits until PostgreSQL has looked for rows that
// refer to it. No plan shows that.

// askReferences asks which foreign keys refer to a table, and to which of its columns.
const askReferences = `SELECT n.nspname, c.relname, k.conname, c.relkind,
	(SELECT pg_catalog.string_agg(a.attname, E'\x01' ORDER BY u.n) FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY u (attnum, n)
		JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) k.conrelid AND a.attnum OPERATOR(pg_catalog.=) u.attnum),
	(SELECT pg_catalog.string_agg(a.attname, E'\x01' ORDER BY u.n) FROM pg_catalog.unnest(k.confkey) WITH ORDINALITY u (attnum, n)
		JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) k.confrelid AND a.attnum OPERATOR(pg_catalog.=) u.attnum)
	FROM pg_catalog.pg_constraint k, pg_catalog.pg_class c, pg_catalog.pg_namespace n, pg_catalog.pg_class p, pg_catalog.pg_namespace s
	WHERE k.contype OPERATOR(pg_catalog.=) 'f' AND k.conparentid OPERATOR(pg_catalog.=) 0 AND c.oid OPERATOR(pg_catalog.=) k.conrelid
		AND n.oid OPERATOR(pg_catalog.=) c.relnamespace AND p.oid OPERATOR(pg_catalog.=) k.confrelid AND s.oid OPERATOR(pg_catalog.=) p.relnamespace
		AND s.nspname OPERATOR(pg_catalog.=) $1 AND p.relname OPERATOR(pg_catalog.=) $2 ORDER BY k.conname LIMIT 20`

// referencesOf returns the foreign keys whose rows are looked for when a statement is
// executed. What cannot be asked is not known.
func (x *explanation) referencesOf(ctx context.Context) (list []advice.Reference) {
	var sets []string
	for n := range x.result.Plan.Nodes() {
		if n.Type != "ModifyTable" || n.Operation != "Delete" && n.Operation != "Update" {
			continue
		}
		if n.Operation == "Update" && sets == nil {
			sets = setColumns(x.Text)
		}
		keys := x.conn.ExecParams(ctx, askReferences, [][]byte{[]byte(n.Schema), []byte(n.Name)}, nil, nil, nil).Read()
		for _, row := range keys.Rows {
			if n.Operation == "Update" && !slices.ContainsFunc(strings.Split(string(row[5]), "\x01"), func(c string) bool { return slices.Contains(sets, c) }) {
				continue
			}
			t, err := tableOf(ctx, x.conn, string(row[0]), string(row[1]))
			if err != nil {
				return list // the transaction has failed
			}
			if t == nil {
				continue
			}
			if string(row[3]) == "p" {
				t.Whole = &advice.Whole{Schema: t.Schema, Name: t.Name, Rows: t.Rows, Writes: t.Writes}
			}
			list = append(list, advice.Reference{Table: t, Constraint: string(row[2]), Columns: strings.Split(string(row[4]), "\x01"), Change: changeOf(n)})
		}
		if keys.Err != nil {
			return list
		}
	}
	return list
}

// changeOf names what a step does to its table.
func changeOf(n *plan.Node) string { return n.Operation + " on " + n.Table() }

// setColumns returns the names of all columns that a text sets.
func setColumns(text []byte) (names []string) {
	tree, err := pg_query.ParseToJSON(string(text))
	var parsed any
	if err != nil || json.Unmarshal([]byte(tree), &parsed) != nil {
		return nil
	}
	var visit func(any)
	visit = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				visit(e)
			}
		case map[string]any:
			if target, ok := v["ResTarget"].(map[string]any); ok {
				name, _ := target["name"].(string)
				names = append(names, name)
			}
			for _, e := range v {
				visit(e)
			}
		}
	}
	visit(parsed)
	return names
}
