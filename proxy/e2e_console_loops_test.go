package proxy_test

import (
	"fmt"
	"testing"

	"github.com/pgjay/pgjay/proxy/pgtest"
)

// KILL and KILL_CLIENT find clients on every loop, also those that are changing loops.
func TestConsoleKillOnOtherLoops(t *testing.T) {
	p := startProxy(t, plain(t), nil)
	asks := client(t, p.addr, "database", "pgjay")
	loop := func(c *pgtest.Conn) int { return p.server.LoopOf(c.PID, c.Secret) }
	// move gives a client to a loop that the console is not on, where it stays as long as
	// it asks nothing.
	move := func(c *pgtest.Conn) {
		t.Helper()
		eventually(t, "a client on another loop", func() bool {
			if loop(c) == loop(asks) {
				p.server.MoveSessions()
			}
			return loop(c) != loop(asks)
		})
	}
	one, other := client(t, p.addr, "application_name", "one"), client(t, p.addr, "application_name", "other")
	clients := consoleRows(t, consoleConn(t, p), "show clients")
	id := row(clients, "application_name", "one")["id"]
	if id == nil || row(clients, "application_name", "other") == nil {
		t.Fatalf("it shows %v", clients)
	}
	move(one)
	if err := asks.Send(pgtest.Query(fmt.Sprint("kill_client ", id))); err != nil {
		t.Fatal(err)
	}
	expect(t, asks, "C KILL_CLIENT", "Z I")
	expect(t, one, "E FATAL 57P01 *", "EOF")
	third := client(t, p.addr)
	move(other)
	if err := asks.Send(pgtest.Query("kill postgres")); err != nil {
		t.Fatal(err)
	}
	expect(t, asks, "C KILL", "Z I")
	expect(t, other, "E FATAL 57P01 *", "EOF")
	expect(t, third, "E FATAL 57P01 *", "EOF")
}
