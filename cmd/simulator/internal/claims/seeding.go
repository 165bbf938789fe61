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
	methods := []seed.Method{seed.Single, seed.MultiRow, seed.Copy}
	var took [2][3]time.Duration // directly and through PgJay
	for path, u := range []*url.URL{b.url, b.plain.URL(b.url)} {
		for i, m := range methods {
			var err error
			if took[path][i], err = b.loadContacts(ctx, u, loading{contacts, 1000, 1, m}); err != nil {
				return err
			}
		}
	}
	for i, m := range methods[1:] {
		direct, pgjay := batched{took[0][0], took[0][i+1]}, batched{took[1][0], took[1][i+1]}
		b.add(fmt.Sprintf("10,000 contacts 10 times faster in batches of 1,000, by %s (the client's doing)", m),
			fmt.Sprintf("on one connection, through PgJay %v; directly %v", pgjay, direct), pgjay.met())
	}
	last, err := b.loadContacts(ctx, b.plain.URL(b.url), loading{50_000, 5000, 2, seed.Copy})
	if err != nil {
		return err
	}
	b.add("50,000 contacts in 2 s", "through PgJay, by COPY on two connections: "+round(last).String(), last <= 2*time.Second)
	return nil
}

// batched is what the same rows take one by one and in batches.
type batched struct{ single, batch time.Duration }

func (b batched) met() bool { return faster(b.single.Seconds(), b.batch.Seconds(), 10) }

func (b batched) String() string {
	return fmt.Sprintf("one by one %v, in batches %v: %.1f times", round(b.single), round(b.batch), b.single.Seconds()/b.batch.Seconds())
}

// loading is how many contacts are loaded, and how.
type loading struct {
	contacts, batch, connections int
	method                       seed.Method
}

// loadContacts loads contacts into a database of their own, with nothing but primary
// keys.
func (b *bench) loadContacts(ctx context.Context, u *url.URL, l loading) (time.Duration, error) {
	database := servers.WithDatabase(b.url, "loading")
	if err := b.emptyContacts(ctx, database); err != nil {
		return 0, err
	}
	target := servers.WithDatabase(u, "loading")
	conns := make([]*pgx.Conn, l.connections) // made before the time counts
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
		n := l.contacts / l.connections
		part := seed.Rows{Table: b.options.Data.Contacts(), Tenant: 1, First: 1 + worker*n, Count: n, Batch: l.batch}
		group.Go(func() error { return part.Load(ctx, conn, l.method) })
	}
	err := group.Wait()
	return time.Since(begin), err
}

// emptyContacts makes the tables in a database of their own, which is made the
// first time.
func (b *bench) emptyContacts(ctx context.Context, u *url.URL) error {
	err := execute(ctx, u, crm.DropTables)
	if err != nil {
		if err := servers.CreateDatabase(ctx, u, servers.DatabaseOf(u)); err != nil {
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
