package servers

import (
	"context"
	"fmt"
	"net/url"

	"github.com/jackc/pgx/v5"

	"github.com/pgjay/pgjay/pool/embedded"
)

// User is the superuser of a throw-away PostgreSQL.
const User = "postgres"

// Postgres starts a throw-away PostgreSQL with room for the scenarios.
func Postgres(ctx context.Context) (*embedded.Server, error) {
	return embedded.Start(ctx, embedded.Options{Settings: map[string]string{
		"max_connections": "300",
		"shared_buffers":  "512MB",
		"max_wal_size":    "4GB",
		"autovacuum":      "off", // it would run beside one path and not the other
	}})
}

// CreateDatabase makes a database on the server of u, as a copy of the one that u
// names if that is asked for. Nobody else may be connected to it then.
func CreateDatabase(ctx context.Context, u *url.URL, name string, copied bool) error {
	sql := "create database " + pgx.Identifier{name}.Sanitize()
	if copied {
		sql += " template " + pgx.Identifier{DatabaseOf(u)}.Sanitize()
	}
	return execute(ctx, u, sql)
}

// DropDatabase removes one, and those connected to it.
func DropDatabase(ctx context.Context, u *url.URL, name string) error {
	return execute(ctx, u, "drop database if exists "+pgx.Identifier{name}.Sanitize()+" with (force)")
}

// execute runs a statement in the database postgres, for those that are about
// other databases.
func execute(ctx context.Context, u *url.URL, sql string) error {
	conn, err := pgx.Connect(ctx, WithDatabase(u, "postgres").String())
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err = conn.Exec(ctx, sql); err != nil {
		return fmt.Errorf("%s: %w", sql, err)
	}
	return nil
}
