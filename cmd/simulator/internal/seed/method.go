package seed

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/pgjay/pgjay/cmd/simulator/internal/crm"
)

// Method is how rows are loaded.
type Method string

// The methods.
const (
	Copy     Method = "copy"
	MultiRow Method = "multi-row"
	Single   Method = "single"
)

// ParseMethod reads one.
func ParseMethod(text string) (Method, error) {
	switch m := Method(text); m {
	case Copy, MultiRow, Single:
		return m, nil
	}
	return "", fmt.Errorf("there is no method %q; there are copy, multi-row and single", text)
}

// maxParameters is what one statement of the protocol can have.
const maxParameters = 65535

// Rows loads count rows of a tenant from number first on, batch of them at a
// time, and calls loaded after each batch.
type Rows struct {
	Table        crm.Table
	Tenant       int
	First, Count int
	Batch        int
	Loaded       func(rows int)
}

// Load loads them by one of the methods.
func (r Rows) Load(ctx context.Context, conn *pgx.Conn, m Method) error {
	size := r.Batch
	switch m {
	case MultiRow:
		size = min(size, maxParameters/len(r.Table.Columns))
	case Single:
		size = 1
	}
	load := r.copy
	if m != Copy {
		load = r.insert(size)
	}
	for at := 0; at < r.Count; at += size {
		n := min(size, r.Count-at)
		if err := load(ctx, conn, r.First+at, n); err != nil {
			return fmt.Errorf("table %s: %w", r.Table.Name, err)
		}
		if r.Loaded != nil {
			r.Loaded(n)
		}
	}
	return nil
}

func (r Rows) copy(ctx context.Context, conn *pgx.Conn, first, n int) error {
	rows := pgx.CopyFromSlice(n, func(i int) ([]any, error) { return r.Table.Row(r.Tenant, first+i), nil })
	_, err := conn.CopyFrom(ctx, pgx.Identifier{r.Table.Name}, r.Table.Columns, rows)
	return err
}

// insert returns what inserts up to size rows by one statement; the text for size rows is
// made once.
func (r Rows) insert(size int) func(ctx context.Context, conn *pgx.Conn, first, n int) error {
	full := r.Table.Insert(size)
	return func(ctx context.Context, conn *pgx.Conn, first, n int) error {
		args := make([]any, 0, n*len(r.Table.Columns))
		for i := range n {
			args = append(args, r.Table.Row(r.Tenant, first+i)...)
		}
		sql := full
		if n < size { // the last batch
			sql = r.Table.Insert(n)
		}
		_, err := conn.Exec(ctx, sql, args...)
		return err
	}
}
