package proxy

import (
	"context"
	"strconv"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/rewrite"
	"github.com/pgjay/pgjay/rewrite/catalog"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// deepFindings are what is found out about a statement with a deep OFFSET.
type deepFindings struct {
	deep    *rewrite.Deep // nil: it is not one that can be got from bookmarks
	shallow string        // why not
	visible bool          // its rows can be found in an index first
}

// minVisible is the share of a table's pages that must be visible to all, so that an
// index alone tells what is there.
const minVisible = 0.8

// findDeep finds out whether pages can be got from bookmarks. What holds for all that
// is remembered has been checked.
func (q *inquiry) findDeep(reading *catalog.Reading) (f deepFindings) {
	text := q.statement.Text()
	paging, ok := sqlparse.ReadPaging(q.statement.Bytes())
	if !ok {
		return f
	}
	if q.signature.leavesAlone() {
		f.shallow = "pgjay.rewrite is off"
		return f
	}
	deep, why := rewrite.Offset(text, rewrite.Scope{Catalog: q.snapshot, Path: q.path}, &paging)
	if deep == nil {
		f.shallow = why
		return f
	}
	var probe *catalog.Reading
	var about tableFacts
	n := len(reading.Params)
	err := q.tutor.ask(func(ctx context.Context, conn *pgconn.PgConn) (err error) {
		types := append(append(reading.Params[:n:n], 0), int8OID)
		if probe, err = catalog.Learn(ctx, conn, catalog.Question{Text: deep.Probe(text, &paging, n, false), Types: types, Settings: q.signature.asked()}); err != nil {
			return err
		}
		if deep.Join {
			if _, err = catalog.Learn(ctx, conn, catalog.Question{Text: deep.Found(text, &paging), Types: reading.Params, Settings: q.signature.asked()}); err != nil {
				return err
			}
		}
		return about.ask(ctx, conn, deep)
	})
	if err != nil {
		f.shallow = "PostgreSQL does not plan it: " + err.Error()
		return f
	}
	if f.shallow = deep.Complete(reading, probe, about.deterministic); f.shallow != "" {
		return f
	}
	f.deep = deep
	f.visible = deep.Join && about.visible >= minVisible
	return f
}

// tableFacts are what is asked of the table and the collation of a leading key.
type tableFacts struct {
	visible       float64
	deterministic bool
}

func (t *tableFacts) ask(ctx context.Context, conn *pgconn.PgConn, d *rewrite.Deep) error {
	const sql = `SELECT c.relallvisible::pg_catalog.float8 OPERATOR(pg_catalog./) GREATEST(c.relpages, 1), ` +
		`COALESCE((SELECT collisdeterministic FROM pg_catalog.pg_collation o WHERE o.oid OPERATOR(pg_catalog.=) $2), true) ` +
		`FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) $1`
	args := [][]byte{strconv.AppendUint(nil, uint64(d.Table), 10), strconv.AppendUint(nil, uint64(d.Collation), 10)}
	r := conn.ExecParams(ctx, sql, args, []uint32{26, 26}, nil, nil).Read()
	if r.Err != nil || len(r.Rows) == 0 {
		return r.Err
	}
	t.visible, _ = strconv.ParseFloat(string(r.Rows[0][0]), 64)
	t.deterministic = string(r.Rows[0][1]) == "t"
	return nil
}
