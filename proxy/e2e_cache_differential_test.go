package proxy_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Many reads under writes, each compared with what PostgreSQL had to say: each row has
// a version that its one writer counts up, and what is read must be one that the row had
// at some moment between the request and its reply. That is not older than what was
// acknowledged, or seen by anybody, through the proxy or directly, before the request; and
// not newer than what was begun before the reply. Where two rows change in one
// transaction, they must have the same version.

// diffSetup makes the tables. All have a body that follows from the version.
const diffSetup = `
	drop schema if exists diff cascade; create schema diff;
	create table diff.plain (id int primary key, v bigint not null, body text generated always as (v::text || ':' || repeat('x', (v % 50)::int)) stored);
	create view diff.looked as select id, body from diff.plain;
	create table diff.left (like diff.plain including all); create table diff.right (like diff.plain including all);
	create table diff.parted (id int, v bigint not null, body text generated always as (v::text || ':' || repeat('x', (v % 50)::int)) stored, primary key (id)) partition by range (id);
	create table diff.leaf0 partition of diff.parted for values from (0) to (4);
	create table diff.leaf1 partition of diff.parted for values from (4) to (100);
	create table diff.boss (id int primary key, v bigint not null, unique (id, v));
	create table diff.staff (id int primary key, v bigint not null, body text generated always as (v::text || ':' || repeat('x', (v % 50)::int)) stored,
		foreign key (id, v) references diff.boss (id, v) on update cascade);
	create table diff.copied (like diff.plain including all);
	create table diff.source (id int primary key, v bigint not null);
	create function diff.copy() returns trigger language plpgsql as $$ begin update diff.copied set v = new.v where id = new.id; return new; end $$;
	create trigger copy after update on diff.source for each row execute function diff.copy();
	create function diff.put(i int, n bigint) returns void language plpgsql as $$ begin update diff.plain set v = n where id = i; end $$;
	create table diff.emptied (like diff.plain including all)`

// diffTables are filled with rows of version 0, those that others refer to first.
var diffTables = []string{"plain", "left", "right", "parted", "boss", "staff", "copied", "source", "emptied"}

// diffRows are the rows of a kind, from 0.
const diffRows = 3

// diffKind is what one writer writes. $1 is the row, $2 the version. What is read is a
// body, or several with | between them. A write with a semicolon is several statements of
// one transaction. lock reads the version when the writer is gone.
type diffKind struct {
	name          string
	reads, writes []string
	lock          string
}

var diffKinds = []diffKind{
	{"plain",
		[]string{"select body from diff.plain where id = $1", "select body from diff.looked where id = $1", "select max(p.body) from diff.plain p where p.id = $1"},
		[]string{"update diff.plain set v = $2 where id = $1", "select diff.put($1, $2)", "insert into diff.plain values ($1, $2) on conflict (id) do update set v = excluded.v",
			"with x as (update diff.plain set v = $2 where id = $1 returning v) select count(*) from x"},
		"select v from diff.plain where id = $1 for update"},
	{"pair",
		[]string{"select l.body || '|' || r.body from diff.left l join diff.right r using (id) where id = $1", "select body from diff.left where id = $1",
			"select string_agg(body, '|') from (select body from diff.left where id = $1 union all select body from diff.right where id = $1) x"},
		[]string{"with x as (update diff.left set v = $2 where id = $1) update diff.right set v = $2 where id = $1"},
		"select v from diff.right where id = $1 for update"},
	{"parted",
		[]string{"select body from diff.parted where id = $1", "select body from diff.leaf0 where id = $1 union all select body from diff.leaf1 where id = $1"},
		[]string{"update diff.parted set v = $2 where id = $1", "with a as (update diff.leaf0 set v = $2 where id = $1), b as (update diff.leaf1 set v = $2 where id = $1) select 1"},
		"select v from diff.parted where id = $1 for update"},
	{"staff", []string{"select body from diff.staff where id = $1"}, []string{"update diff.boss set v = $2 where id = $1"}, "select v from diff.boss where id = $1 for update"},
	{"copied", []string{"select body from diff.copied where id = $1"}, []string{"update diff.source set v = $2 where id = $1"}, "select v from diff.source where id = $1 for update"},
	{"emptied", []string{"select body from diff.emptied where id = $1"}, []string{"delete from diff.emptied where id = $1; insert into diff.emptied values ($1, $2)"},
		"select v from diff.emptied where id = $1 for update"},
}

func diffBody(v int64) string { return fmt.Sprintf("%d:%s", v, strings.Repeat("x", int(v%50))) }

// diffRow is what is known of a row.
type diffRow struct{ begun, acknowledged, seen atomic.Int64 }

func (r *diffRow) see(v int64) {
	for old := r.seen.Load(); v > old && !r.seen.CompareAndSwap(old, v); old = r.seen.Load() {
	}
}

// diffRun is one run.
type diffRun struct {
	t       *testing.T
	through string
	direct  string
	rows    [][diffRows]diffRow // by kind
	reads   atomic.Int64        // still to be done
	due     []chan struct{}     // a write of the kind is
	trouble chan struct{}       // so is some disaster
	writes  atomic.Int64
	ctx     context.Context
}

// diffClient is a client of a run.
type diffClient struct {
	*diffRun
	addr string
	conn *pgx.Conn
	rng  *rand.Rand
}

func (r *diffRun) client(addr string, seed uint64) *diffClient {
	return &diffClient{diffRun: r, addr: addr, rng: rand.New(rand.NewPCG(seed, 11))}
}

func (c *diffClient) connect() bool {
	if c.conn != nil && !c.conn.IsClosed() {
		return true
	}
	var err error
	c.conn, err = pgx.Connect(c.ctx, "postgres://postgres@"+c.addr+"/postgres?sslmode=disable")
	return err == nil
}

func (c *diffClient) close() {
	if c.conn != nil {
		_ = c.conn.Close(context.Background())
	}
}

// readAll reads until enough has been read, of all kinds.
func (c *diffClient) readAll() {
	defer c.close()
	for n := c.reads.Add(-1); n >= 0 && c.ctx.Err() == nil && !c.t.Failed(); n = c.reads.Add(-1) {
		kind, row := int(n/256)%len(diffKinds), int(n/2048)%diffRows // what most ask for now
		if n%40 == 0 {
			call(c.due[kind])
		}
		if n%2000 == 0 {
			call(c.trouble)
		}
		if c.rng.IntN(5) == 0 {
			kind, row = c.rng.IntN(len(diffKinds)), c.rng.IntN(diffRows)
		}
		of := &c.rows[kind][row]
		oldest := max(of.acknowledged.Load(), of.seen.Load())
		body, text, err := c.read(&diffKinds[kind], row)
		if err != nil {
			continue
		}
		newest := of.begun.Load()
		v, _ := strconv.ParseInt(body[:max(0, strings.IndexByte(body, ':'))], 10, 64)
		for part := range strings.SplitSeq(body, "|") {
			if v < oldest || v > newest || part != diffBody(v) {
				c.t.Errorf("%s of row %d at %s is %q; it was of a version from %d to %d", text, row, c.addr, body, oldest, newest)
			}
		}
		of.see(v)
	}
}

// call wakes who reads from a channel with room for one, if he is not awake.
func call(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (c *diffClient) read(kind *diffKind, row int) (body, text string, err error) {
	text = kind.reads[c.rng.IntN(len(kind.reads))]
	if !c.connect() {
		return "", text, errors.New("no connection")
	}
	mode := execModes[c.rng.IntN(2)]
	if c.rng.IntN(10) > 0 {
		err = c.conn.QueryRow(c.ctx, text, mode, row).Scan(&body)
		return body, text, err
	}
	tx, err := c.conn.Begin(c.ctx)
	if err != nil {
		return "", text, err
	}
	err = tx.QueryRow(c.ctx, text, mode, row).Scan(&body)
	return body, text, errors.Join(err, tx.Rollback(c.ctx))
}

// writeAll writes rows of a kind when that is due.
func (c *diffClient) writeAll(kind int) {
	defer c.close()
	for range c.due[kind] {
		row := c.rng.IntN(diffRows)
		of := &c.rows[kind][row]
		v := of.begun.Load() + 1
		if c.rng.IntN(8) == 0 {
			c.write(&diffKinds[kind], row, v+1e9, false) // which nobody may see
			continue
		}
		of.begun.Store(v)
		if !c.write(&diffKinds[kind], row, v, true) && !c.resolve(&diffKinds[kind], row, &v) {
			return
		}
		of.acknowledged.Store(v)
		c.writes.Add(1)
	}
}

// write reports whether it is known that the version was written, or that it was not
// without commit.
func (c *diffClient) write(kind *diffKind, row int, v int64, commit bool) bool {
	if !c.connect() {
		return false
	}
	mode, text := execModes[c.rng.IntN(len(execModes))], kind.writes[c.rng.IntN(len(kind.writes))]
	if commit && !strings.Contains(text, ";") && c.rng.IntN(3) > 0 {
		_, err := c.conn.Exec(c.ctx, text, mode, row, v)
		return err == nil
	}
	tx, err := c.conn.Begin(c.ctx)
	if err != nil {
		return false
	}
	for part := range strings.SplitSeq(text, "; ") {
		args := []any{mode, row, v}
		if !strings.Contains(part, "$2") {
			args = args[:2]
		}
		_, failed := tx.Exec(c.ctx, part, args...)
		err = errors.Join(err, failed)
	}
	if err != nil || !commit {
		return errors.Join(tx.Rollback(c.ctx), err) == nil
	}
	return tx.Commit(c.ctx) == nil
}

// resolve asks PostgreSQL what has become of a write.
func (c *diffClient) resolve(kind *diffKind, row int, v *int64) bool {
	conn, err := pgx.Connect(c.ctx, "postgres://postgres@"+c.direct+"/postgres?sslmode=disable")
	if err != nil {
		return false
	}
	defer conn.Close(context.Background())
	return conn.QueryRow(c.ctx, kind.lock, row).Scan(v) == nil
}

// disturb ends backends and changes the schema, when that is due.
func (c *diffClient) disturb() {
	defer c.close()
	direct := c.client(c.direct, 0)
	defer direct.close()
	for range c.trouble {
		if c.rng.IntN(16) == 0 && c.connect() {
			storm := []string{"alter table diff.plain add column if not exists extra int", "alter table diff.plain drop column if exists extra",
				"create or replace view diff.looked as select id, body from diff.plain", "grant select on diff.plain to public", "revoke select on diff.plain from public"}
			_, _ = c.conn.Exec(c.ctx, "set lock_timeout = '100ms'; "+storm[c.rng.IntN(len(storm))]+"; reset lock_timeout", pgx.QueryExecModeSimpleProtocol)
		} else if direct.connect() {
			_, _ = direct.conn.Exec(c.ctx, "select pg_terminate_backend(pid) from pg_stat_activity where query like '%diff.%' and pid <> pg_backend_pid() order by random() limit 1")
		}
	}
}

// playDifferential reads n times under writes: through the proxy, and one client
// directly. With rough, frames are late, backends are killed and the schema changes.
func playDifferential(t *testing.T, n int, rough bool, seed uint64) {
	backend := plain(t)
	admin := observer(t, backend)
	if err := admin.Exec(diffSetup); err != nil {
		t.Fatal(err)
	}
	for _, table := range diffTables {
		if err := admin.Exec(fmt.Sprintf("insert into diff.%s select i, 0 from generate_series(0, %d) i", table, diffRows-1)); err != nil {
			t.Fatal(err)
		}
	}
	server := backend
	if rough {
		server = slow(t, backend, rand.New(rand.NewPCG(seed, 7)))
	}
	p := startProxy(t, server, withCache)
	warm := dial(t, p.addr)
	cached(t, p, warm, "select 1 from diff.plain")
	answerOf(t, warm, "select diff.put(0, 0)") // the first function may have done anything
	cached(t, p, warm, "select 1 from diff.plain")
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	defer cancel()
	r := &diffRun{t: t, through: p.addr, direct: backend, rows: make([][diffRows]diffRow, len(diffKinds)), due: make([]chan struct{}, len(diffKinds)), trouble: make(chan struct{}, 1), ctx: ctx}
	r.reads.Store(int64(n))
	var readers, others sync.WaitGroup
	for kind := range diffKinds {
		r.due[kind] = make(chan struct{}, 1)
		others.Go(func() { r.client(p.addr, seed<<8+uint64(kind)).writeAll(kind) })
	}
	if rough {
		others.Go(func() { r.client(p.addr, seed<<8+99).disturb() })
	}
	for i, addr := range []string{p.addr, p.addr, p.addr, p.addr, p.addr, backend} {
		readers.Go(func() { r.client(addr, seed<<8+100+uint64(i)).readAll() })
	}
	readers.Wait()
	close(r.trouble)
	for _, due := range r.due {
		close(due)
	}
	others.Wait()
	st := p.server.Cache().Stat()
	t.Logf("%d reads, %d writes, %d hits", n, r.writes.Load(), st.Hits())
	if int(st.Hits()) < n/50 || r.writes.Load() < int64(n/1000) {
		t.Errorf("of %d reads %d came from the cache, beside %d writes", n, st.Hits(), r.writes.Load())
	}
}

func TestCacheDifferential(t *testing.T) {
	rounds, each := 2, 8000
	if soak {
		rounds, each = 20, 50_000
	}
	for round := range rounds {
		t.Run(fmt.Sprint(round), func(t *testing.T) { playDifferential(t, each, round%2 == 1, uint64(round)) })
	}
}
