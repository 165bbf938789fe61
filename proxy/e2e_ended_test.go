package proxy_test

import (
	"crypto/tls"
	"net"
	"regexp"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

func closeHalf(t testing.TB, c *pgtest.Conn) {
	t.Helper()
	if err := c.Net.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
}

// closeBelow ends the connection without a word of TLS.
func closeBelow(t testing.TB, c *pgtest.Conn) {
	t.Helper()
	if err := c.Net.(*tls.Conn).NetConn().(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
}

// lines are the numbers of lines of source in errors.
var lines = regexp.MustCompile("\x00L[0-9]+\\b")

// A client that closes its half of the connection gets what it has asked for, as from
// PostgreSQL; what it has left open is taken back.
func TestHalfClosedClient(t *testing.T) {
	backend := plain(t)
	admin := observer(t, backend)
	certs := newCertificates(t, "postgres")
	p := startProxy(t, backend, func(c *proxy.Config) {
		onlyOne(c)
		c.Timeouts.HalfClosed = time.Hour
		c.TLS = proxy.TLSConfig{Mode: "allow", CertFile: certs.serverCert, KeyFile: certs.serverKey}
	})
	for name, sends := range map[string][]pgproto3.FrontendMessage{
		"a query":         {pgtest.Query("select pg_advisory_xact_lock(817) is null")},
		"queries":         {pgtest.Query("select pg_advisory_xact_lock(817) is null"), pgtest.Query("select 2"), pgtest.Query("select 3")},
		"a transaction":   {pgtest.Query("begin"), pgtest.Query("select pg_advisory_xact_lock(817) is null")},
		"a pipeline":      {pgtest.Query("select pg_advisory_xact_lock(817) is null"), pgtest.Parse("", "select 2"), pgtest.Bind("", ""), pgtest.Execute("", 0), pgtest.Sync},
		"no Sync":         {pgtest.Query("select pg_advisory_xact_lock(817) is null"), pgtest.Parse("", "select 2"), pgtest.Bind("", ""), pgtest.Execute("", 0)},
		"what must wait":  {pgtest.Query("prepare p as select 2; select pg_advisory_xact_lock(817) is null"), pgtest.Query("execute p"), pgtest.Query("discard all"), pgtest.Query("select 3")},
		"half a message":  {pgtest.Query("select pg_advisory_xact_lock(817) is null"), pgtest.Raw("Q\x00\x00\x00\x10sel")},
		"many rows":       {pgtest.Query("select pg_advisory_xact_lock(817), repeat('x', 1000) from generate_series(1, 20000)")},
		"data for a COPY": {pgtest.Query("select pg_advisory_xact_lock(817) is null; create temp table mine (id int); copy mine from stdin"), pgtest.CopyData("1\n"), pgtest.CopyDone},
		"half a COPY":     {pgtest.Query("select pg_advisory_xact_lock(817) is null; create temp table mine (id int); copy mine from stdin"), pgtest.CopyData("1\n2\n")},
		"half a COPY, behind a portal": {pgtest.Query("begin; create temp table mine (id int); select pg_advisory_xact_lock(817) is null"), pgtest.Parse("", "copy mine from stdin"), pgtest.Bind("", ""), pgtest.Execute("", 0),
			pgtest.CopyData("1\n2\n")},
		"with Terminate": {pgtest.Query("select pg_advisory_xact_lock(817) is null"), pgtest.Terminate},
	} {
		t.Run(name, func(t *testing.T) {
			hear := func(c *pgtest.Conn, end func(testing.TB, *pgtest.Conn)) (heard []byte) {
				if err := admin.Exec("select pg_advisory_lock(817)"); err != nil {
					t.Fatal(err)
				}
				if err := c.Send(sends...); err != nil {
					t.Fatal(err)
				}
				if err := admin.Await("select count(*) = 1 from pg_locks where locktype = 'advisory' and objid = 817 and not granted"); err != nil {
					t.Fatal(err)
				}
				end(t, c)
				if err := admin.Exec("select pg_advisory_unlock(817)"); err != nil {
					t.Fatal(err)
				}
				for {
					f, err := c.Receive()
					if err != nil {
						t.Fatal(err)
					}
					if f.Type == pgtest.EOF {
						return heard
					}
					heard = append(append(heard, f.Type), f.Body...)
				}
			}
			want := hear(client(t, backend), closeHalf)
			for how, end := range map[string]func(testing.TB, *pgtest.Conn){"by TCP": closeHalf, "by TLS": closeHalf, "by TCP below TLS": closeBelow} {
				c := client(t, p.addr)
				if how != "by TCP" {
					c = tlsClient(t, p.addr)
				}
				if got := hear(c, end); lines.ReplaceAllString(string(want), "") != lines.ReplaceAllString(string(got), "") {
					t.Errorf("%s: got %.400q, want %.400q", how, got, want)
				}
				if got := value(t, client(t, p.addr), "select to_regclass('pg_temp.mine') is null"); got != "t" {
					t.Errorf("%s: the next client sees a temporary table", how)
				}
			}
		})
	}
}

// A client may have gone that seems to wait still.
func TestHalfClosedForGood(t *testing.T) {
	backend := plain(t)
	dir := t.TempDir()
	p := startProxy(t, backend, func(c *proxy.Config) {
		onlyOne(c)
		c.Listen.Addresses, c.Listen.UnixPort = append(c.Listen.Addresses, dir), 6543
	})
	admin := observer(t, backend)
	pid := onlyBackend(t, p)
	for name, tt := range map[string]struct {
		limit time.Duration
		open  func() *pgtest.Conn
		end   func(*pgtest.Conn)
	}{
		"is not waited for": {0, func() *pgtest.Conn { return client(t, p.addr) }, func(c *pgtest.Conn) { closeHalf(t, c) }},
		"by a timeout":      {50 * time.Millisecond, func() *pgtest.Conn { return client(t, p.addr) }, func(c *pgtest.Conn) { closeHalf(t, c) }},
		"by a unix socket":  {time.Hour, func() *pgtest.Conn { return unixClient(t, dir+"/.s.PGSQL.6543") }, func(c *pgtest.Conn) { c.Close() }},
	} {
		t.Run(name, func(t *testing.T) {
			p.reload(t, func(c *proxy.Config) { c.Timeouts.HalfClosed = tt.limit })
			c := tt.open()
			if err := c.Send(pgtest.Query("begin; create temp table mine (id int); " + sleep("ended"))); err != nil {
				t.Fatal(err)
			}
			sleeping(t, admin, "ended")
			tt.end(c)
			inherits(t, p, name, pid)
		})
	}
}

func unixClient(t *testing.T, path string) *pgtest.Conn {
	t.Helper()
	nc, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	c := pgtest.NewConn(nc, "unix", nil)
	t.Cleanup(c.Close)
	if err := c.Start(3<<16, "user", "postgres", "database", "postgres"); err != nil {
		t.Fatal(err)
	}
	return c
}

// tlsClient is a client inside TLS.
func tlsClient(t *testing.T, address string) *pgtest.Conn {
	t.Helper()
	nc, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	var agreed [1]byte
	if _, err := nc.Write([]byte("\x00\x00\x00\x08\x04\xd2\x16\x2f")); err != nil {
		t.Fatal(err)
	}
	if _, err := nc.Read(agreed[:]); err != nil || agreed[0] != 'S' {
		t.Fatalf("SSLRequest: %q, %v", agreed, err)
	}
	c := pgtest.NewConn(tls.Client(nc, &tls.Config{InsecureSkipVerify: true}), "tls", nil)
	t.Cleanup(c.Close)
	if err := c.Start(3<<16, "user", "postgres", "database", "postgres"); err != nil {
		t.Fatal(err)
	}
	return c
}
