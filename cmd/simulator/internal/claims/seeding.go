package claims

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/pgjay/pgjay/cmd/simulator/internal/crm"
	"github.com/pgjay/pgjay/cmd/simulator/internal/seed"
	"github.com/pgjay/pgjay/cmd/simulator/internal/servers"
)

// seeding: "10,000 contacts: 50 s one by one, 5 s in batches".
func seeding(ctx context.Context, b *bench) error {
	const contacts = 10_000
	var both [2]string
	var gains [2]float64
	for i, u := range []*url.URL{b.url, b.plain.URL(b.url)} {
		var took [3]time.Duration
		for i, m := range []seed.Method{seed.Single, seed.MultiRow, seed.Copy} {
			var err error
			if took[i], err = b.loadContacts(ctx, u, contacts, seed.Rows{Batch: 1000}, m); err != nil {
				return err
			}
		}
		gains[i] = took[0].Seconds() / min(took[1], took[2]).Seconds()
		both[i] = fmt.Sprintf("one by one %v, multi-row %v, COPY %v: %.0f times", round(took[0]), round(took[1]), round(took[2]), gains[i])
	}
	b.add("10,000 contacts 10 times faster by batches through PgJay", fmt.Sprintf("through PgJay %s; directly %s", both[1], both[0]), gains[1] >= 10)
	took, err := b.loadContacts(ctx, b.plain.URL(b.url), 50_000, seed.Rows{Batch: 5000}, seed.Copy)
	if err != nil {
		return err
	}
	b.add("50,000 contacts in 2 s", "through PgJay, by COPY on two connections: "+round(took).String(), took <= 2*time.Second)
	return nil
}

// loadContacts loads contacts into a database of their own, with nothing but primary
// keys, on two connections, or one for those that go one by one.
func (b *bench) loadContacts(ctx context.Context, u *url.URL, n int, rows seed.Rows, m seed.Method) (time.Duration, error) {
	database := servers.WithDatabase(b.url, "loading")
	if err := b.emptyContacts(ctx, database); err != nil {
		return 0, err
	}
	target := servers.WithDatabase(u, "loading")
	workers := 2
	if m == seed.Single {
		workers = 1
	}
	conns := make([]*pgx.Conn, workers) // made before the time counts
	for i := range conns {
		conn, err := pgx.Connect(ctx, target.String())
		if err != nil {
			return 0, err
		}
		defer conn.Close(context.WithoutCancel(ctx))
		conns[i] = conn
	}
	begin := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	for worker, conn := range conns {
		part := rows
		part.Table, part.Tenant = b.options.Data.Contacts(), 1
		part.First, part.Count = 1+worker*n/workers, n/workers
		group.Go(func() error { return part.Load(ctx, conn, m) })
	}
	err := group.Wait()
	return time.Since(begin), err
}

// emptyContacts makes the tables in a database of their own, which is made the
// first time.
func (b *bench) emptyContacts(ctx context.Context, u *url.URL) error {
	err := execute(ctx, u, crm.DropTables)
	if err != nil {
		if err := servers.CreateDatabase(ctx, u, servers.DatabaseOf(u), false); err != nil {
			return err
		}
	}
	return execute(ctx, u, crm.CreateTables)
}

func round(d time.Duration) time.Duration {
	if d < 10*time.Second {
		return d.Round(10 * time.Millisecond)
	}
	return d.Round(100 * time.Millisecond)
}
