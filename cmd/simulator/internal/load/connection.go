package load

import (
	"context"
	"errors"
	"hash/maphash"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// asker is what pgx's connections and pools have in common.
type asker interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// connections is what one client has. It is for one goroutine.
type connections struct {
	pool   *pgxpool.Pool // or nil
	config *pgx.ConnConfig
	conn   *pgx.Conn // nil before the first query and after the last of a batch
	batch  int       // queries of one connection
	asked  int       // on conn
}

// OpenPool makes the pool that all clients share, with all its connections open, for as
// many calls of Run as there are.
func OpenPool(ctx context.Context, o Options) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(o.URL)
	if err != nil {
		return nil, err
	}
	config.MaxConns = int32(o.Connections)
	config.ConnConfig.DefaultQueryExecMode = o.Protocol.mode()
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	opened := make([]*pgxpool.Conn, 0, o.Connections)
	defer func() {
		for _, conn := range opened {
			conn.Release()
		}
	}()
	for range o.Connections {
		conn, err := pool.Acquire(ctx)
		if err != nil {
			go pool.Close() // when those that are open have been released
			return nil, err
		}
		opened = append(opened, conn)
	}
	return pool, nil
}

// ask asks one query and reads its answer, into sum if that is not nil.
func (c *connections) ask(ctx context.Context, q Query, sum *maphash.Hash) error {
	if c.pool != nil {
		return answer(ctx, c.pool, q, sum)
	}
	if c.conn == nil {
		conn, err := pgx.ConnectConfig(ctx, c.config)
		if err != nil {
			return err
		}
		c.conn, c.asked = conn, 0
	}
	err := answer(ctx, c.conn, q, sum)
	if c.asked++; c.asked >= c.batch || c.conn.IsClosed() {
		err = errors.Join(err, c.close(ctx))
	}
	return err
}

func (c *connections) close(ctx context.Context) error {
	if c.conn == nil {
		return nil
	}
	conn := c.conn
	c.conn = nil
	return conn.Close(context.WithoutCancel(ctx))
}

// answer reads an answer. An error of PostgreSQL's is returned and is in the sum.
func answer(ctx context.Context, on asker, q Query, sum *maphash.Hash) error {
	rows, err := on.Query(ctx, q.SQL, q.Args...)
	if err != nil {
		return sumError(sum, err)
	}
	defer rows.Close()
	if sum != nil {
		for _, f := range rows.FieldDescriptions() {
			maphash.WriteComparable(sum, f)
		}
	}
	for rows.Next() {
		if sum != nil {
			sumRow(sum, rows.RawValues())
		}
	}
	if rows.Err() == nil && sum != nil {
		sum.WriteString(rows.CommandTag().String())
	}
	return sumError(sum, rows.Err())
}

// sumRow tells NULL from an empty value, and where one ends from where the next begins.
func sumRow(sum *maphash.Hash, values [][]byte) {
	for _, v := range values {
		length := len(v)
		if v == nil {
			length = -1
		}
		maphash.WriteComparable(sum, length)
		sum.Write(v)
	}
}

func sumError(sum *maphash.Hash, err error) error {
	var refused *pgconn.PgError
	if sum != nil && errors.As(err, &refused) {
		for _, part := range []string{refused.Severity, refused.Code, refused.Message, refused.Detail, refused.Hint, refused.InternalQuery,
			refused.Where, refused.SchemaName, refused.TableName, refused.ColumnName, refused.DataTypeName, refused.ConstraintName} {
			maphash.WriteComparable(sum, part)
		}
		maphash.WriteComparable(sum, [2]int32{refused.Position, refused.InternalPosition})
	}
	return err
}
