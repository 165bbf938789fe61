package seed

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/pgjay/pgjay/cmd/simulator/internal/crm"
)

// Options says how to load. There are no defaults.
type Options struct {
	Data    *crm.Data
	Method  Method
	Batch   int
	Indexes crm.Indexes
	Workers int  // connections; each loads one tenant's rows of one table at a time
	Replace bool // what an earlier seed has left
	Loaded  func(rows int)
	Stage   func(name string) // called when another stage begins
}

// Result is what was done.
type Result struct {
	Rows     int64
	Loading  time.Duration
	Indexing time.Duration
	Notes    []string // what could not be had, and why
}

// Seed makes the tables and fills them. url may be of PostgreSQL or of a proxy.
func Seed(ctx context.Context, url string, o Options) (Result, error) {
	if err := createTables(ctx, url, o.Replace); err != nil {
		return Result{}, err
	}
	o.stage("loading")
	begin := time.Now()
	if err := load(ctx, url, o); err != nil {
		return Result{}, err
	}
	result := Result{Rows: o.Data.Rows(), Loading: time.Since(begin)}
	o.stage("indexing")
	begin = time.Now()
	notes, err := index(ctx, url, o.Indexes)
	if err == nil {
		err = sign(ctx, url, o.Data)
	}
	result.Indexing, result.Notes = time.Since(begin), notes
	return result, err
}

func (o Options) stage(name string) {
	if o.Stage != nil {
		o.Stage(name)
	}
}

// load fills all tables, big tenants first.
func load(ctx context.Context, url string, o Options) error {
	jobs := make(chan Rows)
	group, ctx := errgroup.WithContext(ctx)
	for range o.Workers {
		group.Go(func() error {
			return With(ctx, url, func(conn *pgx.Conn) error {
				for rows := range jobs {
					if err := rows.Load(ctx, conn, o.Method); err != nil {
						return err
					}
				}
				return nil
			})
		})
	}
	group.Go(func() error {
		defer close(jobs)
		for tenant := 1; tenant <= o.Data.Tenants; tenant++ {
			for _, table := range o.Data.Tables() {
				first, count := table.Rows(tenant)
				rows := Rows{Table: table, Tenant: tenant, First: first, Count: count, Batch: o.Batch, Loaded: o.Loaded}
				select {
				case jobs <- rows:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
		}
		return nil
	})
	return group.Wait()
}

// index makes indexes and statistics. A server without trigrams is noted.
func index(ctx context.Context, url string, indexes crm.Indexes) (notes []string, err error) {
	err = With(ctx, url, func(conn *pgx.Conn) error {
		for _, sql := range indexes.Statements() {
			if _, err := conn.Exec(ctx, sql); err != nil {
				return fmt.Errorf("%s: %w", sql, err)
			}
		}
		if indexes == crm.FullIndexes {
			for _, sql := range crm.TrigramIndexes {
				if _, err := conn.Exec(ctx, sql); err != nil {
					notes = append(notes, "no trigram index: "+err.Error())
					break
				}
			}
		}
		_, err := conn.Exec(ctx, "vacuum analyze "+strings.Join(crm.TableNames(), ", "))
		return err
	})
	return notes, err
}

// Hash is of all rows of all tables, whatever their order on disk, and whatever the
// settings of server and user: they are hashed as text.
func Hash(ctx context.Context, url string) (string, error) {
	const settings = "set timezone = 'UTC'; set datestyle = 'ISO, MDY'"
	var parts []string
	err := With(ctx, url, func(conn *pgx.Conn) error {
		if _, err := conn.Exec(ctx, settings); err != nil {
			return err
		}
		for _, table := range crm.TableNames() {
			var part string
			sql := "select count(*) || ':' || coalesce(sum(hashtextextended(t::text, 0)), 0) from " + table + " as t"
			if err := conn.QueryRow(ctx, sql).Scan(&part); err != nil {
				return err
			}
			parts = append(parts, part)
		}
		return conn.QueryRow(ctx, "select md5($1)", strings.Join(parts, " ")).Scan(&parts[0])
	})
	if err != nil {
		return "", err
	}
	return parts[0], nil
}

// With calls use with a connection that is closed afterwards.
func With(ctx context.Context, url string, use func(*pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	return errors.Join(use(conn), conn.Close(context.WithoutCancel(ctx)))
}
