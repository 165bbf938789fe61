package seed

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/pgjay/pgjay/cmd/simulator/internal/crm"
)

// Each table has a comment that says whose it is: the mark. Only what has one is ever
// dropped. That of tenants says at the end what data there is.
const mark = "simulator: "

var (
	// ErrSeeded is returned where there are tables already.
	ErrSeeded = errors.New("this database has tables of the simulator already; --replace drops them first")
	// ErrForeign is returned where there are tables that somebody else has made.
	ErrForeign = errors.New("tables of these names, which the simulator has not made and leaves alone, are in this database")
	// ErrNotSeeded is returned where there is no data.
	ErrNotSeeded = errors.New("this database has no data of the simulator")
	// ErrUnfinished is returned where a seed has not come to its end.
	ErrUnfinished = errors.New("this database does not have all data of the simulator: seed has not come to its end")
)

// createTables makes them, with their marks, all or none.
func createTables(ctx context.Context, url string, replace bool) error {
	return With(ctx, url, func(conn *pgx.Conn) error {
		found, foreign, err := tables(ctx, conn)
		if err != nil {
			return err
		}
		sql := crm.CreateTables + marks()
		switch {
		case len(foreign) > 0:
			return fmt.Errorf("%s: %w: give another one", strings.Join(foreign, ", "), ErrForeign)
		case len(found) > 0 && !replace:
			return ErrSeeded
		case len(found) > 0:
			sql = crm.DropTables + ";" + sql
		}
		_, err = conn.Exec(ctx, sql) // one transaction, being one message
		return err
	})
}

// tables are those that are there, and of these the ones without a mark.
func tables(ctx context.Context, conn *pgx.Conn) (found, foreign []string, err error) {
	const query = `select array_agg(name), array_agg(name) filter (where not starts_with(coalesce(line, ''), $2))
		from unnest($1::text[]) as name, to_regclass(name) as t, obj_description(t, 'pg_class') as line where t is not null`
	err = conn.QueryRow(ctx, query, crm.TableNames(), mark).Scan(&found, &foreign)
	return found, foreign, err
}

// marks are statements that mark all tables as ours, and as not filled.
func marks() string {
	var b strings.Builder
	for _, table := range crm.TableNames() {
		fmt.Fprintf(&b, ";\ncomment on table %s is '%snot all data is here'", table, mark)
	}
	return b.String()
}

// sign writes into the database what it has, when it has all of it.
func sign(ctx context.Context, url string, d *crm.Data) error {
	return With(ctx, url, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "comment on table tenants is '"+d.Describe()+"'")
		return err
	})
}

// Find returns the data that a database has.
func Find(ctx context.Context, url string) (data *crm.Data, err error) {
	err = With(ctx, url, func(conn *pgx.Conn) error {
		var line *string
		if err := conn.QueryRow(ctx, "select obj_description(to_regclass('tenants'), 'pg_class')").Scan(&line); err != nil {
			return err
		}
		if line == nil || !strings.HasPrefix(*line, mark) {
			return ErrNotSeeded
		}
		if data, err = crm.Parse(*line); err != nil {
			return ErrUnfinished
		}
		return nil
	})
	return data, err
}
