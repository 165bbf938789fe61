package proxy

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/pool"
)

// A tutor asks PostgreSQL what statements mean to a user, over a connection of its
// own that is closed when nobody has asked for a while. Any number of goroutines
// may use it; they are served one after the other.
type tutor struct {
	db  *database
	key pool.Key

	mu    sync.Mutex
	conn  *pgconn.PgConn // guarded by mu; nil: none
	idle  *time.Timer    // guarded by mu
	after time.Time      // guarded by mu; no login before
}

const (
	// lessonTimeout bounds one question.
	lessonTimeout = 5 * time.Second
	// tutorIdle is how long a tutor keeps its connection when nobody asks.
	tutorIdle = 30 * time.Second
	// tutorRetry is how long it waits after it could not log in.
	tutorRetry = 5 * time.Second
)

// errAway is why a tutor does not even try.
var errAway = errors.New("PostgreSQL could not be reached a moment ago")

// tutor returns the one of a pool's user.
func (db *database) tutor(k pool.Key) *tutor { return db.tutorAmong(db.tutors, k) }

// sampler returns a tutor that is asked what may take long.
func (db *database) sampler(k pool.Key) *tutor { return db.tutorAmong(db.samplers, k) }

func (db *database) tutorAmong(all map[pool.Key]*tutor, k pool.Key) *tutor {
	db.mu.Lock()
	defer db.mu.Unlock()
	t := all[k]
	if t == nil {
		t = &tutor{db: db, key: k}
		all[k] = t
	}
	return t
}

// closeTutors closes their connections.
func (db *database) closeTutors() {
	db.mu.Lock()
	tutors := slices.AppendSeq(slices.Collect(maps.Values(db.tutors)), maps.Values(db.samplers))
	db.mu.Unlock()
	for _, t := range tutors { // which may be busy for seconds
		t.close()
	}
}

// ask calls f with the connection. If that fails, and not because PostgreSQL refuses
// what it is asked, the connection is closed: what f has left there is not known.
func (t *tutor) ask(f func(context.Context, *pgconn.PgConn) error) error {
	return t.askFor(lessonTimeout, f)
}

// askFor is ask for at most so long. It waits for those who ask before.
func (t *tutor) askFor(timeout time.Duration, f func(context.Context, *pgconn.PgConn) error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	err := t.connect(ctx)
	if err == nil {
		err = f(ctx, t.conn)
	}
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Severity != "FATAL" { // and the transaction is over
		t.idle.Reset(tutorIdle)
		return err
	}
	if err != nil {
		t.closeLocked()
		t.db.log.Debug("the cache cannot ask about a statement", "database", t.key.Database, "user", t.key.User, "error", err)
		return err
	}
	t.idle.Reset(tutorIdle)
	return nil
}

// connect logs in, unless it is connected. The caller holds mu.
func (t *tutor) connect(ctx context.Context) (err error) {
	if t.conn != nil && !t.conn.IsClosed() {
		return nil
	}
	if time.Now().Before(t.after) {
		return errAway
	}
	if t.conn, err = t.db.pools.Connect(ctx, t.key); err != nil {
		t.conn, t.after = nil, time.Now().Add(tutorRetry)
		return err
	}
	t.idle = time.AfterFunc(tutorIdle, t.close)
	return nil
}

func (t *tutor) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closeLocked()
}

func (t *tutor) closeLocked() {
	if t.conn == nil {
		return
	}
	t.idle.Stop()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = t.conn.Close(ctx) // it is given up whatever the server says
	t.conn = nil
}

// standing asks about a signature; nil if there is no answer.
func (t *tutor) standing(sig *signature) (found *standing) {
	err := t.ask(func(ctx context.Context, conn *pgconn.PgConn) error {
		batch := &pgconn.Batch{}
		batch.ExecParams("BEGIN ISOLATION LEVEL READ COMMITTED", nil, nil, nil, nil)
		for _, p := range sig.settings {
			batch.ExecParams("SELECT pg_catalog.set_config($1, $2, true)", [][]byte{[]byte(p.Name), []byte(p.Value)}, nil, nil, nil)
		}
		batch.ExecParams(askStanding, nil, nil, nil, nil)
		results, err := conn.ExecBatch(ctx, batch).ReadAll()
		if err != nil {
			return errors.Join(err, conn.Exec(ctx, "ROLLBACK").Close())
		}
		row := results[len(results)-1].Rows[0]
		found = &standing{committed: string(row[0]) == "read committed", path: withoutTemporary(strings.Split(string(row[1]), "\x01"))}
		return conn.Exec(ctx, "ROLLBACK").Close()
	})
	if err != nil {
		return nil
	}
	return found
}

// askStanding is asked with the session's settings.
const askStanding = `SELECT pg_catalog.current_setting('default_transaction_isolation'), ` +
	`pg_catalog.array_to_string(pg_catalog.current_schemas(true), E'\x01')`

// awaitEnd returns when there is no backend with this process ID any more.
func (db *database) awaitEnd(pid uint32) {
	for wait := 10 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		there := true
		err := db.tutor(db.reader).ask(func(ctx context.Context, conn *pgconn.PgConn) error {
			r := conn.ExecParams(ctx, "SELECT pid FROM pg_catalog.pg_stat_get_activity($1)", [][]byte{strconv.AppendUint(nil, uint64(pid), 10)}, nil, nil, nil).Read()
			there = len(r.Rows) > 0
			return r.Err
		})
		if err == nil && !there {
			return
		}
		select {
		case <-db.done:
			return
		case <-time.After(wait):
		}
	}
}
