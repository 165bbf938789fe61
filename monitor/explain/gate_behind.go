package explain

import (
	"context"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// askBehind asks for the texts that stand behind the relations with these names, in any
// schema: of views, and of the views that they read, and of the policies of all of these.
// EXPLAIN does not show all that these call: not what LIMIT, VALUES and the frames of
// windows are computed by. The checks of domains are among the texts, whoever uses them.
const askBehind = `WITH RECURSIVE behind (oid) AS (
	SELECT c.oid FROM pg_catalog.pg_class c WHERE c.relname OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[])
	UNION SELECT d.refobjid FROM behind b, pg_catalog.pg_rewrite r, pg_catalog.pg_depend d
	WHERE r.ev_class OPERATOR(pg_catalog.=) b.oid AND d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_rewrite'::pg_catalog.regclass
	AND d.objid OPERATOR(pg_catalog.=) r.oid AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass)
	SELECT pg_catalog.pg_get_viewdef(c.oid) FROM behind b, pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) b.oid AND c.relkind OPERATOR(pg_catalog.=) 'v'
	UNION ALL SELECT pg_catalog.pg_get_expr(p.polqual, p.polrelid) FROM behind b, pg_catalog.pg_policy p WHERE p.polrelid OPERATOR(pg_catalog.=) b.oid
	UNION ALL SELECT pg_catalog.pg_get_constraintdef(c.oid) FROM pg_catalog.pg_constraint c
	WHERE c.contypid OPERATOR(pg_catalog.<>) 0::pg_catalog.oid AND c.oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid`

// behind returns the names that may be called by what a statement reads and does not name
// itself.
func behind(ctx context.Context, conn *pgconn.PgConn, part *sqlparse.Part) (names []string, err error) {
	var relations []string
	for _, r := range part.Reads {
		relations = append(relations, r[len(r)-1])
	}
	r := conn.ExecParams(ctx, askBehind, [][]byte{textArray(relations)}, nil, nil, nil).Read()
	for _, row := range r.Rows {
		names = append(names, called(row[0])...)
	}
	return names, r.Err
}
