package explain

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/pool"
)

// linkIdle is how long a connection is kept that is not used.
const linkIdle = 30 * time.Second

// maxLinks bounds the connections at any time.
const maxLinks = 2

// links are the Explainer's own connections, one for each user of a database. They
// belong to the goroutine of Run.
type links struct {
	open map[pool.Key]*link
}

type link struct {
	conn *pgconn.PgConn
	used time.Time
}

func newLinks() *links { return &links{open: make(map[pool.Key]*link)} }

// get returns a connection as a pool's user.
func (l *links) get(ctx context.Context, k pool.Key, connect Connect) (*pgconn.PgConn, error) {
	if known := l.open[k]; known != nil && !known.conn.IsClosed() {
		known.used = time.Now()
		return known.conn, nil
	}
	for len(l.open) >= maxLinks {
		l.drop(l.oldest())
	}
	conn, err := connect(ctx, k)
	if err != nil {
		return nil, err
	}
	l.open[k] = &link{conn, time.Now()}
	return conn, nil
}

func (l *links) oldest() (key pool.Key) {
	var at time.Time
	for k, known := range l.open {
		if at.IsZero() || known.used.Before(at) {
			key, at = k, known.used
		}
	}
	return key
}

// drop closes a connection.
func (l *links) drop(k pool.Key) {
	if known := l.open[k]; known != nil {
		delete(l.open, k)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = known.conn.Close(ctx) // it is given up whatever the server says
	}
}

func (l *links) closeIdle(now time.Time) {
	for k, known := range l.open {
		if now.Sub(known.used) >= linkIdle {
			l.drop(k)
		}
	}
}

func (l *links) close() {
	for k := range l.open {
		l.drop(k)
	}
}
