package explain

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/monitor/advice"
	"github.com/pgjay/pgjay/monitor/plan"
)

// What is asked about a table that an index may help. Everything is named with its
// schema: the client's search_path is in force.
const (
	askRelation = `SELECT c.oid, c.reltuples, CASE WHEN c.relpages OPERATOR(pg_catalog.>) 0 THEN c.relallvisible::pg_catalog.float8 OPERATOR(pg_catalog./) c.relpages::pg_catalog.float8 ELSE 0 END,
		pg_catalog.pg_table_size(c.oid), pg_catalog.pg_stat_get_tuples_inserted(c.oid) OPERATOR(pg_catalog.+) pg_catalog.pg_stat_get_tuples_updated(c.oid) OPERATOR(pg_catalog.+) pg_catalog.pg_stat_get_tuples_deleted(c.oid),
		EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname OPERATOR(pg_catalog.=) 'pg_trgm'), CASE WHEN c.relispartition THEN pg_catalog.pg_partition_root(c.oid)::pg_catalog.oid END
		FROM pg_catalog.pg_class c, pg_catalog.pg_namespace n
		WHERE n.oid OPERATOR(pg_catalog.=) c.relnamespace AND n.nspname OPERATOR(pg_catalog.=) $1 AND c.relname OPERATOR(pg_catalog.=) $2 AND c.relkind OPERATOR(pg_catalog.=) ANY ('{r,m,p}'::pg_catalog."char"[])`

	askWhole = `SELECT n.nspname, c.relname, coalesce(p.of_rows, 0), coalesce(p.writes, 0)
		FROM pg_catalog.pg_class c, pg_catalog.pg_namespace n, LATERAL (SELECT pg_catalog.sum(greatest(l.reltuples, 0)) AS of_rows,
			pg_catalog.sum(pg_catalog.pg_stat_get_tuples_inserted(l.oid) OPERATOR(pg_catalog.+) pg_catalog.pg_stat_get_tuples_updated(l.oid) OPERATOR(pg_catalog.+) pg_catalog.pg_stat_get_tuples_deleted(l.oid)) AS writes
			FROM pg_catalog.pg_partition_tree(c.oid::pg_catalog.regclass) t JOIN pg_catalog.pg_class l ON l.oid OPERATOR(pg_catalog.=) t.relid::pg_catalog.oid WHERE t.isleaf) p
		WHERE c.oid OPERATOR(pg_catalog.=) $1::pg_catalog.oid AND n.oid OPERATOR(pg_catalog.=) c.relnamespace`

	askColumns = `SELECT a.attname, pg_catalog.format_type(coalesce(nullif(t.typbasetype, 0), t.oid), NULL), s.n_distinct, s.null_frac, s.correlation, s.avg_width,
		l.collname OPERATOR(pg_catalog.=) ANY ('{C,POSIX}'::pg_catalog.name[]) OR l.collname OPERATOR(pg_catalog.=) 'default' AND d.datcollate OPERATOR(pg_catalog.=) ANY ('{C,POSIX}'::pg_catalog.text[]),
		CASE WHEN a.atttypid OPERATOR(pg_catalog.=) 16 THEN s.most_common_freqs[pg_catalog.array_position(s.most_common_vals::pg_catalog.text::pg_catalog.text[], 't')] END,
		CASE WHEN a.attlen OPERATOR(pg_catalog.>) 0 THEN a.attlen::pg_catalog.int4
			WHEN a.atttypid OPERATOR(pg_catalog.=) ANY ('{numeric,inet,cidr}'::pg_catalog.regtype[]::pg_catalog.oid[]) THEN 20
			WHEN a.atttypid OPERATOR(pg_catalog.=) ANY ('{bpchar,varchar}'::pg_catalog.regtype[]::pg_catalog.oid[]) AND a.atttypmod OPERATOR(pg_catalog.>) 4
				THEN (a.atttypmod OPERATOR(pg_catalog.-) 4) OPERATOR(pg_catalog.*) pg_catalog.pg_encoding_max_length(d.encoding) END
		FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid OPERATOR(pg_catalog.=) a.atttypid
		LEFT JOIN pg_catalog.pg_stats s ON s.schemaname OPERATOR(pg_catalog.=) $2 AND s.tablename OPERATOR(pg_catalog.=) $3 AND s.attname OPERATOR(pg_catalog.=) a.attname AND NOT s.inherited
		LEFT JOIN pg_catalog.pg_collation l ON l.oid OPERATOR(pg_catalog.=) a.attcollation
		JOIN pg_catalog.pg_database d ON d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
		WHERE a.attrelid OPERATOR(pg_catalog.=) $1::pg_catalog.oid AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped`

	askIndexes = `SELECT c.relname, m.amname, pg_catalog.pg_get_indexdef(i.indexrelid), i.indpred IS NOT NULL,
		(SELECT pg_catalog.string_agg(coalesce(a.attname, ''), E'\x01' ORDER BY k.n) FROM pg_catalog.unnest(i.indkey::pg_catalog.int2[]) WITH ORDINALITY k (attnum, n)
			LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) i.indrelid AND a.attnum OPERATOR(pg_catalog.=) k.attnum
			WHERE k.n OPERATOR(pg_catalog.<=) i.indnkeyatts)
		FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid JOIN pg_catalog.pg_am m ON m.oid OPERATOR(pg_catalog.=) c.relam
		WHERE i.indrelid OPERATOR(pg_catalog.=) $1::pg_catalog.oid AND i.indisvalid`
)

// maxTables bounds the tables of one plan that are asked about.
const maxTables = 20

// tablesOf returns what is known of the tables that a plan reads.
func tablesOf(ctx context.Context, conn *pgconn.PgConn, p *plan.Plan) map[string]*advice.Table {
	tables := make(map[string]*advice.Table)
	for n := range p.Nodes() {
		name := n.Table()
		if _, known := tables[name]; known || n.Schema == "" || strings.HasPrefix(n.Schema, "pg_") || len(tables) >= maxTables {
			continue
		}
		t, err := tableOf(ctx, conn, n.Schema, n.Name)
		if err != nil {
			return tables // the transaction has failed
		}
		tables[name] = t
	}
	return tables
}

// tableOf asks about one table; nil if it is none.
func tableOf(ctx context.Context, conn *pgconn.PgConn, schema, name string) (*advice.Table, error) {
	r := conn.ExecParams(ctx, askRelation, [][]byte{[]byte(schema), []byte(name)}, nil, nil, nil).Read()
	if r.Err != nil || len(r.Rows) != 1 {
		return nil, r.Err
	}
	row := r.Rows[0]
	t := &advice.Table{
		Schema: schema, Name: name, Rows: max(number(row[1]), 0), Visible: number(row[2]), Bytes: number(row[3]), Writes: number(row[4]),
		Trigrams: string(row[5]) == "t", Columns: make(map[string]advice.Column), Expressions: make(map[string]string),
	}
	columns := conn.ExecParams(ctx, askColumns, [][]byte{row[0], []byte(schema), []byte(name)}, nil, nil, nil).Read()
	for _, c := range columns.Rows {
		column := advice.Column{
			Type: string(c[1]), Distinct: number(c[2]), Nulls: number(c[3]), Correlation: number(c[4]), Width: number(c[5]),
			Plain: string(c[6]) == "t", Trues: -1, Longest: number(c[8]),
		}
		if c[7] != nil {
			column.Trues = number(c[7])
		}
		t.Columns[string(c[0])] = column
	}
	if columns.Err != nil {
		return nil, columns.Err
	}
	indexes := conn.ExecParams(ctx, askIndexes, [][]byte{row[0]}, nil, nil, nil).Read()
	for _, i := range indexes.Rows {
		e := advice.Existing{Name: string(i[0]), Method: string(i[1]), Definition: string(i[2]), Partial: string(i[3]) == "t"}
		e.Keys = strings.Split(string(i[4]), "\x01")
		t.Indexes = append(t.Indexes, e)
	}
	if indexes.Err != nil || row[6] == nil {
		return t, indexes.Err
	}
	whole := conn.ExecParams(ctx, askWhole, [][]byte{row[6]}, nil, nil, nil).Read()
	for _, w := range whole.Rows {
		t.Whole = &advice.Whole{Schema: string(w[0]), Name: string(w[1]), Rows: number(w[2]), Writes: number(w[3])}
	}
	return t, whole.Err
}
