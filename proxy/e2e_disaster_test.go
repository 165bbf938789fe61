package proxy_test

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgjay/pgjay/pool/embedded"
	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// load is clients at work while something happens to PostgreSQL. Each inserts
// numbers of its own; in the end every number that was acknowledged must be
// there, and none twice.
type load struct {
	t    testing.TB
	addr string
	stop atomic.Bool
	done sync.WaitGroup
	ok   atomic.Int64 // acknowledged inserts

	mu     sync.Mutex
	acked  []string        // guarded by mu
	errors map[string]int  // guarded by mu; by SQLSTATE
	lost   map[string]bool // guarded by mu; kinds of clients that were disconnected
	failed map[string]int  // guarded by mu; how many errors kinds of clients got
}

const loadTable = "drop table if exists wire_load; create table wire_load (client int, n int)"

// startLoad starts clients that work outside and inside transactions.
func startLoad(t testing.TB, addr string, clients int) *load {
	l := &load{t: t, addr: addr, errors: map[string]int{}, lost: map[string]bool{}, failed: map[string]int{}}
	for i := range clients {
		l.done.Go(func() { l.work(i) })
	}
	return l
}

func (l *load) work(client int) {
	kind, begin, end := "autocommit", "", ""
	if client%2 == 1 {
		kind, begin, end = "transaction", "begin; ", "; commit"
	}
	var c *pgtest.Conn
	for n := 0; !l.stop.Load(); n++ {
		if c == nil {
			var err error
			if c, err = l.connect(); err != nil {
				l.note("login", err.Error())
				return
			}
		}
		id := fmt.Sprintf("(%d,%d)", client, n)
		frames, err := c.Query(begin + "insert into wire_load values " + id + end)
		if err != nil {
			c.Close()
			c = nil
		}
		l.judge(kind, id, frames, err)
	}
	if c != nil {
		c.Close()
	}
}

func (l *load) connect() (*pgtest.Conn, error) {
	c, err := pgtest.Dial(l.addr, "worker", nil)
	if err != nil {
		return nil, err
	}
	if err := c.Start(pgproto3.ProtocolVersion30, "user", "postgres"); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (l *load) judge(kind, id string, frames []pgtest.Frame, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	failed := false
	for _, f := range frames {
		if f.Type == 'E' {
			failed = true
			l.errors[f.ErrorCode()]++
			l.failed[kind]++
		}
	}
	if err != nil {
		failed = true
		l.lost[kind] = true
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			l.t.Errorf("a client in %s: %v", kind, err)
		}
	}
	if !failed {
		l.acked = append(l.acked, id)
		l.ok.Add(1)
	}
}

func (l *load) note(what, text string) {
	l.t.Errorf("%s: %s", what, text)
}

// await waits until so many more inserts have been acknowledged.
func (l *load) await(more int64) {
	l.t.Helper()
	goal := l.ok.Load() + more
	eventually(l.t, "the clients work", func() bool { return l.ok.Load() >= goal })
}

// finish ends the clients and checks what must hold.
func (l *load) finish(admin *pgtest.Admin) {
	l.t.Helper()
	l.stop.Store(true)
	l.done.Wait()
	l.t.Logf("%d inserts acknowledged, errors %v, disconnected: %v", len(l.acked), l.errors, l.lost)
	for code := range l.errors {
		switch code {
		case "57P01", "57P02", "57P03", "08006":
		default:
			l.t.Errorf("clients got SQLSTATE %s", code)
		}
	}
	if l.lost["autocommit"] {
		l.t.Error("a client without a transaction was disconnected")
	}
	if twice, err := admin.Ask("select count(*) from (select 1 from wire_load group by client, n having count(*) > 1) t"); err != nil || twice != "0" {
		l.t.Errorf("%s inserts were done twice (%v)", twice, err)
	}
	there, err := admin.Ask("select count(*) from wire_load")
	if n, _ := strconv.Atoi(there); err != nil || n < len(l.acked) {
		l.t.Errorf("%s of %d acknowledged inserts are there (%v)", there, len(l.acked), err)
	}
}

// idlers are clients that have worked and do nothing at the moment.
func idlers(t testing.TB, addr string, count int) []*pgtest.Conn {
	t.Helper()
	var all []*pgtest.Conn
	for range count {
		c := client(t, addr)
		value(t, c, "select 1")
		all = append(all, c)
	}
	return all
}

func TestRestartUnderLoad(t *testing.T) {
	pg := newPostgres(t)
	if err := observer(t, pg.Address()).Exec(loadTable); err != nil {
		t.Fatal(err)
	}
	p := startProxy(t, pg.Address(), nil)
	idle, waiting := idlers(t, p.addr, 10), idlers(t, p.addr, 10)
	l := startLoad(t, p.addr, 10)
	l.await(100)
	if err := pg.Stop(embedded.Fast); err != nil {
		t.Fatal(err)
	}
	for _, c := range waiting { // they ask while there is nobody to answer
		if err := c.Send(pgtest.Query("select 'patience'")); err != nil {
			t.Fatal(err)
		}
	}
	if err := pg.Restart(embedded.Fast); err != nil {
		t.Fatal(err)
	}
	for _, c := range waiting {
		expect(t, c, "T *", "D patience", "C SELECT 1", "Z I")
	}
	for _, c := range idle {
		if got := value(t, c, "select 'unaware'"); got != "unaware" {
			t.Errorf("got %q", got)
		}
	}
	l.await(100)
	l.finish(observer(t, pg.Address()))
}

func TestKilledBackendUnderLoad(t *testing.T) {
	pg := newPostgres(t)
	admin := observer(t, pg.Address())
	if err := admin.Exec(loadTable); err != nil {
		t.Fatal(err)
	}
	p := startProxy(t, pg.Address(), nil)
	idle := idlers(t, p.addr, 10)
	l := startLoad(t, p.addr, 10)
	l.await(100)
	text, err := admin.Ask("select pid from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid() limit 1")
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil { // PostgreSQL ends all others and recovers
		t.Fatal(err)
	}
	eventually(t, "the others are ended", func() bool { return admin.Exec("select 1") != nil })
	eventually(t, "it has recovered", func() bool {
		again, err := pgtest.NewAdmin(pg.Address(), "postgres", "postgres")
		if err == nil {
			again.Close()
		}
		return err == nil
	})
	l.await(200)
	for _, c := range idle {
		if got := value(t, c, "select 'unaware'"); got != "unaware" {
			t.Errorf("got %q", got)
		}
	}
	l.finish(observer(t, pg.Address()))
}

// Terminating backends one by one, none of which is the home of one client only,
// is seen by none but those in a transaction.
func TestTerminatedBackends(t *testing.T) {
	backend := plain(t)
	admin := observer(t, backend)
	if err := admin.Exec(loadTable); err != nil {
		t.Fatal(err)
	}
	p := startProxy(t, backend, func(c *proxy.Config) { c.Pool.Size = 5 })
	idle := idlers(t, p.addr, 10)
	l := startLoad(t, p.addr, 10)
	for range 20 {
		l.await(20)
		if err := admin.Exec("select pg_terminate_backend(pid) from (select pid from pg_stat_activity where query like '%wire_load%' and pid <> pg_backend_pid() limit 1) t"); err != nil {
			t.Fatal(err)
		}
	}
	l.await(50)
	for _, c := range idle {
		if got := value(t, c, "select 'unaware'"); got != "unaware" {
			t.Errorf("got %q", got)
		}
	}
	l.finish(admin)
	if n := l.failed["autocommit"]; n > 0 {
		t.Errorf("clients without a transaction got %d errors", n)
	}
}

func TestBackendTerminatedInMidQuery(t *testing.T) {
	backend := plain(t)
	admin := observer(t, backend)
	p := startProxy(t, backend, onlyOne)
	c := client(t, p.addr)
	client(t, p.addr) // with the same home: nobody knows who is meant
	for range 2 {
		if err := c.Send(pgtest.Query(sleep("terminated"))); err != nil {
			t.Fatal(err)
		}
		sleeping(t, admin, "terminated")
		if err := admin.Exec("select pg_sleep(1.1), pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep' and query like '%/* terminated */%' and pid <> pg_backend_pid()"); err != nil {
			t.Fatal(err)
		}
		expect(t, c, "T *", "E ERROR 57P01 *", "Z I") // the session lives on
		if got := value(t, c, "select 'alive'"); got != "alive" {
			t.Errorf("got %q", got)
		}
	}
	if _, err := c.Query("begin; select 1"); err != nil {
		t.Fatal(err)
	}
	if err := c.Send(pgtest.Query(sleep("terminated"))); err != nil {
		t.Fatal(err)
	}
	sleeping(t, admin, "terminated")
	if err := admin.Exec("select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep' and query like '%/* terminated */%'"); err != nil {
		t.Fatal(err)
	}
	expect(t, c, "T *", "E FATAL 57P01 *", "EOF") // a transaction cannot
}

func TestNoServer(t *testing.T) {
	p := startProxy(t, "127.0.0.1:1", func(c *proxy.Config) { c.Pool.AcquireTimeout = 100_000_000 })
	c, err := pgtest.Dial(p.addr, "hopeful", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Send(pgtest.Startup(pgproto3.ProtocolVersion30, "user", "postgres")); err != nil {
		t.Fatal(err)
	}
	expect(t, c, "R ok", "E FATAL 08006 *", "EOF")
}
