package proxy_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// A proxy that shuts down waits for no console that rests, whatever its transaction,
// and lets one finish that is in the middle of an exchange.
func TestConsoleDrain(t *testing.T) {
	p := startProxy(t, "127.0.0.1:1", func(c *proxy.Config) { c.Timeouts.Shutdown = pgtest.Patience })
	idle, begun, busy := client(t, p.addr, "database", "pgjay"), client(t, p.addr, "database", "pgjay"), client(t, p.addr, "database", "pgjay")
	if _, err := begun.Query("begin"); err != nil {
		t.Fatal(err)
	}
	if err := busy.Send(pgtest.Parse("", "show version")); err != nil {
		t.Fatal(err)
	}
	expect(t, busy, "1")
	p.stop()
	expect(t, idle, "E FATAL 57P01 *", "EOF")
	expect(t, begun, "E FATAL 57P01 *", "EOF")
	if err := busy.Send(pgtest.Bind("", ""), pgtest.Execute("", 0), pgtest.Sync); err != nil {
		t.Fatal(err)
	}
	expect(t, busy, "2", "D PgJay 0.1", "C SHOW", "Z I", "E FATAL 57P01 *", "EOF")
	p.await(t)
}

func TestConsoleIdleTimeout(t *testing.T) {
	p := startProxy(t, "127.0.0.1:1", func(c *proxy.Config) { c.Timeouts.ClientIdle = time.Second })
	idle := client(t, p.addr, "database", "pgjay")
	value(t, idle, "show version")
	expect(t, idle, "E FATAL 57P05 *", "EOF")
	half := client(t, p.addr, "database", "pgjay")
	if err := half.Send(pgtest.Parse("", "show version")); err != nil { // no Sync
		t.Fatal(err)
	}
	expect(t, half, "1", "E FATAL 57P05 *", "EOF")
}

// A console counts as a client and never as one of a pool; a cancel request finds it,
// and there is nothing to cancel.
func TestConsoleIsAClient(t *testing.T) {
	p := startProxy(t, "127.0.0.1:1", func(c *proxy.Config) { c.Limits.MaxClients = 1 })
	c := client(t, p.addr, "database", "pgjay")
	value(t, c, "show version")
	expectMetric(t, p, `client_connections_opened_total`, 1)
	if len(p.server.Pools().Stats()) != 0 {
		t.Error("there is a pool")
	}
	second := begin(t, p.addr, "user", "postgres", "database", "pgjay")
	expect(t, second, "E FATAL 53300 *", "EOF")
	p.server.MoveSessions()
	p.reload(t, func(c *proxy.Config) { c.Limits.MaxClients = 2 })
	if err := c.Cancel(p.addr); err != nil {
		t.Fatal(err)
	}
	expectMetric(t, p, `cancel_requests_total{result="sent"}`, 1)
	if got := value(t, c, "show version"); got != "PgJay 0.1" {
		t.Errorf("after the request it says %q", got)
	}
	c.Close()
	expectMetric(t, p, `client_connections_closed_total{reason="client_gone"}`, 1)
}

// A panic ends the session that has it.
func TestConsolePanic(t *testing.T) {
	p := startProxy(t, "127.0.0.1:1", nil)
	other, broken := client(t, p.addr, "database", "pgjay"), client(t, p.addr, "database", "pgjay")
	p.server.Sabotage(broken.PID, broken.Secret, "Write")
	if err := broken.Send(pgtest.Sync); err != nil {
		t.Fatal(err)
	}
	expect(t, broken, "E FATAL XX000 *", "EOF")
	value(t, other, "show version")
}

// A client that asks and does not read is not answered without end: what it sends is
// not read any more, and goes on when it reads.
func TestConsoleBlocked(t *testing.T) {
	p := startProxy(t, "127.0.0.1:1", withCache)
	c := client(t, p.addr, "database", "pgjay")
	const times = 12000 // more than sockets take
	question := []byte("Q\x00\x00\x00\x16show cache totals\x00")
	if err := c.Send(pgtest.Raw(bytes.Repeat(question, times))); err != nil {
		t.Fatal(err)
	}
	for range times {
		frames, err := c.ReceiveUntil('Z')
		if err != nil || len(frames) < 20 {
			t.Fatal(len(frames), err)
		}
	}
	value(t, c, "show version")
}
