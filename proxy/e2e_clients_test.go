package proxy_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// manyClients is 2,000, or what the limit of open files allows: each client
// takes two of this process.
func manyClients(t testing.TB) int {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		t.Fatal(err)
	}
	n := min(2000, (int(l.Cur)-200)/2)
	if n < 2000 {
		t.Logf("the limit of open files allows %d clients only", n)
	}
	return n
}

func TestTwoThousandClientsOnTwentyFiveBackends(t *testing.T) {
	backend := plain(t)
	admin := observer(t, backend)
	p := startProxy(t, backend, func(c *proxy.Config) {
		c.Pool.Size = 25
		c.Limits.MaxClientsPerAddress = 5000
	})
	clients := manyClients(t)
	var working sync.WaitGroup
	var ready, failed atomic.Int64
	begin := make(chan struct{})
	for i := range clients {
		working.Go(func() {
			if err := askManyTimes(p.addr, i, &ready, begin); err != nil && failed.Add(1) < 10 {
				t.Errorf("client %d: %v", i, err)
			}
		})
	}
	eventually(t, "all clients are logged in", func() bool { return ready.Load()+failed.Load() == int64(clients) })
	close(begin)
	working.Wait()
	most, err := admin.Ask("select count(*) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid() and query like '%many clients%'")
	if n, _ := strconv.Atoi(most); err != nil || n > 25 || n == 0 {
		t.Errorf("there are %s backends, %v", most, err)
	}
	stat := poolStat(t, p)
	if stat.Active != 0 || stat.Waiting != 0 || stat.Idle > 25 {
		t.Errorf("the pool is left with %+v", stat)
	}
}

func poolStat(t testing.TB, p *running) (stat pool.Stat) {
	t.Helper()
	eventually(t, "all backends are idle", func() bool {
		stat = p.server.Pools().Stats()[0]
		return stat.Active == 0 && stat.Waiting == 0
	})
	return stat
}

// askManyTimes is one client: every answer must be its own.
func askManyTimes(addr string, i int, ready *atomic.Int64, begin chan struct{}) error {
	c, err := pgtest.Dial(addr, strconv.Itoa(i), nil)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Start(pgproto3.ProtocolVersion30, "user", "postgres"); err != nil {
		return err
	}
	ready.Add(1)
	<-begin
	for n := range 5 {
		want := fmt.Sprintf("%d/%d", i, n)
		var frames []pgtest.Frame
		if n%2 == 0 {
			frames, err = c.Query("select '" + want + "' /* many clients */")
		} else if err = c.Send(pgtest.Parse("", "select $1::text /* many clients */"), pgtest.Bind("", "", want), pgtest.Execute("", 0), pgtest.Sync); err == nil {
			frames, err = c.ReceiveUntil('Z')
		}
		if err != nil {
			return err
		}
		if got := frames[len(frames)-3]; got.Value() != want {
			return fmt.Errorf("got %s, want %s", got, want)
		}
	}
	return c.Send(pgtest.Terminate)
}

// TestGarbage throws bytes at the proxy, before and after the login, while
// others work.
func TestGarbage(t *testing.T) {
	backend := plain(t)
	if err := observer(t, backend).Exec(loadTable); err != nil {
		t.Fatal(err)
	}
	p := startProxy(t, backend, nil)
	l := startLoad(t, p.addr, 6)
	random := rand.New(rand.NewPCG(1, 2)) // always the same bytes
	refused := 0
	for i := range 150 {
		refused += throwGarbage(t, p.addr, random, i%3)
	}
	if refused < 20 {
		t.Errorf("only %d vandals were told what is wrong", refused)
	}
	l.await(50)
	l.finish(observer(t, backend))
	if len(l.errors) > 0 || len(l.lost) > 0 {
		t.Errorf("others noticed: %v %v", l.errors, l.lost)
	}
	poolStat(t, p)
}

// throwGarbage sends random bytes, in one of three places: instead of the
// start-up packet, instead of a message, or as a message's content. It returns
// 1 if it was told that this is an error.
func throwGarbage(t testing.TB, addr string, random *rand.Rand, place int) int {
	junk := make([]byte, 1+random.IntN(300))
	for i := range junk {
		junk[i] = byte(random.Uint32())
	}
	c, err := pgtest.Dial(addr, "vandal", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if place > 0 {
		if err := c.Start(pgproto3.ProtocolVersion30, "user", "postgres"); err != nil {
			t.Fatal(err)
		}
	}
	if place == 2 {
		const types = "BCDEFHPQSdcf"
		junk = pgtest.Message(types[random.IntN(len(types))], string(junk))
	}
	if err := c.Send(pgtest.Raw(junk)); err != nil {
		return 0 // the proxy has closed already
	}
	switch random.IntN(3) {
	case 0: // leaves at once
		return 0
	case 1:
		_ = c.Net.(*net.TCPConn).SetLinger(0) // and resets the connection
		return 0
	}
	_ = c.Send(pgtest.Sync, pgtest.Terminate)
	return hearRefusal(t, c, place)
}

// hearRefusal receives what a vandal is told. Bytes that cannot be a message
// are the end of the session; others are PostgreSQL's to judge.
func hearRefusal(t testing.TB, c *pgtest.Conn, place int) (refused int) {
	for range 20 {
		f, err := c.Receive()
		if err != nil {
			t.Errorf("a vandal in place %d: %v", place, err)
			return refused
		}
		if f.Type == pgtest.EOF {
			return refused
		}
		code := f.ErrorCode()
		if code != "" && place < 2 && !pgtest.Match("E FATAL 08P01 *", f.String()) {
			t.Errorf("a vandal in place %d is told %s", place, f)
		}
		if code != "" {
			refused = 1
		}
	}
	t.Errorf("a vandal in place %d is not sent away", place)
	return refused
}

// A connection that is reset in the middle of something is cleaned up like one
// that was closed.
func TestResetConnections(t *testing.T) {
	p := startProxy(t, plain(t), onlyOne)
	queries := []string{"select 1", "begin", "select generate_series(1, 100000000)", "create temp table mine (id int)"}
	for range 20 { // the cancel request may overtake the query
		queries = append(queries, "select pg_sleep(600)")
	}
	for _, query := range queries {
		c := client(t, p.addr)
		if err := c.Send(pgtest.Query(query)); err != nil {
			t.Fatal(err)
		}
		if err := c.Net.(*net.TCPConn).SetLinger(0); err != nil {
			t.Fatal(err)
		}
		c.Close()
		next := client(t, p.addr)
		if got := value(t, next, "select to_regclass('pg_temp.mine') is null"); got != "t" {
			t.Errorf("after %q the next client gets %q", query, got)
		}
		next.Close()
	}
}

// A cancel request that comes while the client's statement waits for the label of
// its backend is not lost.
func TestCancelWhileLabelled(t *testing.T) {
	backend := plain(t)
	admin := observer(t, backend)
	p := startProxy(t, backend, onlyOne)
	a, err := pgtest.Dial(p.addr, "a", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	if err := a.Start(pgproto3.ProtocolVersion30, "user", "postgres", "options", "-c default_tablespace=pg_default"); err != nil {
		t.Fatal(err)
	}
	if _, err := client(t, p.addr).Query("select 'the label of another'"); err != nil {
		t.Fatal(err)
	}
	if err := admin.Exec("begin; lock pg_tablespace in access exclusive mode"); err != nil {
		t.Fatal(err)
	}
	if err := a.Send(pgtest.Query("select pg_sleep(600)")); err != nil {
		t.Fatal(err)
	}
	if err := admin.Await("select count(*) = 1 from pg_locks where not granted"); err != nil {
		t.Fatal(err)
	}
	if err := a.Cancel(p.addr); err != nil {
		t.Fatal(err)
	}
	if err := admin.Exec("rollback"); err != nil {
		t.Fatal(err)
	}
	expect(t, a, "T *", "E ERROR 57014*", "Z I")
	if got := value(t, a, "select 'goes on'"); got != "goes on" {
		t.Errorf("got %s", got)
	}
}
