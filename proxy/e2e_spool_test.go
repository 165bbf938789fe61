package proxy_test

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// largeResult has 100 MB, of which no two rows are the same.
const largeResult = "select i, repeat(md5(i::text), 312) from generate_series(1, 10000) i"

// spools has results spooled, in front of one backend.
func spools(t testing.TB) func(*proxy.Config) {
	directory := t.TempDir()
	return func(c *proxy.Config) {
		onlyOne(c)
		c.Pool.Spool.MemoryMB, c.Pool.Spool.SizeMB, c.Pool.Spool.Directory = 1, 500, directory
	}
}

// ways are those to ask for a large result.
var ways = map[string][]pgproto3.FrontendMessage{
	"simple": {pgtest.Query(largeResult)},
	"extended": {pgtest.Parse("", largeResult), pgtest.Bind("", ""), pgtest.DescribePortal(""), pgtest.Execute("", 0),
		&pgproto3.Sync{}},
	"copy": {pgtest.Query("copy (" + largeResult + ") to stdout")},
}

// sum reads up to ReadyForQuery and returns what it has read as a hash and a length.
func sum(t testing.TB, c *pgtest.Conn) string {
	t.Helper()
	h, n := sha256.New(), 0
	for {
		f, err := c.Receive()
		if err != nil || f.Type == pgtest.EOF {
			t.Fatalf("%v, %v after %d bytes", f, err, n)
		}
		_, _ = fmt.Fprintf(h, "%c%d ", f.Type, len(f.Body))
		_, _ = h.Write(f.Body)
		if n += len(f.Body); f.Type == 'Z' {
			return fmt.Sprintf("%x, %d bytes", h.Sum(nil), n)
		}
	}
}

// unspooled waits for everything to be given back.
func unspooled(t testing.TB, p *running) {
	t.Helper()
	eventually(t, "nothing is spooled", func() bool {
		s := p.server.SpoolStat()
		return s.Clients == 0 && s.Memory == 0 && s.Files == 0
	})
}

// askSlowly asks for a large result, and returns when some of it is kept.
func askSlowly(t testing.TB, p *running, slow *pgtest.Conn, messages ...pgproto3.FrontendMessage) {
	t.Helper()
	sendMessages(t, slow, messages...)
	eventually(t, "something is spooled", func() bool { return p.server.SpoolStat().Clients > 0 })
}

// send sends messages and reads no answer.
func sendMessages(t testing.TB, c *pgtest.Conn, messages ...pgproto3.FrontendMessage) {
	t.Helper()
	if err := c.Send(messages...); err != nil {
		t.Fatal(err)
	}
}

// A client that does not take its result holds nobody else up, however it was asked for
// and through whatever it goes. It gets every byte of it.
func TestSpool(t *testing.T) {
	backend := plain(t)
	certs := newCertificates(t, "postgres")
	for name, messages := range ways {
		direct := client(t, backend)
		sendMessages(t, direct, messages...)
		want := sum(t, direct)
		direct.Close()
		for kind, newServer := range map[string]serverMaker{"native": proxy.NewServer, "portable": proxy.NewPortableServer} {
			for _, encrypted := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, %s, TLS %t", name, kind, encrypted), func(t *testing.T) {
					p := startServer(t, backend, newServer, func(c *proxy.Config) {
						spools(t)(c)
						c.TLS = proxy.TLSConfig{Mode: "allow", CertFile: certs.serverCert, KeyFile: certs.serverKey}
					})
					connect := client
					if encrypted {
						connect = func(_ testing.TB, addr string, _ ...string) *pgtest.Conn { return tlsClient(t, addr) }
					}
					slow, other := connect(t, p.addr), client(t, p.addr)
					askSlowly(t, p, slow, messages...)
					if got := value(t, other, "select 42"); got != "42" {
						t.Errorf("the other client got %q", got)
					}
					if s := p.server.SpoolStat(); s.Clients != 1 || s.Files < 50<<20 {
						t.Errorf("%+v", s)
					}
					if got := sum(t, slow); got != want {
						t.Errorf("got %s, want %s", got, want)
					}
					unspooled(t, p)
					if got := value(t, slow, "select 'again'"); got != "again" {
						t.Errorf("got %q", got)
					}
				})
			}
		}
	}
}

// What there is no room for holds the backend, as without a spool. Memory and files stay
// within their bounds, and nothing is lost.
func TestSpoolIsFull(t *testing.T) {
	backend := plain(t)
	observe := observer(t, backend)
	direct := client(t, backend)
	sendMessages(t, direct, ways["simple"]...)
	want := sum(t, direct)
	for _, size := range []int{0, 10} {
		p := startProxy(t, backend, func(c *proxy.Config) {
			spools(t)(c)
			c.Pool.Spool.SizeMB = size
		})
		slow, other := client(t, p.addr), client(t, p.addr)
		before := heap()
		sendMessages(t, slow, ways["simple"]...)
		eventually(t, "it is full", func() bool {
			s := p.server.SpoolStat()
			return s.Files == int64(size)<<20 && s.Memory > 1<<20
		})
		if err := observe.Await("select count(*) = 1 from pg_stat_activity where wait_event = 'ClientWrite' and query like 'select i, repeat%'"); err != nil {
			t.Fatal(err)
		}
		sendMessages(t, other, pgtest.Query("select 42"))
		s := p.server.SpoolStat()
		if s.Files != int64(size)<<20 || s.Memory > 2<<20 {
			t.Errorf("%+v with room for %d MB", s, size)
		}
		if after := heap(); after > before+8<<20 {
			t.Errorf("%d bytes of memory, before %d", after, before)
		}
		if got := sum(t, slow); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		expect(t, other, "T*", "D 42", "C SELECT 1", "Z I")
		unspooled(t, p)
	}
}

// A directory that cannot be used any more is told once, and the results come without it.
func TestSpoolFails(t *testing.T) {
	backend := plain(t)
	p := startProxy(t, backend, func(c *proxy.Config) {
		spools(t)(c)
		c.Pool.Spool.Directory += "/none"
	})
	direct := client(t, backend)
	sendMessages(t, direct, ways["simple"]...)
	want := sum(t, direct)
	for range 2 {
		slow := client(t, p.addr)
		sendMessages(t, slow, ways["simple"]...)
		eventually(t, "a file fails", func() bool { return p.server.SpoolStat().Failures > 0 })
		if got := sum(t, slow); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		slow.Close()
	}
	unspooled(t, p)
	if n := strings.Count(p.log.String(), "cannot be spooled"); n != 1 {
		t.Errorf("told %d times", n)
	}
}

// Whatever ends a client in the midst, all that was kept for it goes.
func TestSpoolEnds(t *testing.T) {
	backend := plain(t)
	for name, end := range map[string]func(t *testing.T, p *running, slow *pgtest.Conn){
		"the client goes": func(_ *testing.T, _ *running, slow *pgtest.Conn) { slow.Close() },
		"it is killed": func(t *testing.T, p *running, slow *pgtest.Conn) {
			console := consoleConn(t, p)
			id := row(consoleRows(t, console, "show clients"), "application_name", "slow")["id"]
			if code := consoleError(t, console, fmt.Sprint("kill_client ", id)); code != "" {
				t.Errorf("kill_client: %s", code)
			}
		},
		"pgjay ends": func(t *testing.T, p *running, _ *pgtest.Conn) { p.stop(); p.await(t) },
	} {
		t.Run(name, func(t *testing.T) {
			p := startProxy(t, backend, spools(t))
			slow, other := client(t, p.addr, "application_name", "slow"), client(t, p.addr)
			askSlowly(t, p, slow, ways["simple"]...)
			value(t, other, "select 42")
			if s := p.server.SpoolStat(); s.Files < 50<<20 {
				t.Fatalf("%+v", s)
			}
			end(t, p, slow)
			unspooled(t, p)
		})
	}
}

// A client that has said Terminate, or closed its half, still gets what it has asked for.
func TestSpoolOutlivesTerminate(t *testing.T) {
	backend := plain(t)
	direct := client(t, backend)
	sendMessages(t, direct, ways["simple"]...)
	want := sum(t, direct)
	for name, end := range map[string]func(c *pgtest.Conn) error{
		"Terminate":   func(c *pgtest.Conn) error { return c.Send(&pgproto3.Terminate{}) },
		"half closed": func(c *pgtest.Conn) error { return c.Net.(interface{ CloseWrite() error }).CloseWrite() },
	} {
		t.Run(name, func(t *testing.T) {
			p := startProxy(t, backend, func(c *proxy.Config) {
				spools(t)(c)
				c.Timeouts.HalfClosed = 100 * time.Millisecond
			})
			slow, other := client(t, p.addr), client(t, p.addr)
			askSlowly(t, p, slow, ways["simple"]...)
			value(t, other, "select 42")
			if err := end(slow); err != nil {
				t.Fatal(err)
			}
			value(t, other, "select pg_sleep(0.3)")
			if got := sum(t, slow); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			expect(t, slow, "EOF")
			unspooled(t, p)
		})
	}
}

// The clocks that run while a client does nothing do not while it takes its result. Its
// next message is answered.
func TestSpoolAndTimeouts(t *testing.T) {
	backend := plain(t)
	p := startProxy(t, backend, spools(t))
	clock := observer(t, backend)
	for name, c := range map[string]struct {
		messages []pgproto3.FrontendMessage
		ends     []string
	}{
		"in a transaction": {
			[]pgproto3.FrontendMessage{pgtest.Query("begin"), pgtest.Query(largeResult)},
			[]string{"T*", "D behind", "C SELECT 1", "Z T", "E FATAL 25P03 *", "EOF"},
		},
		"between transactions": {
			[]pgproto3.FrontendMessage{pgtest.Query("select"), pgtest.Query(largeResult)},
			[]string{"T*", "D behind", "C SELECT 1", "Z I", "E FATAL 57P05 *", "EOF"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			slow := client(t, p.addr)
			askSlowly(t, p, slow, c.messages...)
			p.reload(t, func(c *proxy.Config) {
				c.Timeouts.ClientIdle, c.Timeouts.IdleInTransaction = time.Second, time.Second
			})
			eventually(t, "the result is there", func() bool { return p.server.SpoolStat().Files > 70<<20 })
			if err := clock.Exec("select pg_sleep(1.5)"); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if _, err := slow.ReceiveUntil('Z'); err != nil {
					t.Fatal(err)
				}
			}
			sendMessages(t, slow, pgtest.Query("select 'behind'"))
			expect(t, slow, c.ends...)
			unspooled(t, p)
		})
	}
}

// A shutdown waits for a client that takes its result.
func TestSpoolAndShutdown(t *testing.T) {
	p := startProxy(t, plain(t), func(c *proxy.Config) {
		spools(t)(c)
		c.Timeouts.Shutdown = time.Minute // longer than the test waits
	})
	slow, other := client(t, p.addr), client(t, p.addr)
	askSlowly(t, p, slow, ways["simple"]...)
	value(t, other, "select 42")
	p.stop()
	expect(t, other, "E FATAL 57P01 *", "EOF")
	sum(t, slow)
	expect(t, slow, "E FATAL 57P01 *", "EOF")
	p.await(t)
}

// Replication is not spooled: a server that is told to wait must know that it does.
func TestSpoolIsNotForReplication(t *testing.T) {
	backend := plain(t)
	p := startProxy(t, backend, spools(t))
	c := client(t, p.addr, "replication", "database")
	sendMessages(t, c, pgtest.Query("select repeat('r', 10000) from generate_series(1, 5000)"))
	if err := observer(t, backend).Await("select count(*) = 1 from pg_stat_activity where wait_event = 'ClientWrite' and query like 'select repeat(''r''%'"); err != nil {
		t.Fatal(err)
	}
	if frames, err := c.ReceiveUntil('Z'); err != nil || len(frames) < 5000 {
		t.Errorf("%d messages, %v", len(frames), err)
	}
	if stat := p.server.SpoolStat(); stat.Total != 0 {
		t.Errorf("%+v", stat)
	}
}
