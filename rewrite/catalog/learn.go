package catalog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// Question is a statement to be learnt as a client's session would run it.
type Question struct {
	Text string
	// Types are those of the parameters, as in Parse; 0 is unknown.
	Types []uint32
	// Settings are those of the session: search_path, role, ... They are set
	// in this order.
	Settings []Setting
}

// Setting is a name and a value.
type Setting struct{ Name, Value string }

// Reading is what PostgreSQL said of a statement.
type Reading struct {
	// Relations are all that the plan was made over, through views, functions
	// in SQL and partitions. Indexes are not among them.
	Relations []uint32
	// Path is the search_path in effect: current_schemas(true).
	Path    []string
	Columns []ResultColumn
	Params  []uint32
}

// ResultColumn is a column of the result.
type ResultColumn struct {
	Name    string
	Type    uint32
	TypeMod int32
	// Table and Column are where it comes from; 0 if it is computed.
	Table  uint32
	Column int16
}

// learnTimeout bounds each statement of Learn on the server.
const learnTimeout = 2 * time.Second

const (
	learnName = "pgjay_learn" // of the prepared statement

	// The function that the view pg_locks calls takes no lock of its own.
	ownLocks = `SELECT pg_catalog.array_to_string(pg_catalog.array_agg(relation), ' '),
		pg_catalog.to_json(pg_catalog.current_schemas(true))
		FROM pg_catalog.pg_lock_status() l
		WHERE pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()
		AND locktype OPERATOR(pg_catalog.=) 'relation' AND mode OPERATOR(pg_catalog.=) 'AccessShareLock'`

	withoutIndexes = `SELECT oid FROM pg_catalog.pg_class
		WHERE oid OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.oid[]) AND relkind OPERATOR(pg_catalog.<>) ALL ('{i,I}'::pg_catalog."char"[]) ORDER BY oid`
)

// Learn asks PostgreSQL what a SELECT reads. It has the statement planned, in a
// transaction that is rolled back; nothing is left on conn, which may be used
// by nobody else meanwhile. The planner calls functions that are immutable, so
// the caller asks about statements only whose functions are not [Refused].
//
// Parameters are planned as unknown ("force_generic_plan"): with values, the
// planner could leave out relations that other values need.
func Learn(ctx context.Context, conn *pgconn.PgConn, q Question) (*Reading, error) {
	reading, err := learn(ctx, conn, q)
	if !conn.IsClosed() {
		err = errors.Join(err, forget(ctx, conn))
	}
	if err != nil {
		return nil, fmt.Errorf("learning a statement: %w", err)
	}
	return reading, nil
}

// forget takes back what learn has done, however far it came.
func forget(ctx context.Context, conn *pgconn.PgConn) error {
	_, err := conn.Exec(ctx, "ROLLBACK").ReadAll()
	return errors.Join(err, conn.Deallocate(ctx, learnName))
}

func learn(ctx context.Context, conn *pgconn.PgConn, q Question) (*Reading, error) {
	if _, err := conn.Exec(ctx, "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY").ReadAll(); err != nil {
		return nil, err
	}
	if err := setLocally(ctx, conn, q.Settings); err != nil {
		return nil, err
	}
	described, err := conn.Prepare(ctx, learnName, q.Text, q.Types)
	if err != nil {
		return nil, err
	}
	if _, err := conn.Exec(ctx, "EXPLAIN (COSTS OFF) EXECUTE "+learnName+nulls(len(described.ParamOIDs))).ReadAll(); err != nil {
		return nil, err
	}
	r := &Reading{Params: described.ParamOIDs}
	for _, f := range described.Fields {
		r.Columns = append(r.Columns, ResultColumn{f.Name, f.DataTypeOID, f.TypeModifier, f.TableOID, int16(f.TableAttributeNumber)})
	}
	if _, err := conn.Exec(ctx, "SET LOCAL client_encoding = 'UTF8'").ReadAll(); err != nil {
		return nil, err
	}
	return r, r.readLocks(ctx, conn)
}

func setLocally(ctx context.Context, conn *pgconn.PgConn, settings []Setting) error {
	settings = append(settings[:len(settings):len(settings)],
		Setting{"statement_timeout", strconv.FormatInt(learnTimeout.Milliseconds(), 10)},
		Setting{"plan_cache_mode", "force_generic_plan"})
	for _, s := range settings {
		_, err := conn.ExecParams(ctx, "SELECT pg_catalog.set_config($1, $2, true)",
			[][]byte{[]byte(s.Name), []byte(s.Value)}, nil, nil, nil).Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// nulls is a list of n arguments.
func nulls(n int) string {
	if n == 0 {
		return ""
	}
	return "(" + strings.Repeat("NULL,", n-1) + "NULL)"
}

// readLocks takes the relations from the locks of the transaction, of which
// planning has taken one on each.
func (r *Reading) readLocks(ctx context.Context, conn *pgconn.PgConn) error {
	locks := conn.ExecParams(ctx, ownLocks, nil, nil, nil, nil).Read()
	if locks.Err != nil {
		return locks.Err
	}
	if err := json.Unmarshal(locks.Rows[0][1], &r.Path); err != nil {
		return fmt.Errorf("current_schemas is %q: %w", locks.Rows[0][1], err)
	}
	list := "{" + strings.ReplaceAll(string(locks.Rows[0][0]), " ", ",") + "}"
	relations := conn.ExecParams(ctx, withoutIndexes, [][]byte{[]byte(list)}, nil, nil, nil).Read()
	for _, found := range relations.Rows {
		r.Relations = append(r.Relations, row(found).oid(0))
	}
	return relations.Err
}
