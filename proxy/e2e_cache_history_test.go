package proxy_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/cache"
	"github.com/pgjay/pgjay/proxy"
)

// The contract of the cache (docs/caching.md, C1) against a real PostgreSQL: what
// clients read and write, as registers that are rows of tables, views, partitions and
// what triggers and cascades write, must be linearizable, while frames are late, backends
// are killed and the schema changes.

// registerSetup makes what the registers are in.
const registerSetup = `
	drop schema if exists reg cascade; create schema reg;
	create table reg.plain (id int primary key, v bigint not null);
	create view reg.looked as select id, v from reg.plain;
	create table reg.parted (id int, v bigint not null, primary key (id)) partition by range (id);
	create table reg.leaf0 partition of reg.parted for values from (0) to (2);
	create table reg.leaf1 partition of reg.parted for values from (2) to (100);
	create table reg.boss (id int primary key, v bigint not null unique);
	create table reg.staff (id int primary key, v bigint not null references reg.boss (v) on update cascade);
	create table reg.copied (id int primary key, v bigint not null);
	create function reg.copy() returns trigger language plpgsql as $$ begin update reg.copied set v = new.v where id = new.id; return new; end $$;
	create table reg.source (id int primary key, v bigint not null);
	create trigger copy after update on reg.source for each row execute function reg.copy();
	create function reg.put(i int, n bigint) returns void language plpgsql as $$ begin update reg.plain set v = n where id = i; end $$;
	insert into reg.plain select i, 0 from generate_series(0, 2) i;
	insert into reg.parted select i, 0 from generate_series(0, 2) i;
	insert into reg.boss select i, -i from generate_series(0, 2) i;
	insert into reg.staff select i, -i from generate_series(0, 2) i;
	insert into reg.copied select i, 0 from generate_series(0, 2) i;
	insert into reg.source select i, 0 from generate_series(0, 2) i`

// register is a kind of register: how it is read and written. $1 is the row, $2 the
// value. All its reads and all its writes are of one row.
type register struct {
	name    string
	initial func(row int) int64
	reads   []string
	writes  []string
}

func zero(int) int64 { return 0 }

var registersOfPostgres = []register{
	{"plain", zero,
		[]string{"select v from reg.plain where id = $1", "select v from reg.looked where id = $1", "select max(v) from reg.plain p where p.id = $1"},
		[]string{"update reg.plain set v = $2 where id = $1", "update reg.looked set v = $2 where id = $1",
			"with x as (update reg.plain set v = $2 where id = $1 returning v) select count(*) from x", "select reg.put($1, $2)",
			"insert into reg.plain values ($1, $2) on conflict (id) do update set v = excluded.v"}},
	{"parted", zero,
		[]string{"select v from reg.parted where id = $1", "select v from reg.leaf0 where id = $1 union all select v from reg.leaf1 where id = $1"},
		[]string{"update reg.parted set v = $2 where id = $1", "with a as (update reg.leaf0 set v = $2 where id = $1), b as (update reg.leaf1 set v = $2 where id = $1) select 1"}},
	{"staff", func(row int) int64 { return int64(-row) },
		[]string{"select v from reg.staff where id = $1", "select b.v from reg.boss b join reg.staff s using (v) where s.id = $1"},
		[]string{"update reg.boss set v = $2 where id = $1"}},
	{"copied", zero,
		[]string{"select v from reg.copied where id = $1", "select v from reg.source where id = $1"},
		[]string{"update reg.source set v = $2 where id = $1"}},
}

const registerRows = 2

type registerInput struct {
	register, row int
	write         bool
	value         int64
}

var postgresModel = porcupine.Model{
	Partition: func(history []porcupine.Operation) (parts [][]porcupine.Operation) {
		of := make(map[[2]int][]porcupine.Operation)
		for _, op := range history {
			in := op.Input.(registerInput)
			of[[2]int{in.register, in.row}] = append(of[[2]int{in.register, in.row}], op)
		}
		for _, part := range of {
			parts = append(parts, part)
		}
		return parts
	},
	Init: func() any { return int64(unset) },
	Step: func(state, input, output any) (bool, any) {
		in := input.(registerInput)
		if in.write {
			return true, in.value
		}
		now := state.(int64)
		if now == unset {
			now = registersOfPostgres[in.register].initial(in.row)
		}
		return output.(int64) == now, state
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprint(input, output) },
}

const unset = -1 << 40

// slow passes bytes on to PostgreSQL and back, some of them late.
func slow(t testing.TB, to string, rng *rand.Rand) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	pass := func(dst, src net.Conn, rng *rand.Rand) {
		defer dst.Close()
		buf := make([]byte, 32<<10)
		for {
			n, err := src.Read(buf)
			if rng.IntN(3) == 0 {
				<-time.After(time.Duration(rng.IntN(3000)) * time.Microsecond)
			}
			if n > 0 {
				if _, err := dst.Write(buf[:n]); err != nil {
					break
				}
			}
			if err != nil {
				break
			}
		}
		_, _ = io.Copy(io.Discard, src)
	}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", to)
			if err != nil {
				client.Close()
				continue
			}
			go pass(server, client, rand.New(rand.NewPCG(rng.Uint64(), 1)))
			go pass(client, server, rand.New(rand.NewPCG(rng.Uint64(), 2)))
		}
	}()
	return listener.Addr().String()
}

// history is what the clients of one run have seen.
type history struct {
	mu     sync.Mutex
	begun  time.Time
	ops    []porcupine.Operation
	values atomic.Int64
	hits   int
}

func (h *history) now() int64 { return int64(time.Since(h.begun)) }

func (h *history) add(op porcupine.Operation) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ops = append(h.ops, op)
}

// historian is one client.
type historian struct {
	*history
	id   int
	kind int // the register
	addr string
	rng  *rand.Rand
	conn *pgx.Conn
}

var execModes = []pgx.QueryExecMode{pgx.QueryExecModeSimpleProtocol, pgx.QueryExecModeCacheStatement, pgx.QueryExecModeExec}

func (c *historian) connect() bool {
	if c.conn != nil && !c.conn.IsClosed() {
		return true
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var err error
	c.conn, err = pgx.Connect(ctx, "postgres://postgres@"+c.addr+"/postgres?sslmode=disable")
	return err == nil
}

// play does n operations.
func (c *historian) play(n int) {
	for range n {
		if !c.connect() {
			continue
		}
		in := registerInput{register: c.kind, row: c.rng.IntN(registerRows), write: c.rng.IntN(15) == 0}
		op := porcupine.Operation{ClientId: c.id, Call: c.now()}
		var err error
		if in.write {
			in.value = c.values.Add(1)
			err = c.write(in)
		} else {
			op.Output, err = c.read(in)
		}
		op.Input, op.Return = in, c.now()
		switch {
		case err == nil:
		case in.write && !refusedWrite(err):
			op.Return = 1 << 60 // it may still happen
		default:
			continue
		}
		c.add(op)
	}
	if c.conn != nil {
		_ = c.conn.Close(context.Background())
	}
}

// refusedWrite reports whether PostgreSQL has said that a write was not done.
func refusedWrite(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && !strings.HasPrefix(e.Code, "57P0") && !strings.HasPrefix(e.Code, "08")
}

func (c *historian) read(in registerInput) (v int64, err error) {
	texts := registersOfPostgres[in.register].reads
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	text := texts[c.rng.IntN(len(texts))]
	if c.rng.IntN(6) == 0 { // the first statement of a transaction
		tx, err := c.conn.Begin(ctx)
		if err != nil {
			return 0, err
		}
		err = tx.QueryRow(ctx, text, execModes[c.rng.IntN(2)], in.row).Scan(&v)
		return v, errors.Join(err, tx.Rollback(ctx))
	}
	err = c.conn.QueryRow(ctx, text, execModes[c.rng.IntN(2)], in.row).Scan(&v)
	return v, err
}

func (c *historian) write(in registerInput) error {
	texts := registersOfPostgres[in.register].writes
	text, mode := texts[c.rng.IntN(len(texts))], execModes[c.rng.IntN(2)]
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if c.rng.IntN(3) > 0 {
		_, err := c.conn.Exec(ctx, text, mode, in.row, in.value)
		return err
	}
	tx, err := c.conn.Begin(ctx)
	if err != nil {
		return err
	}
	if _, err = tx.Exec(ctx, text, mode, in.row, in.value); err != nil {
		return errors.Join(err, tx.Rollback(ctx))
	}
	return tx.Commit(ctx)
}

// nemesis breaks things until stop is closed.
func nemesis(t *testing.T, addr, through string, rng *rand.Rand, stop <-chan struct{}) {
	ctx := context.Background()
	direct, err := pgx.Connect(ctx, "postgres://postgres@"+addr+"/postgres?sslmode=disable")
	if err != nil {
		t.Error(err)
		return
	}
	defer direct.Close(ctx)
	for {
		select {
		case <-stop:
			return
		case <-time.After(time.Duration(100+rng.IntN(400)) * time.Millisecond):
		}
		switch rng.IntN(3) {
		case 0:
			_, _ = direct.Exec(ctx, "select pg_terminate_backend(pid) from pg_stat_activity where application_name = '' and pid <> pg_backend_pid() order by random() limit 1")
		default:
			if conn, err := pgx.Connect(ctx, "postgres://postgres@"+through+"/postgres?sslmode=disable"); err == nil {
				storm := []string{"alter table reg.plain add column if not exists extra int", "alter table reg.plain drop column if exists extra",
					"create or replace view reg.looked as select id, v from reg.plain", "grant select on reg.plain to public", "revoke select on reg.plain from public"}
				_, _ = conn.Exec(ctx, "set lock_timeout = '100ms'; "+storm[rng.IntN(len(storm))])
				conn.Close(ctx)
			}
		}
	}
}

// playHistory plays one history and returns what was seen.
func playHistory(t *testing.T, seed uint64) *history {
	backend := plain(t)
	if err := observer(t, backend).Exec(registerSetup); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(seed, 7))
	p := startProxy(t, slow(t, backend, rng), func(c *proxy.Config) { withCache(c); c.Cache.Rules = []cache.Rule{{Cache: cache.Always}} })
	h := &history{begun: time.Now()}
	h.values.Store(1000)
	stop := make(chan struct{})
	var breaker, clients sync.WaitGroup
	if seed%2 == 1 {
		breaker.Go(func() { nemesis(t, backend, p.addr, rand.New(rand.NewPCG(seed, 8)), stop) })
	}
	for id := range 6 {
		c := &historian{history: h, id: id, kind: int(seed/2) % len(registersOfPostgres), addr: p.addr, rng: rand.New(rand.NewPCG(seed, uint64(id)))}
		clients.Go(func() { c.play(300) })
	}
	clients.Wait()
	close(stop)
	breaker.Wait()
	st := p.server.Cache().Stat()
	h.hits = int(st.Hits())
	return h
}

func TestCacheHistories(t *testing.T) {
	histories, hits := 8, 0
	if soak {
		histories = 200
	}
	for seed := range uint64(histories) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			h := playHistory(t, seed)
			result, info := porcupine.CheckOperationsVerbose(postgresModel, h.ops, time.Minute)
			if result != porcupine.Ok {
				t.Errorf("%s", result)
				_ = porcupine.VisualizePath(postgresModel, info, fmt.Sprintf("/tmp/history%d.html", seed))
			}
			t.Logf("%d operations, %d hits", len(h.ops), h.hits)
			hits += h.hits
		})
	}
	if hits == 0 {
		t.Error("nothing came from the cache")
	}
}
