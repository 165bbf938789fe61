package explain

import (
	"context"
	"errors"
	"strconv"
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
		return nil, noLink{err}
	}
	l.open[k] = &link{conn, time.Now()}
	if left, _ := roomFor(ctx, conn); left < 1 {
		l.drop(k)
		return nil, noLink{errNoRoom}
	}
	return conn, nil
}

// release keeps a connection for what comes next, unless clients might want for it.
func (l *links) release(ctx context.Context, k pool.Key) {
	known := l.open[k]
	if known == nil {
		return
	}
	if left, limited := roomFor(ctx, known.conn); limited || left < spare {
		l.drop(k)
	}
}

// releaseAll does so with all of them.
func (l *links) releaseAll(ctx context.Context) {
	for k := range l.open {
		l.release(ctx, k)
	}
}

// spare is how many connections must be left on the server for one to be kept that is not used.
const spare = 10

// errNoRoom says that a connection would be the last one that its user may have.
var errNoRoom = errors.New("no connection is left for it")

// noLink is why there is no connection: nothing that the statement is to blame for.
type noLink struct{ error }

func (e noLink) Unwrap() error { return e.error }

// passes reports whether there may be a connection a little later, when others have gone or
// the server is there again.
func (e noLink) passes() bool {
	var refused *pgconn.PgError
	var unreached *pgconn.ConnectError
	switch {
	case errors.Is(e, errNoRoom):
		return true
	case errors.As(e, &refused):
		return refused.Code[:min(2, len(refused.Code))] == "53" || refused.Code == "57P03"
	}
	return errors.As(e, &unreached)
}

// askRoom asks how many connections are left to this user on this server, and whether the user
// or the database has a limit of its own. For superusers there is none. Of other users'
// processes nobody may know the kind: those of parallel queries count then.
const askRoom = `SELECT least(
		CASE WHEN r.rolconnlimit OPERATOR(pg_catalog.>=) 0 THEN r.rolconnlimit OPERATOR(pg_catalog.-) a.of_role END,
		CASE WHEN d.datconnlimit OPERATOR(pg_catalog.>=) 0 THEN d.datconnlimit OPERATOR(pg_catalog.-) a.of_database END,
		pg_catalog.current_setting('max_connections')::pg_catalog.int4 OPERATOR(pg_catalog.-) pg_catalog.current_setting('superuser_reserved_connections')::pg_catalog.int4
			OPERATOR(pg_catalog.-) coalesce(pg_catalog.current_setting('reserved_connections', true), '0')::pg_catalog.int4 OPERATOR(pg_catalog.-) a.of_all),
	r.rolconnlimit OPERATOR(pg_catalog.>=) 0 OR d.datconnlimit OPERATOR(pg_catalog.>=) 0
	FROM pg_catalog.pg_roles r, pg_catalog.pg_database d, LATERAL (SELECT pg_catalog.count(*) AS of_all,
		pg_catalog.count(*) FILTER (WHERE s.usesysid OPERATOR(pg_catalog.=) r.oid) AS of_role, pg_catalog.count(*) FILTER (WHERE s.datid OPERATOR(pg_catalog.=) d.oid) AS of_database
		FROM pg_catalog.pg_stat_activity s WHERE s.usesysid IS NOT NULL AND coalesce(s.backend_type, 'client backend') OPERATOR(pg_catalog.=) 'client backend') a
	WHERE r.rolname OPERATOR(pg_catalog.=) session_user AND d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database() AND NOT r.rolsuper`

// roomFor asks it. What cannot be asked is taken to be limited.
func roomFor(ctx context.Context, conn *pgconn.PgConn) (left int, limited bool) {
	r := conn.ExecParams(ctx, askRoom, nil, nil, nil, nil).Read()
	switch {
	case r.Err != nil:
		return spare, true
	case len(r.Rows) == 0:
		return spare, false
	}
	left, err := strconv.Atoi(string(r.Rows[0][0]))
	if err != nil {
		return spare, true
	}
	return left, string(r.Rows[0][1]) == "t"
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
