package proxy_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// pgxChecks are what an application does with pgx. They run directly and
// through the proxy.
var pgxChecks = map[string]func(context.Context, testing.TB, *pgx.Conn) error{
	"query modes": func(ctx context.Context, t testing.TB, c *pgx.Conn) error {
		for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe,
			pgx.QueryExecModeDescribeExec, pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol} {
			for n := range 3 {
				var sum int
				var text *string
				if err := c.QueryRow(ctx, "select $1::int + 1, $2::text", mode, n, nil).Scan(&sum, &text); err != nil || sum != n+1 || text != nil {
					return fmt.Errorf("mode %v: %d, %v, %w", mode, sum, text, err)
				}
			}
		}
		return nil
	},
	"nested transactions": func(ctx context.Context, t testing.TB, c *pgx.Conn) error {
		return pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, "create temp table nested (id int) on commit drop"); err != nil {
				return err
			}
			inner := pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error {
				_, err := tx.Exec(ctx, "insert into nested values (1/0)")
				return err
			})
			var pgErr *pgconn.PgError
			if !errors.As(inner, &pgErr) || pgErr.Code != "22012" {
				return fmt.Errorf("inner transaction: %w", inner)
			}
			_, err := tx.Exec(ctx, "insert into nested values ($1)", 2)
			return err
		})
	},
	"batch": func(ctx context.Context, t testing.TB, c *pgx.Conn) error {
		b := &pgx.Batch{}
		for n := range 50 {
			b.Queue("select $1::int * 2", n)
		}
		results := c.SendBatch(ctx, b)
		for n := range 50 {
			var got int
			if err := results.QueryRow().Scan(&got); err != nil || got != 2*n {
				return fmt.Errorf("%d of the batch: %d, %w", n, got, err)
			}
		}
		return results.Close()
	},
	"batch with an error": func(ctx context.Context, t testing.TB, c *pgx.Conn) error {
		b := &pgx.Batch{}
		b.Queue("select 1")
		b.Queue("select 1/0")
		b.Queue("select 2")
		if err := c.SendBatch(ctx, b).Close(); err == nil {
			return errors.New("no error")
		}
		return c.Ping(ctx)
	},
	"copy": func(ctx context.Context, t testing.TB, c *pgx.Conn) error {
		if _, err := c.Exec(ctx, "create temp table copied (id int, name text)"); err != nil {
			return err
		}
		n, err := c.CopyFrom(ctx, pgx.Identifier{"copied"}, []string{"id", "name"}, pgx.CopyFromSlice(5000, func(i int) ([]any, error) {
			return []any{i, fmt.Sprint("name ", i)}, nil
		}))
		if err != nil || n != 5000 {
			return fmt.Errorf("%d copied: %w", n, err)
		}
		_, err = c.Exec(ctx, "drop table copied")
		return err
	},
	"notification": func(ctx context.Context, t testing.TB, c *pgx.Conn) error {
		if _, err := c.Exec(ctx, "listen pgx_news"); err != nil {
			return err
		}
		if _, err := c.Exec(ctx, "notify pgx_news, 'hello'"); err != nil {
			return err
		}
		n, err := c.WaitForNotification(ctx)
		if err != nil || n.Payload != "hello" {
			return fmt.Errorf("%v: %w", n, err)
		}
		_, err = c.Exec(ctx, "unlisten *")
		return err
	},
	"large object": func(ctx context.Context, t testing.TB, c *pgx.Conn) error {
		return pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
			objects := tx.LargeObjects()
			id, err := objects.Create(ctx, 0)
			if err != nil {
				return err
			}
			o, err := objects.Open(ctx, id, pgx.LargeObjectModeWrite)
			if err != nil {
				return err
			}
			if _, err := o.Write([]byte("large")); err != nil {
				return err
			}
			return objects.Unlink(ctx, id)
		})
	},
	"cancelled context": func(ctx context.Context, t testing.TB, c *pgx.Conn) error {
		short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
		defer cancel()
		if _, err := c.Exec(short, "select pg_sleep(600)"); err == nil {
			return errors.New("pg_sleep ended by itself")
		}
		return nil // pgx has closed the connection
	},
	"many types": func(ctx context.Context, t testing.TB, c *pgx.Conn) error {
		var when time.Time
		var list []int
		var object map[string]any
		err := c.QueryRow(ctx, "select timestamptz '2024-02-29 12:00+00', array[1,2,3], '{\"a\": 1}'::jsonb").Scan(&when, &list, &object)
		if err != nil || len(list) != 3 || object["a"] != 1.0 || when.Year() != 2024 {
			return fmt.Errorf("%v %v %v: %w", when, list, object, err)
		}
		return nil
	},
}

func TestPgx(t *testing.T) {
	backend := plain(t)
	addresses := map[string]string{"directly": backend}
	for _, mode := range []pool.Mode{pool.ModeTransaction, pool.ModeSession} {
		addresses[string(mode)] = startProxy(t, backend, func(c *proxy.Config) { onlyOne(c); c.Pool.Mode = mode }).addr
	}
	for where, addr := range addresses {
		for name, check := range pgxChecks {
			t.Run(where+"/"+name, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(context.Background(), pgtest.Patience)
				defer cancel()
				c, err := pgx.Connect(ctx, "postgres://postgres@"+addr+"/postgres?sslmode=disable&application_name=pgx")
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close(ctx)
				if err := check(ctx, t, c); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// TestPgxClients has more connections at work than there are backends.
func TestPgxClients(t *testing.T) {
	p := startProxy(t, plain(t), nil)
	ctx, cancel := context.WithTimeout(context.Background(), pgtest.Patience)
	defer cancel()
	var working sync.WaitGroup
	for i := range 40 {
		working.Go(func() {
			if err := addManyTimes(ctx, p.url("sslmode=disable&default_query_exec_mode=cache_describe"), i); err != nil {
				t.Errorf("client %d: %v", i, err)
			}
		})
	}
	working.Wait()
}

func addManyTimes(ctx context.Context, url string, i int) error {
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	for n := range 20 {
		var got int
		err := pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
			return tx.QueryRow(ctx, "select $1::int + $2::int", i, n).Scan(&got)
		})
		if err != nil || got != i+n {
			return fmt.Errorf("%d + %d is %d: %w", i, n, got, err)
		}
	}
	return c.Close(ctx)
}
