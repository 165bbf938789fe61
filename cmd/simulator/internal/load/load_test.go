package load

import (
	"context"
	"errors"
	"hash/maphash"
	"io"
	"math/rand/v2"
	"net"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/cmd/simulator/internal/crm"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func workload(t *testing.T, scenario string, only ...Pattern) *Workload {
	t.Helper()
	s, err := crm.FindScenario(scenario)
	if err != nil {
		t.Fatal(err)
	}
	return New(crm.New(s, 1), only...)
}

// TestQueries wants query i to be the same each time, and all patterns to be asked.
func TestQueries(t *testing.T) {
	a, b := workload(t, "medium"), workload(t, "medium")
	asked := make(map[Pattern]int)
	for i := range 20_000 {
		q := a.Query(i)
		asked[q.Pattern]++
		if q.Tenant != b.Tenant(i) {
			t.Fatalf("query %d is of tenant %d, and of %d", i, q.Tenant, b.Tenant(i))
		}
		if i%100 == 0 && !reflect.DeepEqual(q, b.Query(i)) {
			t.Fatalf("query %d is %v, and %v", i, q, b.Query(i))
		}
	}
	for _, p := range Patterns() {
		if n, want := asked[p], 20*patterns[p].weight; n < want/2 || n > want*2 {
			t.Errorf("%v was asked %d times, not about %d", p, n, want)
		}
	}
}

// TestApart wants imports of other contacts, and all else the same.
func TestApart(t *testing.T) {
	p, err := FindPattern("import of 200")
	if err != nil {
		t.Fatal(err)
	}
	w, imported := workload(t, "small"), make(map[any]bool)
	for n := range 3 {
		other := w.Apart(n)
		for i := range 10_000 {
			a, b := w.Query(i), other.Query(i)
			if a.Pattern != p {
				if i%100 == 0 && !reflect.DeepEqual(a, b) {
					t.Fatalf("query %d is %v, and %v", i, a, b)
				}
				continue
			}
			if id := b.Args[0]; imported[id] {
				t.Fatalf("query %d of %d imports contact %v again", i, n, id)
			}
			imported[b.Args[0]] = true
		}
	}
	if len(imported) == 0 {
		t.Error("nothing was imported")
	}
}

// TestOnly wants the patterns that were named, and no other.
func TestOnly(t *testing.T) {
	p, err := FindPattern("pages, jumped to")
	if err != nil {
		t.Fatal(err)
	}
	w := workload(t, "small", p)
	for i := range 1000 {
		if q := w.Query(i); q.Pattern != p {
			t.Fatalf("query %d is %v", i, q.Pattern)
		}
	}
	if _, err := FindPattern("dance"); err == nil || !strings.Contains(err.Error(), "contact by id; ") {
		t.Errorf("dance: %v", err)
	}
}

// TestIntendedStart wants the latency of a query that waited for a client to count
// from when it was to begin: without it, one slow answer hides many late ones.
func TestIntendedStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &run{options: Options{Rate: 10}, begin: time.Now(), from: 100}
		began, err := r.wait(t.Context(), 103) // 300 ms from the beginning
		if err != nil || time.Since(r.begin) != 300*time.Millisecond || !began.Equal(time.Now()) {
			t.Errorf("query 3 began after %v: %v", time.Since(r.begin), err)
		}
		time.Sleep(time.Second) // the client was busy until now
		began, err = r.wait(t.Context(), 104)
		if err != nil || time.Since(r.begin) != 1300*time.Millisecond || began.Sub(r.begin) != 400*time.Millisecond {
			t.Errorf("query 4 was late by %v at %v: %v", time.Since(began), time.Since(r.begin), err)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := r.wait(ended, 1_000_000); err == nil {
			t.Error("a query was waited for beyond the end")
		}
	})
}

// server returns the URL of a PostgreSQL with a table of 26 rows.
func server(t *testing.T) string {
	t.Helper()
	url := pgtest.Server(t).URL("postgres", "postgres")
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), "drop table if exists letters; create table letters as select i, chr(96 + i) as letter from generate_series(1, 26) as i"); err != nil {
		t.Fatal(err)
	}
	return url
}

// constant has one statement in the place of the patterns, for tests of Run.
func constant(t *testing.T, sql string, args ...any) *Workload {
	t.Helper()
	before := patterns
	t.Cleanup(func() { patterns = before })
	patterns = []pattern{{"constant", 1, func(*Workload, *rand.Rand, int, int) (string, []any) { return sql, args }}}
	return workload(t, "small")
}

// TestRun asks over all kinds of connections, by all protocols.
func TestRun(t *testing.T) {
	w := constant(t, "select * from letters where i < $1", int64(20))
	for _, connect := range []Connect{PerQuery, PerBatch, Pooled} {
		for _, protocol := range []Protocol{Simple, Extended, Prepared} {
			var shown atomic.Int64
			o := Options{URL: server(t), Clients: 3, Connections: 2, Batch: 7, Connect: connect, Protocol: protocol,
				Every: 10, Progress: func(done int) { shown.Store(int64(done)) }}
			r, err := Run(t.Context(), w, 5, 45, o)
			if err != nil {
				t.Fatalf("%s, %s: %v", connect, protocol, err)
			}
			if r.Queries != 40 || r.All.TotalCount() != 40 || r.ByPattern[0].TotalCount() != 40 || shown.Load() != 40 {
				t.Errorf("%s, %s: %d queries, %d latencies, %d shown", connect, protocol, r.Queries, r.All.TotalCount(), shown.Load())
			}
		}
	}
}

// TestRunFails wants the first error, with the query.
func TestRunFails(t *testing.T) {
	w := constant(t, "select 1/$1", int64(0))
	o := Options{URL: server(t), Clients: 2, Connections: 2, Batch: 7, Connect: Pooled, Protocol: Extended}
	_, err := Run(t.Context(), w, 0, 100, o)
	if err == nil || !strings.Contains(err.Error(), "(constant)") || !strings.Contains(err.Error(), "division by zero") {
		t.Error(err)
	}
}

// TestConnections counts the connections that were made.
func TestConnections(t *testing.T) {
	w := constant(t, "select 1")
	for _, c := range []struct {
		connect Connect
		want    int64
	}{{PerQuery, 40}, {PerBatch, 8}, {Pooled, 1}} {
		url, made := counted(t, server(t))
		o := Options{URL: url, Clients: 1, Connections: 1, Batch: 5, Connect: c.connect, Protocol: Extended}
		if _, err := Run(t.Context(), w, 0, 40, o); err != nil {
			t.Fatal(err)
		}
		if made.Load() != c.want {
			t.Errorf("%s: %d connections, not %d", c.connect, made.Load(), c.want)
		}
	}
}

// TestPoolStays wants no connection made by runs that are given a pool, whose connections
// were all open before, and none closed.
func TestPoolStays(t *testing.T) {
	w := constant(t, "select 1")
	url, made := counted(t, server(t))
	o := Options{URL: url, Clients: 3, Connections: 3, Connect: Pooled, Protocol: Extended}
	pool, err := OpenPool(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if o.Pool = pool; made.Load() != 3 {
		t.Errorf("%d connections were open at the beginning", made.Load())
	}
	for block := range 4 {
		if _, err := Run(t.Context(), w, 10*block, 10*block+10, o); err != nil {
			t.Fatal(err)
		}
	}
	if made.Load() != 3 {
		t.Errorf("%d connections were made for four blocks", made.Load())
	}
}

// TestPoolFails wants an error where there is no place for all connections, and those
// that were there closed.
func TestPoolFails(t *testing.T) {
	o := Options{URL: server(t), Connections: 1000, Connect: Pooled, Protocol: Extended}
	var refused *pgconn.PgError
	if _, err := OpenPool(t.Context(), o); !errors.As(err, &refused) || refused.Code != "53300" {
		t.Error(err)
	}
}

// counted is a way to a server that counts who comes.
func counted(t *testing.T, url string) (string, *atomic.Int64) {
	t.Helper()
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	made := new(atomic.Int64)
	go relay(l, net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port))), made)
	return "postgres://postgres@" + l.Addr().String() + "/postgres?sslmode=disable", made
}

// relay connects who comes with a server.
func relay(l net.Listener, server string, made *atomic.Int64) {
	for {
		client, err := l.Accept()
		if err != nil {
			return
		}
		made.Add(1)
		go func() {
			defer client.Close()
			backend, err := net.Dial("tcp", server)
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(backend, client)
				_ = backend.Close()
			}()
			_, _ = io.Copy(client, backend)
		}()
	}
}

// TestVerify wants a difference found, in whatever it lies.
func TestVerify(t *testing.T) {
	o := Options{URL: server(t), Clients: 2, Batch: 7, Protocol: Extended}
	for _, c := range []struct {
		name, sql, other string
		differ           bool
	}{
		{"nothing", "select * from letters order by i", "select * from letters order by i", false},
		{"a value", "select 'a'::text", "select 'b'::text", true},
		{"where a value ends", "select 'ab', 'c'", "select 'a', 'bc'", true},
		{"where bytes end", `select '\x780079'::bytea, '\x7a'::bytea`, `select '\x78'::bytea, '\x79007a'::bytea`, true},
		{"NULL", "select ''::text", "select null::text", true},
		{"a type", "select 1::int4", "select 1::int8", true},
		{"a name", "select 1 as a", "select 1 as b", true},
		{"a row", "select * from letters order by i", "select * from letters where i < 26 order by i", true},
		{"the order", "select i from letters order by i", "select i from letters order by i desc", true},
		{"the tag", "select 1 where false", "delete from letters where false returning 1", true},
		{"an error", "select 1/0", "select 'x'::int", true},
		{"the same error", "select 1/0", "select 2/0", false},
		{"where an error is", "select nothing", "select  nothing", true},
		{"an error's detail", "select 'a'::json", "select 'b'::json", true},
		{"an error's hint", raising("hint = 'a'"), raising("hint = 'b'"), true},
		{"an error's own detail", raising("detail = 'a'"), raising("detail = 'b'"), true},
		{"an error's table", raising("table = 'a'"), raising("table = 'b'"), true},
		{"all of an error", raising("hint = 'a', detail = 'b'"), raising("hint = 'a', detail = 'b'"), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if a, b := sumOf(t, o.URL, c.sql), sumOf(t, o.URL, c.other); (a != b) != c.differ {
				t.Errorf("%q and %q differ: %v", c.sql, c.other, a != b)
			}
		})
	}
	w := constant(t, "select current_setting('application_name'), $1::int", int32(1))
	found, err := Verify(t.Context(), w, 0, 30, [2]Options{o, o})
	if err != nil || found.Compared != 30 || found.Count != 0 {
		t.Errorf("the same server twice: %+v, %v", found, err)
	}
	other := o
	other.URL += "&application_name=other"
	found, err = Verify(t.Context(), w, 0, 30, [2]Options{o, other})
	if err != nil || found.Compared != 30 || found.Count != 30 || len(found.Mismatches) != fewMismatches || found.Mismatches[0].SQL == "" {
		t.Errorf("two that differ: %+v, %v", found, err)
	}
}

// raising is a statement that fails with these fields.
func raising(fields string) string { return "do $$ begin raise 'no' using " + fields + "; end $$" }

var seedOfSums = maphash.MakeSeed()

// sumOf is the sum of the answer to a statement.
func sumOf(t *testing.T, url, sql string) uint64 {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var sum maphash.Hash
	sum.SetSeed(seedOfSums)
	_ = answer(t.Context(), conn, Query{SQL: sql}, &sum) // an error is in the sum
	return sum.Sum64()
}

// TestMemory wants as much memory after many queries of the stress test, which asks
// 400,000, as after few. The tables are empty: it is about the client.
func TestMemory(t *testing.T) {
	w := workload(t, "stress-test")
	o := Options{URL: emptyTables(t), Clients: 4, Connections: 4, Batch: 50, Connect: Pooled, Protocol: Prepared}
	after := func(from, to int) uint64 {
		r, err := Run(t.Context(), w, from, to, o)
		if err != nil {
			t.Fatal(err)
		}
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		runtime.KeepAlive(r)
		return m.HeapAlloc
	}
	few, many := after(0, 1000), after(1000, 9000)
	if many > few+1<<20 {
		t.Errorf("after 1,000 queries %d bytes, after 8,000 more %d", few, many)
	}
}

// emptyTables makes the tables of the CRM in a schema of their own.
func emptyTables(t *testing.T) string {
	t.Helper()
	url := server(t) + "&search_path=memory"
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), "drop schema if exists memory cascade; create schema memory; "+crm.CreateTables); err != nil {
		t.Fatal(err)
	}
	return url
}
