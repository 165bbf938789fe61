package servers

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
)

// CreateDatabase makes a database on the server of u.
func CreateDatabase(ctx context.Context, u *url.URL, name string) error {
	return execute(ctx, u, "create database "+pgx.Identifier{name}.Sanitize())
}

// CopyDatabase makes a copy of the database that u names, under a name that has what in it
// and that nothing else can have, and returns it. Nobody else may be connected to the
// original then.
func CopyDatabase(ctx context.Context, u *url.URL, what string) (name string, err error) {
	name = "simulator_" + what + "_" + strings.ToLower(rand.Text())
	err = execute(ctx, u, "create database "+pgx.Identifier{name}.Sanitize()+" template "+pgx.Identifier{DatabaseOf(u)}.Sanitize())
	var refused *pgconn.PgError
	var unconnected *pgconn.ConnectError
	if err == nil || err == context.Cause(ctx) || errors.As(err, &refused) || errors.As(err, &unconnected) {
		return name, err
	}
	// The connection is lost, and the server may have made it all the same.
	return name, errors.Join(err, DropCopy(ctx, u, name))
}

// DropCopy removes what CopyDatabase has made, and those connected to it, also when ctx
// has ended.
func DropCopy(ctx context.Context, u *url.URL, name string) error {
	err := execute(context.WithoutCancel(ctx), u, "drop database if exists "+pgx.Identifier{name}.Sanitize()+" with (force)")
	if err != nil {
		return fmt.Errorf("%s, a copy of the database %s, may still be there, and can be dropped: %w", name, DatabaseOf(u), err)
	}
	return nil
}

// execute runs a statement in the database postgres, for those that are about
// other databases. When ctx ends it tells the server and waits for what that says: a
// server that is left alone completes the statement.
func execute(ctx context.Context, u *url.URL, sql string) error {
	const patience = time.Minute
	config, err := pgx.ParseConfig(WithDatabase(u, "postgres").String())
	if err != nil {
		return err
	}
	config.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: patience}
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, sql)
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == "57014" && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", sql, err)
	}
	return nil
}
