package claims

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgjay/pgjay/cmd/simulator/internal/crm"
	"github.com/pgjay/pgjay/cmd/simulator/internal/load"
	"github.com/pgjay/pgjay/cmd/simulator/internal/seed"
	"github.com/pgjay/pgjay/cmd/simulator/internal/servers"
	"github.com/pgjay/pgjay/pool/embedded"
)

// bench is one run: the servers, and the table so far.
type bench struct {
	options  Options
	table    *Table
	claim    string // that is being measured
	features servers.Features
	patience time.Duration // for what PgJay does in the background

	postgres *embedded.Server
	url      *url.URL // the database of the CRM
	archive  *url.URL // a database with one table of a million rows; nil before openArchive
	cached   *servers.PgJay
	plain    *servers.PgJay // all but the cache: answers come from PostgreSQL
}

// archiveRows is how long the table in archive is.
const archiveRows = 1_000_000

// open starts the servers and fills the databases.
func (b *bench) open(ctx context.Context) (err error) {
	if b.features, err = servers.AskFeatures(ctx, b.options.Program); err != nil {
		return err
	}
	if b.postgres, err = servers.Postgres(ctx); err != nil {
		return err
	}
	b.url = parse(b.postgres.URL("crm", servers.User))
	begin := time.Now()
	if err := b.fill(ctx); err != nil {
		return err
	}
	b.options.Say(fmt.Sprintf("%-16s %v", "(preparing)", time.Since(begin).Round(100*time.Millisecond)))
	return b.startBoth(ctx)
}

// startBoth starts the two PgJays.
func (b *bench) startBoth(ctx context.Context) (err error) {
	settings := b.settings()
	if b.plain, err = b.start(ctx, b.url, settings...); err != nil {
		return err
	}
	b.cached, err = b.start(ctx, b.url, append(settings, "cache.enabled=true")...)
	return err
}

// start starts a PgJay before a server. Settings of the user win.
func (b *bench) start(ctx context.Context, u *url.URL, settings ...string) (*servers.PgJay, error) {
	return servers.StartPgJay(ctx, b.options.Program, u, slices.Concat(settings, b.options.Settings)...)
}

// settings are all parts of PgJay but the cache.
func (b *bench) settings() []string {
	settings, _ := b.features.Rewriting()
	settings = slices.Concat(settings, b.features.Explaining("20ms")) // low, so that slow statements are quickly provoked
	if b.features.Has("monitor", "explain_superuser") {
		settings = append(settings, "monitor.explain_superuser=true", "monitor.explain_timeout=20s") // we are one, and nobody else is there
	}
	return settings
}

// rewrites says whether this PgJay can.
func (b *bench) rewrites() bool {
	on, _ := b.features.Rewriting()
	return on != nil
}

func (b *bench) fill(ctx context.Context) error {
	if err := servers.CreateDatabase(ctx, b.url, servers.DatabaseOf(b.url)); err != nil {
		return err
	}
	o := seed.Options{Data: b.options.Data, Method: seed.Copy, Batch: 5000, Indexes: crm.FullIndexes, Workers: 4}
	_, err := seed.Seed(ctx, b.url.String(), o)
	return err
}

// openArchive makes the database with the long table, for the first who asks.
func (b *bench) openArchive(ctx context.Context) (*url.URL, error) {
	if b.archive != nil {
		return b.archive, nil
	}
	u := servers.WithDatabase(b.url, "archive")
	if err := servers.CreateDatabase(ctx, u, servers.DatabaseOf(u)); err != nil {
		return nil, err
	}
	b.archive = u
	return u, execute(ctx, u, fmt.Sprintf(`
		create table archive (id bigint primary key, tenant_id bigint not null, happened_at timestamptz not null, subject text not null);
		insert into archive select i, i %% 20, timestamptz '2020-01-01Z' + i * interval '97 s', 'Conversation number ' || i
			from generate_series(1, %d) as i;
		create index on archive (happened_at desc, id desc);
		analyze archive;`, archiveRows))
}

func (b *bench) close() error {
	var errs []error
	for _, p := range []*servers.PgJay{b.cached, b.plain} {
		if p != nil {
			errs = append(errs, p.Close())
		}
	}
	if b.postgres != nil {
		errs = append(errs, b.postgres.Close())
	}
	return errors.Join(errs...)
}

// execute runs statements without parameters on a connection of their own.
func execute(ctx context.Context, u *url.URL, sql string) error {
	return seed.With(ctx, u.String(), func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol)
		return err
	})
}

// options of a load that is asked of a URL.
func loadOptions(u *url.URL, connect load.Connect) load.Options {
	return load.Options{URL: u.String(), Clients: 8, Connections: 8, Batch: 50, Connect: connect, Protocol: load.Extended}
}
