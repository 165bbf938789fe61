package catalog

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// Change says what has changed in the catalogs.
type Change struct {
	// Schema is set for definitions and for rights on objects: a GRANT is
	// written where the table is. Roles is set for roles, memberships, their
	// settings and the database's.
	Schema, Roles bool
	// Defaults is set when the settings of roles or of the database are among it:
	// what new connections start with. Roles is set, too.
	Defaults bool
	// Rewritten are relations whose rows are in another place, as TRUNCATE,
	// REFRESH MATERIALIZED VIEW and VACUUM FULL leave them. If that is all, the
	// snapshot stays.
	Rewritten []uint32
	// Loaded is false when the change was just detected, and true when the
	// Snapshot is the new one.
	Loaded bool
}

// Keeper keeps the current snapshot of a database. It has one goroutine and one
// connection.
type Keeper struct {
	connect func(ctx context.Context) (*pgconn.PgConn, error)
	poll    time.Duration
	changed func(Change)

	current atomic.Pointer[version]
	asked   atomic.Uint64 // the number of the last Refresh
	wake    chan struct{} // holds a token when there was a Refresh
	cancel  context.CancelFunc
	done    chan struct{}
	err     atomic.Pointer[error]

	// Owned by the goroutine.
	conn *pgconn.PgConn // nil: to be made
	last Fingerprint    // that of the current snapshot, of the latest moment
	// told is what was detected and told, and is not loaded; nil: nothing is.
	told   *Change
	rested time.Time // not before then is it loaded again
}

// version is a snapshot and the last Refresh before it was begun to be read.
type version struct {
	snapshot *Snapshot
	refresh  uint64
}

const (
	keeperTimeout = 30 * time.Second // of a login and of a load
	firstRetry    = 100 * time.Millisecond
	lastRetry     = 15 * time.Second
	// A question about changes may take one part in pollShare of the time.
	pollShare = 50
	loadShare = 10
)

// NewKeeper starts to keep a snapshot. connect makes a connection for it, as a
// role that needs no rights but to log in. Changes from outside are seen within
// about poll, or later where the catalogs are so large that to look takes more
// than a fiftieth of that.
//
// changed is called by the keeper's goroutine, which waits for it. It is called
// when a change is detected, so that nothing older is used; and for each
// snapshot but the first that is different, when Snapshot returns it: then all
// that was concluded from the one before is to be forgotten.
func NewKeeper(connect func(ctx context.Context) (*pgconn.PgConn, error), poll time.Duration, changed func(Change)) *Keeper {
	ctx, cancel := context.WithCancel(context.Background())
	k := &Keeper{connect: connect, poll: poll, changed: changed,
		wake: make(chan struct{}, 1), cancel: cancel, done: make(chan struct{})}
	go k.run(ctx)
	return k
}

// Snapshot returns the snapshot, nil as long as there is none.
func (k *Keeper) Snapshot() *Snapshot {
	if v := k.current.Load(); v != nil {
		return v.snapshot
	}
	return nil
}

// Refresh says that DDL was seen. The catalogs are read again soon; until then
// Snapshot is the old one. The ticket is for Fresh.
func (k *Keeper) Refresh() (ticket uint64) {
	ticket = k.asked.Add(1)
	select {
	case k.wake <- struct{}{}:
	default:
	}
	return ticket
}

// Fresh returns the snapshot if it was begun to be read after the Refresh that
// gave this ticket, else nil.
func (k *Keeper) Fresh(ticket uint64) *Snapshot {
	if v := k.current.Load(); v != nil && v.refresh >= ticket {
		return v.snapshot
	}
	return nil
}

// Err is why there is no current snapshot, or nil.
func (k *Keeper) Err() error {
	if err := k.err.Load(); err != nil {
		return *err
	}
	return nil
}

// Close ends the keeper, and waits for that.
func (k *Keeper) Close() {
	k.cancel()
	<-k.done
}

// run is the goroutine.
func (k *Keeper) run(ctx context.Context) {
	defer close(k.done)
	defer k.hangUp()
	for retry := firstRetry; ; {
		pause, err := k.step(ctx)
		wake := k.wake
		if err != nil {
			k.err.Store(&err)
			k.hangUp()
			pause, retry, wake = retry, min(2*retry, lastRetry), nil
		} else {
			k.err.Store(nil)
			retry = firstRetry
		}
		if !wait(ctx, jitter(pause), wake) {
			return
		}
	}
}

// wait reports whether to go on. A nil wake wakes nobody.
func wait(ctx context.Context, d time.Duration, wake <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-wake:
	case <-timer.C:
	}
	return true
}

// jitter keeps many keepers from asking at once.
func jitter(d time.Duration) time.Duration { return d - d/4 + rand.N(d/2+1) }

// step looks for changes, and loads if there are some or if somebody has said
// so. It returns how long to wait until the next one.
func (k *Keeper) step(ctx context.Context) (pause time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, keeperTimeout)
	defer cancel()
	if k.conn == nil {
		if err := k.dial(ctx); err != nil {
			return 0, err
		}
	}
	begun := time.Now()
	if v := k.current.Load(); v != nil && v.refresh == k.asked.Load() && k.told == nil {
		if err := k.look(ctx); err != nil {
			return 0, err
		}
		if k.told == nil {
			return max(k.poll, pollShare*time.Since(begun)), nil
		}
	}
	if early := k.rested.Sub(begun); early > 0 {
		return early, nil
	}
	return k.poll, k.load(ctx)
}

// dial makes the connection. What has happened since there was one before is
// not known: the server may have crashed, or be another one.
func (k *Keeper) dial(ctx context.Context) (err error) {
	if k.conn, err = k.connect(ctx); err != nil {
		return err
	}
	if k.current.Load() != nil {
		k.tell(Change{Schema: true, Roles: true, Defaults: true})
	}
	return prepareFingerprint(ctx, k.conn)
}

func (k *Keeper) hangUp() {
	if k.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = k.conn.Close(ctx) // nothing depends on its farewell
	k.conn = nil
}

// look asks whether the catalogs have changed.
func (k *Keeper) look(ctx context.Context) error {
	now, err := readFingerprint(ctx, k.conn, k.last)
	if err != nil {
		return err
	}
	c := now.since(k.last)
	if c.Schema || c.Roles {
		k.tell(c)
		return nil
	}
	k.last = now
	if len(c.Rewritten) > 0 {
		k.changed(c)
	}
	return nil
}

// tell says what was detected, before it is loaded.
func (k *Keeper) tell(c Change) {
	k.told = &c
	k.changed(c)
}

// load reads the catalogs, and tells if they are not what they were. It takes
// no more than one part in loadShare of the time: it has a snapshot meanwhile, which
// keeps VACUUM from tidying up.
func (k *Keeper) load(ctx context.Context) error {
	refresh, begun, first := k.asked.Load(), time.Now(), k.current.Load() == nil
	s, err := Load(ctx, k.conn)
	if err != nil {
		return err
	}
	var c Change
	if !first {
		c = s.Fingerprint.since(k.last)
	}
	if k.told != nil {
		c.Schema, c.Roles, c.Defaults = c.Schema || k.told.Schema, c.Roles || k.told.Roles, c.Defaults || k.told.Defaults
	}
	c.Loaded = true
	k.current.Store(&version{s, refresh})
	k.last, k.told, k.rested = s.Fingerprint, nil, time.Now().Add((loadShare-1)*time.Since(begun))
	if c.Schema || c.Roles || len(c.Rewritten) > 0 {
		k.changed(c)
	}
	return nil
}
