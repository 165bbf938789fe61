package rewrite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/rewrite/catalog"
)

// Ask calls a function with a connection that has the client's role, on which nothing
// is left when it returns.
type Ask func(func(ctx context.Context, conn *pgconn.PgConn) error) error

// Column is what RowDescription says of a column.
type Column struct {
	Name    string
	Type    uint32
	TypeMod int32
	// Table and Number are where it comes from; 0 if it is computed.
	Table  uint32
	Number uint16
}

// weight is what PostgreSQL says of a statement before it is run.
type weight struct {
	cost    float64
	columns []Column
	params  []uint32
}

const (
	weighName    = "pgjay_weigh" // of the prepared statement
	weighTimeout = 2 * time.Second
)

// weigh asks for the cost, the rows and the parameters of a statement, as the client's
// session would run it. That includes the role's rights on what it names.
func weigh(ask Ask, s *Subject, text string) (w weight, err error) {
	err = ask(func(ctx context.Context, conn *pgconn.PgConn) error {
		err := inTransaction(ctx, conn, "READ COMMITTED", s.Settings, weighTimeout, func() error {
			described, err := conn.Prepare(ctx, weighName, text, s.Types)
			if err != nil {
				return err
			}
			w.params = described.ParamOIDs
			for _, f := range described.Fields {
				w.columns = append(w.columns, Column{f.Name, f.DataTypeOID, f.TypeModifier, f.TableOID, f.TableAttributeNumber})
			}
			w.cost, err = cost(ctx, conn, len(w.params))
			return err
		})
		if conn.IsClosed() {
			return err
		}
		return errors.Join(err, conn.Deallocate(ctx, weighName))
	})
	return w, err
}

// inTransaction runs f with a session's settings, in a transaction that is rolled back.
func inTransaction(ctx context.Context, conn *pgconn.PgConn, isolation string, settings []catalog.Setting, limit time.Duration, f func() error) error {
	batch := &pgconn.Batch{}
	batch.ExecParams("BEGIN ISOLATION LEVEL "+isolation+" READ ONLY", nil, nil, nil, nil)
	settings = append(settings[:len(settings):len(settings)],
		catalog.Setting{Name: "statement_timeout", Value: strconv.FormatInt(limit.Milliseconds(), 10)},
		catalog.Setting{Name: "plan_cache_mode", Value: "force_generic_plan"})
	for _, p := range settings {
		batch.ExecParams("SELECT pg_catalog.set_config($1, $2, true)", [][]byte{[]byte(p.Name), []byte(p.Value)}, nil, nil, nil)
	}
	err := conn.ExecBatch(ctx, batch).Close()
	if err == nil {
		err = f()
	}
	if conn.IsClosed() {
		return err
	}
	return errors.Join(err, conn.Exec(ctx, "ROLLBACK").Close())
}

// cost is what PostgreSQL estimates for the prepared statement.
func cost(ctx context.Context, conn *pgconn.PgConn, params int) (float64, error) {
	arguments := ""
	if params > 0 {
		arguments = "(" + strings.Repeat("NULL,", params-1) + "NULL)"
	}
	results, err := conn.Exec(ctx, "EXPLAIN (FORMAT JSON) EXECUTE "+weighName+arguments).ReadAll()
	if err != nil {
		return 0, err
	}
	var plans []struct {
		Plan struct {
			Total float64 `json:"Total Cost"`
		}
	}
	if len(results) != 1 || len(results[0].Rows) != 1 {
		return 0, errors.New("EXPLAIN has no answer")
	}
	if err := json.Unmarshal(results[0].Rows[0][0], &plans); err != nil || len(plans) != 1 {
		return 0, fmt.Errorf("EXPLAIN answers %q: %w", results[0].Rows[0][0], err)
	}
	return plans[0].Plan.Total, nil
}

// differs says in what the client could tell two statements apart before they are run;
// empty: in nothing, but for where columns come from.
func (w *weight) differs(other *weight) string {
	if len(w.params) != len(other.params) {
		return fmt.Sprintf("it has %d parameters, not %d", len(other.params), len(w.params))
	}
	for i, oid := range w.params {
		if other.params[i] != oid {
			return fmt.Sprintf("the type of $%d is another one", i+1)
		}
	}
	if len(w.columns) != len(other.columns) {
		return fmt.Sprintf("it has %d columns, not %d", len(other.columns), len(w.columns))
	}
	for i, c := range w.columns {
		d := other.columns[i]
		switch {
		case c.Name != d.Name:
			return fmt.Sprintf("column %d is called %q, not %q", i+1, d.Name, c.Name)
		case c.Type != d.Type || c.TypeMod != d.TypeMod:
			return "column " + c.Name + " has another type"
		}
	}
	return ""
}

// origins are where the columns come from, if that is not what another statement says.
func (w *weight) origins(other *weight) []Column {
	for i, c := range w.columns {
		if c.Table != other.columns[i].Table || c.Number != other.columns[i].Number {
			return w.columns
		}
	}
	return nil
}
