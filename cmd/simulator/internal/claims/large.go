package claims

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"

	"github.com/jackc/pgx/v5"

	"github.com/pgjay/pgjay/cmd/simulator/internal/seed"
	"github.com/pgjay/pgjay/cmd/simulator/internal/servers"
)

// row of the archive, as a client keeps it.
type row struct {
	id, tenant int64
	subject    string
}

const wholeArchive = "SELECT a.id, a.tenant_id, a.subject FROM archive AS a"

// largeResults: "in batches of 5,000: 80 % less memory".
func largeResults(ctx context.Context, b *bench) error {
	if !servers.ResetPeak(os.Getpid()) || !servers.ResetPeak(b.plain.PID()) {
		b.line("80 % less memory in batches of 5,000", "this system does not tell peaks of memory", NotAvailable)
		return nil
	}
	archive, err := b.openArchive(ctx)
	if err != nil {
		return err
	}
	var client, proxy [2]int64
	for i, read := range []func(context.Context, *pgx.Conn) (int, error){readAll, readBatches} {
		debug.FreeOSMemory()
		servers.ResetPeak(os.Getpid())
		servers.ResetPeak(b.plain.PID())
		_, clientBefore := servers.Peak(os.Getpid())
		_, proxyBefore := servers.Peak(b.plain.PID())
		err := seed.With(ctx, b.plain.URL(archive).String(), func(conn *pgx.Conn) error {
			n, err := read(ctx, conn)
			if err == nil && n != archiveRows {
				err = fmt.Errorf("%d rows came, not %d", n, archiveRows)
			}
			return err
		})
		if err != nil {
			return err
		}
		clientPeak, _ := servers.Peak(os.Getpid())
		proxyPeak, _ := servers.Peak(b.plain.PID())
		if clientPeak == 0 || proxyPeak == 0 {
			return errors.New("this system did not tell the peak of memory")
		}
		client[i], proxy[i] = clientPeak-clientBefore, proxyPeak-proxyBefore
	}
	b.add("80 % less memory in batches of 5,000 (the client's doing)", fmt.Sprintf("1,000,000 rows: the client takes %s at once and %s in batches (%.0f %% less)",
		mb(client[0]), mb(client[1]), 100-100*float64(client[1])/float64(client[0])), client[0] > 0 && client[1]*5 <= client[0])
	const enough = 16 << 20
	b.add("PgJay streams large results", fmt.Sprintf("it takes %s more at its peak for the rows at once, %s in batches", mb(proxy[0]), mb(proxy[1])),
		max(proxy[0], proxy[1]) < enough)
	return nil
}

func mb(bytes int64) string { return fmt.Sprintf("%.1f MB", float64(bytes)/(1<<20)) }

// readAll keeps all rows.
func readAll(ctx context.Context, conn *pgx.Conn) (int, error) {
	rows, err := conn.Query(ctx, wholeArchive)
	if err != nil {
		return 0, err
	}
	all, err := pgx.CollectRows(rows, scanRow)
	return len(all), err
}

// readBatches keeps 5,000 at a time.
func readBatches(ctx context.Context, conn *pgx.Conn) (n int, err error) {
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "DECLARE batches CURSOR FOR "+wholeArchive); err != nil {
			return err
		}
		var batch []row
		for {
			rows, err := tx.Query(ctx, "FETCH 5000 FROM batches")
			if err != nil {
				return err
			}
			batch, err = pgx.AppendRows(batch[:0], rows, scanRow)
			if err != nil || len(batch) == 0 {
				return err
			}
			n += len(batch)
		}
	})
	return n, err
}

func scanRow(from pgx.CollectableRow) (row, error) {
	var r row
	err := from.Scan(&r.id, &r.tenant, &r.subject)
	return r, err
}
