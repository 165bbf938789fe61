package proxy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

func TestQueryTimeout(t *testing.T) {
	p := startProxy(t, plain(t), nil)
	c := client(t, p.addr)
	limit := func(d time.Duration) { p.reload(t, func(c *proxy.Config) { c.Timeouts.Query = d }) }
	limit(50 * time.Millisecond)
	if err := c.Send(pgtest.Query("select pg_sleep(600)")); err != nil {
		t.Fatal(err)
	}
	expect(t, c, "T *", "E ERROR 57014 *query timeout*", "Z I")
	limit(0)
	if got := value(t, c, "select 'alive'"); got != "alive" {
		t.Errorf("got %q", got)
	}
	limit(50 * time.Millisecond)
	if err := c.Send(pgtest.Parse("", "select pg_sleep(600)"), pgtest.Bind("", ""), pgtest.Execute("", 0), pgtest.Sync); err != nil {
		t.Fatal(err)
	}
	expect(t, c, "1", "2", "E ERROR 57014 *query timeout*", "Z I")
	limit(0)
	value(t, c, "select 1")
}

// fatal expects the session to be ended with a SQLSTATE, and that the next
// client of the same, only backend finds it clean.
func fatal(t *testing.T, p *running, c *pgtest.Conn, pattern string) {
	t.Helper()
	expect(t, c, "E FATAL "+pattern, "EOF")
	next := client(t, p.addr)
	if got := value(t, next, "select to_regclass('pg_temp.mine') is null"); got != "t" {
		t.Error("the next client sees a temporary table")
	}
	frames, err := next.Query("begin")
	if err != nil || len(frames) != 2 || frames[0].String() != "C BEGIN" {
		t.Errorf("begin: %v, %v", frames, err)
	}
}

func TestTransactionTimeout(t *testing.T) {
	p := startProxy(t, plain(t), func(c *proxy.Config) { onlyOne(c); c.Timeouts.Transaction = time.Second })
	c := client(t, p.addr)
	if _, err := c.Query("begin; create temp table mine (id int)"); err != nil {
		t.Fatal(err)
	}
	fatal(t, p, c, "25P04 *")
}

func TestTransactionTimeoutInMidQuery(t *testing.T) {
	p := startProxy(t, plain(t), func(c *proxy.Config) { onlyOne(c); c.Timeouts.Transaction = 50 * time.Millisecond })
	c := client(t, p.addr)
	if err := c.Send(pgtest.Query("create temp table mine (id int); do $$ begin perform pg_sleep(600); end $$")); err != nil {
		t.Fatal(err)
	}
	fatal(t, p, c, "25P04 *")
}

func TestIdleInTransactionTimeout(t *testing.T) {
	p := startProxy(t, plain(t), func(c *proxy.Config) { onlyOne(c); c.Timeouts.IdleInTransaction = 50 * time.Millisecond })
	c := client(t, p.addr)
	if _, err := c.Query("begin; create temp table mine (id int)"); err != nil {
		t.Fatal(err)
	}
	fatal(t, p, c, "25P03 *")
}

func TestIdleInTransactionTimeoutSparesWork(t *testing.T) {
	p := startProxy(t, plain(t), func(c *proxy.Config) { onlyOne(c); c.Timeouts.IdleInTransaction = time.Second })
	c := client(t, p.addr)
	if _, err := c.Query("begin"); err != nil {
		t.Fatal(err)
	}
	value(t, c, "select pg_sleep(1.5)")
	value(t, c, "select 1")
	if _, err := c.Query("commit"); err != nil {
		t.Fatal(err)
	}
}

func TestClientIdleTimeout(t *testing.T) {
	p := startProxy(t, plain(t), func(c *proxy.Config) { onlyOne(c); c.Timeouts.ClientIdle = time.Second })
	idle := client(t, p.addr)
	fatal(t, p, idle, "57P05 *")
}

func TestClientLoginTimeout(t *testing.T) {
	p := startProxy(t, plain(t), func(c *proxy.Config) { c.Timeouts.ClientLogin = 50 * time.Millisecond })
	for name, hello := range map[string]pgtest.Raw{
		"nothing":          nil,
		"half a packet":    pgtest.Raw("\x00\x00\x00\x50\x00\x03"),
		"only SSLRequest":  pgtest.StartupPacket(pgtest.SSLRequest, nil),
		"only GSSRequest":  pgtest.StartupPacket(pgtest.GSSENCRequest, nil),
		"a byte of a size": pgtest.Raw("\x00"),
	} {
		c, err := pgtest.Dial(p.addr, name, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		if err := c.Send(hello); err != nil {
			t.Fatal(err)
		}
		if len(hello) == 8 {
			if b, err := c.ReceiveByte(); b != 'N' || err != nil {
				t.Errorf("%s: %q, %v", name, b, err)
			}
		}
		t.Run(name, func(t *testing.T) { expect(t, c, "E FATAL 08P01 *", "EOF") })
	}
	eventually(t, "no client is counted", func() bool { return p.server.Ready() == nil })
}

func TestAcquireTimeout(t *testing.T) {
	backend := plain(t)
	admin := observer(t, backend)
	p := startProxy(t, backend, onlyOne)
	waiter := client(t, p.addr)
	holder := client(t, p.addr)
	if err := holder.Send(pgtest.Query(sleep("acquire"))); err != nil {
		t.Fatal(err)
	}
	sleeping(t, admin, "acquire")
	patience := p.cfg.Pool.AcquireTimeout
	p.reload(t, func(c *proxy.Config) { c.Pool.AcquireTimeout = 50 * time.Millisecond })
	if err := waiter.Send(pgtest.Query("select 1")); err != nil {
		t.Fatal(err)
	}
	expect(t, waiter, "E ERROR 53300 *", "Z I")
	if err := waiter.Send(pgtest.Parse("", "select 1"), pgtest.Bind("", ""), pgtest.Execute("", 0), pgtest.Sync, pgtest.Sync); err != nil {
		t.Fatal(err)
	}
	expect(t, waiter, "E ERROR 53300 *", "Z I", "Z I")
	expectMetric(t, p, "pool_wait_timeouts_total{@}", 2)
	expectMetric(t, p, `query_errors_total{database="postgres",sqlstate_class="53"}`, 2)
	p.reload(t, func(c *proxy.Config) { c.Pool.AcquireTimeout = patience })
	if err := holder.Cancel(p.addr); err != nil {
		t.Fatal(err)
	}
	expect(t, holder, "T *", "E ERROR 57014*", "Z I")
	if got := value(t, waiter, "select 'alive'"); got != "alive" {
		t.Errorf("got %q", got)
	}
}

// TestTimeoutMetrics: each timeout has its SQLSTATE and its counter, and counts
// only when somebody ran into it.
func TestTimeoutMetrics(t *testing.T) {
	backend := plain(t)
	const short = 50 * time.Millisecond
	for kind, test := range map[string]struct {
		set  func(*proxy.TimeoutsConfig)
		send []string
		want string
	}{
		"query":               {func(c *proxy.TimeoutsConfig) { c.Query = short }, []string{"select pg_sleep(600)"}, "E ERROR 57014 *"},
		"transaction":         {func(c *proxy.TimeoutsConfig) { c.Transaction = short }, []string{"begin", "select pg_sleep(600)"}, "E FATAL 25P04 *"},
		"idle_in_transaction": {func(c *proxy.TimeoutsConfig) { c.IdleInTransaction = short }, []string{"begin"}, "E FATAL 25P03 *"},
		"client_idle":         {func(c *proxy.TimeoutsConfig) { c.ClientIdle = short }, nil, "E FATAL 57P05 *"},
		"client_login":        {func(c *proxy.TimeoutsConfig) { c.ClientLogin = short }, nil, "E FATAL 08P01 *"},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			p := startProxy(t, backend, func(c *proxy.Config) { test.set(&c.Timeouts) })
			c := mute(t, p.addr) // with the default time to log in
			if kind != "client_login" {
				c = client(t, p.addr)
			}
			for _, sql := range test.send {
				if err := c.Send(pgtest.Query(sql)); err != nil {
					t.Fatal(err)
				}
			}
			frames, _ := c.ReceiveUntil('E')
			if last := frames[len(frames)-1].String(); !pgtest.Match(test.want, last) {
				t.Errorf("got %q", last)
			}
			checkTimeoutMetrics(t, p, kind)
		})
	}
}

// checkTimeoutMetrics: one client ran into this timeout, and nobody into any
// other.
func checkTimeoutMetrics(t *testing.T, p *running, kind string) {
	t.Helper()
	expectMetric(t, p, `timeouts_total{kind="`+kind+`"}`, 1)
	for name, v := range p.scrape(t) {
		if strings.HasPrefix(name, "timeouts_total") && v != 1 || strings.HasPrefix(name, "pool_wait_timeouts_total") && v != 0 {
			t.Errorf("%s is %g", name, v)
		}
	}
	if kind != "query" {
		expectMetric(t, p, `client_connections_closed_total{reason="timeout"}`, 1)
	}
}

// mute connects and says nothing.
func mute(t *testing.T, addr string) *pgtest.Conn {
	t.Helper()
	c, err := pgtest.Dial(addr, "mute", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// A statement in a pipeline has the time of timeouts.query for itself: neither
// what was sent before it nor what comes after it changes that.
func TestQueryTimeoutInPipeline(t *testing.T) {
	p := startProxy(t, plain(t), func(c *proxy.Config) { c.Timeouts.Query = time.Second })
	c := client(t, p.addr)
	if err := c.Send(pgtest.Query("select 1"), pgtest.Query("select pg_sleep(600)")); err != nil {
		t.Fatal(err)
	}
	expect(t, c, "T *", "D *", "C *", "Z I", "T *", "E ERROR 57014 *query timeout*", "Z I")
	if err := c.Send(pgtest.Query("select pg_sleep(600)")); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond): // the client goes on sending
				_ = c.Send(pgtest.Query("select 2"))
			}
		}
	}()
	expect(t, c, "T *", "E ERROR 57014 *query timeout*", "Z I")
}

// PostgreSQL counts how long a client does nothing in a transaction from its BEGIN, where
// the client has asked for that.
func TestServersIdleInTransactionTimeout(t *testing.T) {
	for name, address := range map[string]string{"directly": plain(t), "through the proxy": startProxy(t, plain(t), onlyOne).addr} {
		t.Run(name, func(t *testing.T) {
			pgtest.Check(t, pgtest.Target{Address: address, User: "postgres", Database: "postgres"}, &pgtest.Script{Name: name, Steps: []pgtest.Step{
				pgtest.Send(pgtest.Query("set idle_in_transaction_session_timeout = '50ms'")).Expect("C SET", "Z I"),
				pgtest.Send(pgtest.Query("begin")).Expect("C BEGIN", "Z T", "E FATAL 25P03 *", "EOF"),
			}})
		})
	}
}
