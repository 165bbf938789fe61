package compare

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgjay/pgjay/cmd/simulator/internal/load"
	"github.com/pgjay/pgjay/cmd/simulator/internal/servers"
)

// Path is a way to PostgreSQL that is measured.
type Path struct {
	Name    string `json:"name"`
	What    string `json:"what"`              // it is, in words
	Against string `json:"against,omitempty"` // the path that it is compared with
	Missing string `json:"missing,omitempty"` // why it is not measured, or ""

	direct   bool
	settings []string // of its PgJay
	advice   bool     // it has the indexes that PgJay advises
}

// Names of paths that others are compared with.
const (
	direct  = "direct"
	pooling = "pooling"
	all     = "PgJay"
)

// paths are those that a PgJay with these features can have.
func paths(f servers.Features) []Path {
	cache := []string{"cache.enabled=true"}
	rewriting, noRewriting := f.Rewriting()
	list := []Path{
		{Name: direct, What: "PostgreSQL without PgJay", direct: true},
		{Name: pooling, What: "PgJay, only pooling", Against: direct, settings: noRewriting},
		{Name: "cache", What: "pooling and the cache", Against: pooling, settings: slices.Concat(cache, noRewriting)},
		{Name: "rewriting", What: "pooling and rewriting", Against: pooling, settings: rewriting},
		{Name: "index advice", What: "pooling, with the indexes that PgJay advises", Against: pooling,
			settings: slices.Concat(noRewriting, f.Explaining("5ms")), advice: true},
		{Name: all, What: "pooling, cache and rewriting", Against: direct, settings: slices.Concat(cache, rewriting)},
	}
	if rewriting == nil {
		list[3].Missing = "this PgJay does not rewrite statements"
		list[5].What = "pooling and the cache"
	}
	return list
}

// unlike says how clients reach the server of u otherwise than they reach the PgJay before it,
// which is over TCP and without TLS; "" if they do not.
func unlike(ctx context.Context, u *url.URL) (string, error) {
	conn, err := pgx.Connect(ctx, u.String())
	if err != nil {
		return "", err
	}
	return unlikePgJay(conn.PgConn().Conn()), conn.Close(context.WithoutCancel(ctx))
}

func unlikePgJay(conn net.Conn) string {
	if _, ok := conn.(*tls.Conn); ok {
		return "Directly clients use TLS, to PgJay they do not: a part of the difference is that. With sslmode=disable in --dsn nobody does."
	}
	if conn.RemoteAddr().Network() == "unix" {
		return "Directly clients use a unix socket, to PgJay TCP: a part of the difference is that. With 127.0.0.1 in --dsn all use TCP."
	}
	return ""
}

// contender is a path that is open.
type contender struct {
	Path
	database string
	url      *url.URL
	pool     *pgxpool.Pool  // of all blocks; nil unless connections are pooled
	pgjay    *servers.PgJay // nil on the direct path
}

// open copies the database, under a name with suffix in it, and starts the PgJay of a
// path.
func (c *Comparer) open(ctx context.Context, p Path, suffix string) (*contender, error) {
	o := &contender{Path: p}
	var err error
	if o.database, err = servers.CopyDatabase(ctx, c.URL, suffix); err != nil {
		return nil, err
	}
	if err = c.connect(ctx, o); err != nil {
		return nil, errors.Join(err, c.shut(ctx, o))
	}
	return o, nil
}

// connect starts what leads to the copy.
func (c *Comparer) connect(ctx context.Context, o *contender) (err error) {
	o.url = servers.WithDatabase(c.URL, o.database)
	if !o.direct {
		if o.pgjay, err = servers.StartPgJay(ctx, c.Program, o.url, o.settings...); err != nil {
			return err
		}
		o.url = o.pgjay.URL(o.url)
	}
	if c.Load.Connect == load.Pooled {
		o.pool, err = load.OpenPool(ctx, o.load(c.Load))
	}
	return err
}

// load is how this path is asked.
func (o *contender) load(options load.Options) load.Options {
	options.URL, options.Pool = o.url.String(), o.pool
	return options
}

// shut ends what open has begun.
func (c *Comparer) shut(ctx context.Context, o *contender) error {
	var err error
	if o.pool != nil {
		o.pool.Close()
	}
	if o.pgjay != nil {
		err = o.pgjay.Close()
	}
	return errors.Join(err, servers.DropCopy(ctx, c.URL, o.database))
}

// Statements are those in rows of SHOW ADVICE that make an index as they are, without
// CONCURRENTLY: nobody else is there. What needs an extension, or a value to be filled in, is
// not among them.
func Statements(advised []map[string]any) []string {
	var all []string
	for _, row := range advised {
		sql, _ := row["ddl"].(string)
		extension, _ := row["extension"].(string)
		if strings.HasPrefix(sql, "CREATE INDEX ") && extension == "" && !strings.Contains(sql, "<value of the statement>") {
			all = append(all, strings.Replace(sql, "CONCURRENTLY ", "", 1))
		}
	}
	return all
}
