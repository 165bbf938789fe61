package catalog

import (
	"context"
	"errors"
	"reflect"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/pool/embedded"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// keep keeps a snapshot of a database until the test ends, and waits for the
// first one. Changes come through the channel.
func keep(t *testing.T, url string, poll time.Duration) (*Keeper, <-chan Change) {
	t.Helper()
	changes := make(chan Change, 1000)
	connect := func(ctx context.Context) (*pgconn.PgConn, error) { return pgconn.Connect(ctx, url) }
	k := NewKeeper(connect, poll, func(c Change) { changes <- c })
	t.Cleanup(k.Close)
	await(t, "a snapshot", func() bool { return k.Snapshot() != nil })
	return k, changes
}

func await(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for deadline := time.Now().Add(pgtest.Patience); !cond(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// next returns the next change.
func next(t *testing.T, changes <-chan Change) Change {
	t.Helper()
	select {
	case c := <-changes:
		return c
	case <-time.After(pgtest.Patience):
		t.Fatal("waited in vain for a change")
		return Change{}
	}
}

const (
	often = time.Millisecond
	never = time.Hour
)

func (d *database) url() string { return pgtest.Server(d.t).URL(d.name, "postgres") }

func TestTrap53KeeperSeesChanges(t *testing.T) {
	d := newDatabase(t, "CREATE TABLE t (x int); CREATE ROLE tim")
	t.Cleanup(func() { d.run("DROP ROLE IF EXISTS tim") })
	k, changes := keep(t, d.url(), often)
	before := k.Snapshot()
	d.run("CREATE FUNCTION abs(text) RETURNS int LANGUAGE sql AS 'SELECT 1'")
	if c := next(t, changes); !reflect.DeepEqual(c, Change{Schema: true}) {
		t.Errorf("detected %+v", c)
	}
	if c := next(t, changes); !reflect.DeepEqual(c, Change{Schema: true, Loaded: true}) {
		t.Errorf("loaded %+v", c)
	}
	if p, _ := k.Snapshot().Function(public, []string{"abs"}); p != Refused {
		t.Errorf("abs is %v", p)
	}
	if p, _ := before.Function(public, []string{"abs"}); p != Pure {
		t.Errorf("abs was %v", p)
	}
	d.run("ALTER ROLE tim BYPASSRLS")
	if c := next(t, changes); !reflect.DeepEqual(c, Change{Roles: true}) {
		t.Errorf("detected %+v", c)
	}
	if c := next(t, changes); !reflect.DeepEqual(c, Change{Roles: true, Loaded: true}) {
		t.Errorf("loaded %+v", c)
	}
}

// TestTrap26KeeperSeesRewrites has a TRUNCATE from outside, which is no reason
// to forget what belongs to other relations.
func TestTrap26KeeperSeesRewrites(t *testing.T) {
	d := newDatabase(t, "CREATE TABLE t (x int); CREATE MATERIALIZED VIEW m AS SELECT 1")
	k, changes := keep(t, d.url(), often)
	s := k.Snapshot()
	for _, sql := range []string{"TRUNCATE t", "REFRESH MATERIALIZED VIEW m"} {
		name := sql[len(sql)-1:]
		d.run(sql)
		if c := next(t, changes); c.Schema || c.Roles || c.Loaded || list(s, c.Rewritten) != name {
			t.Errorf("%s is seen as %+v", sql, c)
		}
	}
	if k.Snapshot() != s {
		t.Error("the snapshot was loaded again")
	}
}

func TestKeeperRefresh(t *testing.T) {
	d := newDatabase(t, "CREATE TABLE t (x int)")
	k, changes := keep(t, d.url(), never)
	for _, column := range []string{"a", "b", "c"} {
		d.run("ALTER TABLE t ADD COLUMN " + column + " int")
		ticket := k.Refresh()
		await(t, "a fresh snapshot", func() bool { return k.Fresh(ticket) != nil })
		s := k.Fresh(ticket)
		if rel(t, s, "t").Column(column) == nil || s != k.Snapshot() || k.Fresh(ticket+1) != nil {
			t.Errorf("the snapshot after adding column %s is not fresh", column)
		}
		if c := next(t, changes); !reflect.DeepEqual(c, Change{Schema: true, Loaded: true}) {
			t.Errorf("loaded %+v", c)
		}
	}
	ticket := k.Refresh() // nothing has changed
	await(t, "a fresh snapshot", func() bool { return k.Fresh(ticket) != nil })
	if len(changes) > 0 {
		t.Errorf("%+v after nothing", <-changes)
	}
}

// TestKeeperCoalesces has many Refreshes become few loads.
func TestKeeperCoalesces(t *testing.T) {
	d := newDatabase(t, "")
	k, _ := keep(t, d.url(), never)
	var last uint64
	seen := map[*Snapshot]bool{}
	for range 100_000 {
		last = k.Refresh()
		seen[k.Snapshot()] = true
	}
	await(t, "a fresh snapshot", func() bool { return k.Fresh(last) != nil })
	if len(seen) > 1000 {
		t.Errorf("%d snapshots for 100,000 Refreshes", len(seen))
	}
}

// TestKeeperRests calls the steps itself: after a load, the next one has to
// wait for as long as that took.
func TestKeeperRests(t *testing.T) {
	d := newDatabase(t, "")
	k := &Keeper{connect: func(ctx context.Context) (*pgconn.PgConn, error) { return pgconn.Connect(ctx, d.url()) },
		poll: never, changed: func(Change) {}, wake: make(chan struct{}, 1)}
	defer k.hangUp()
	begun := time.Now()
	if _, err := k.step(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !k.rested.After(begun) {
		t.Errorf("it rests until %v", k.rested)
	}
	k.rested = time.Now().Add(time.Hour)
	s, ticket := k.Snapshot(), k.Refresh()
	if pause, err := k.step(t.Context()); err != nil || pause < time.Hour/2 || pause > time.Hour || k.Snapshot() != s {
		t.Errorf("paused for %v; %v", pause, err)
	}
	k.rested = time.Time{}
	if _, err := k.step(t.Context()); err != nil || k.Fresh(ticket) == nil {
		t.Errorf("not loaded; %v", err)
	}
}

func TestKeeperReconnects(t *testing.T) {
	s := pgtest.NewServer(t, embedded.Options{})
	k, changes := keep(t, s.URL("postgres", "postgres"), often)
	if err := s.Stop(embedded.Immediate); err != nil {
		t.Fatal(err)
	}
	await(t, "an error", func() bool { return k.Err() != nil })
	if k.Snapshot() == nil {
		t.Error("without a server there is no old snapshot")
	}
	if err := s.Restart(embedded.Immediate); err != nil {
		t.Fatal(err)
	}
	lost := Change{Schema: true, Roles: true, Defaults: true}
	if c := next(t, changes); !reflect.DeepEqual(c, lost) {
		t.Errorf("detected %+v", c)
	}
	lost.Loaded = true
	if c := next(t, changes); !reflect.DeepEqual(c, lost) {
		t.Errorf("loaded %+v", c)
	}
	await(t, "no error", func() bool { return k.Err() == nil })
}

// TestKeeperBacksOff has a keeper that cannot connect wait longer each time;
// Refresh does not make that shorter. Close does not wait for its pause.
func TestKeeperBacksOff(t *testing.T) {
	var tries atomic.Int32
	refused, begun := errors.New("refused"), time.Now()
	k := NewKeeper(func(context.Context) (*pgconn.PgConn, error) { tries.Add(1); return nil, refused }, often, func(Change) {})
	await(t, "tries", func() bool { k.Refresh(); return tries.Load() >= 3 })
	if k.Snapshot() != nil || !errors.Is(k.Err(), refused) {
		t.Errorf("snapshot %v, error %v", k.Snapshot(), k.Err())
	}
	k.Close()
	if n, took := tries.Load(), time.Since(begun); took < 3*firstRetry*3/4 {
		t.Errorf("%d tries in %v", n, took)
	}
}

func TestKeeperCloses(t *testing.T) {
	d := newDatabase(t, "")
	entered, canceled, release, closed := make(chan bool), make(chan bool), make(chan bool), make(chan bool)
	k := NewKeeper(func(ctx context.Context) (*pgconn.PgConn, error) {
		close(entered)
		<-ctx.Done()
		close(canceled)
		<-release
		return nil, ctx.Err()
	}, often, func(Change) {})
	<-entered
	go func() { k.Close(); close(closed) }()
	<-canceled
	for range 1000 {
		runtime.Gosched()
		select {
		case <-closed:
			t.Fatal("Close did not wait for the goroutine")
		default:
		}
	}
	close(release)
	<-closed
	other, _ := keep(t, d.url(), never)
	other.Close()
	await(t, "the end of its connection", func() bool {
		return d.run("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")[0] == "1"
	})
	if other.Snapshot() == nil {
		t.Error("a closed keeper has forgotten its snapshot")
	}
}
