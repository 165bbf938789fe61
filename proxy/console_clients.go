package proxy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pgjay/pgjay/monitor"
	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy/wire"
)

// socketColumns are PgBouncer's of a socket, and socketDetails those that SHOW SOCKETS
// has behind them.
var (
	socketColumns = bouncerColumns("ssssssisiTTiiississii",
		"type", "user", "database", "replication", "state", "addr", "port", "local_addr", "local_port",
		"connect_time", "request_time", "wait", "wait_us", "close_needed", "ptr", "link", "remote_pid", "tls",
		"application_name", "prepared_statements", "id")
	socketDetails = bouncerColumns("iiiiiii",
		"recv_pos", "pkt_pos", "pkt_remain", "send_pos", "send_remain", "pkt_avail", "send_avail")
)

var (
	showClients = consoleCommand{words: "SHOW CLIENTS", tag: "SHOW", run: clientRows, columns: socketColumns}
	showServers = consoleCommand{words: "SHOW SERVERS", tag: "SHOW", run: serverRows, columns: socketColumns}
	showSockets = consoleCommand{
		words: "SHOW SOCKETS", tag: "SHOW", run: socketRows(false), columns: slices.Concat(socketColumns, socketDetails),
	}
	showActiveSockets = consoleCommand{
		words: "SHOW ACTIVE_SOCKETS", tag: "SHOW", run: socketRows(true), columns: slices.Concat(socketColumns, socketDetails),
	}
)

func clientRows(call *consoleCall) (consoleAnswer, error) {
	clients, err := call.Clients()
	if err != nil {
		return consoleAnswer{}, err
	}
	var rows [][]any
	for i := range clients {
		rows = append(rows, clients[i].socketRow())
	}
	return consoleAnswer{rows: rows}, nil
}

func serverRows(call *consoleCall) (consoleAnswer, error) {
	clients, err := call.Clients()
	if err != nil {
		return consoleAnswer{}, err
	}
	holders := make(map[backendName]*ClientStat)
	for i := range clients {
		if c := &clients[i]; c.Backend != 0 {
			holders[backendName{c.Server, c.Backend}] = c
		}
	}
	var rows [][]any
	for _, b := range call.pools.Backends() {
		rows = append(rows, backendRow(&b, holders[backendName{b.Server, b.PID}]))
	}
	return consoleAnswer{rows: rows}, nil
}

// socketRows lists the sockets of both kinds; active leaves out those that nothing
// happens on.
func socketRows(active bool) func(*consoleCall) (consoleAnswer, error) {
	return func(call *consoleCall) (consoleAnswer, error) {
		clients, err := clientRows(call)
		if err != nil {
			return clients, err
		}
		servers, err := serverRows(call)
		var rows [][]any
		for _, row := range slices.Concat(clients.rows, servers.rows) {
			if !active || row[4] == "active" || row[4] == "waiting" {
				rows = append(rows, append(row, int64(0), int64(0), int64(0), int64(0), int64(0), int64(0), int64(0)))
			}
		}
		return consoleAnswer{rows: rows}, err
	}
}

// backendName tells backends apart: the server's address and its process ID.
type backendName struct {
	server string
	pid    uint32
}

// pointer is what stands for a backend in the columns ptr and link.
func (b backendName) pointer() string {
	if b.pid == 0 {
		return ""
	}
	return fmt.Sprintf("0xb%07x", b.pid)
}

// clientPointer does the same for a client.
func clientPointer(id uint32) string { return fmt.Sprintf("0xc%07x", id) }

// bouncerState is the state in PgBouncer's words: who has a backend is active.
func (c *ClientStat) bouncerState() string {
	switch {
	case c.State == monitor.ClientWaiting:
		return "waiting"
	case c.Backend != 0 || c.State == monitor.ClientActive:
		return "active"
	}
	return "idle"
}

// bouncerTime is a time as PgBouncer writes it; nil if there is none.
func bouncerTime(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format("2006-01-02 15:04:05 MST")
}

func (c *ClientStat) socketRow() []any {
	used := c.LastUsed
	if used.IsZero() {
		used = c.Connected
	}
	replication := "none"
	if c.Replication {
		replication = "physical"
	}
	return []any{
		"C", shown(c.Key.User), shown(c.Key.Database), replication, c.bouncerState(),
		c.Remote.address, int64(c.Remote.port), c.Local.address, int64(c.Local.port), bouncerTime(c.Connected), bouncerTime(used),
		int64(c.Waiting / time.Second), int64(c.Waiting % time.Second / time.Microsecond), int64(0),
		clientPointer(c.ID), backendName{c.Server, c.Backend}.pointer(), int64(0), c.TLS, shown(c.Application), int64(c.Prepared), int64(c.ID),
	}
}

// backendRow is the row of a backend and the client that has it; nil: none has.
func backendRow(b *pool.BackendStat, holder *ClientStat) []any {
	now := time.Now()
	connected, used, link, application := now.Add(-b.Age), now.Add(-b.Age), "", ""
	if holder != nil {
		link, application = clientPointer(holder.ID), shown(holder.Application)
		if !holder.LastUsed.IsZero() {
			used = holder.LastUsed
		}
	}
	state := b.State
	if state == "testing" {
		state = "tested"
	}
	remote, local := parseEndpoint(b.Server), parseEndpoint(b.Local)
	return []any{
		"S", shown(b.Key.User), shown(b.Key.Database), "none", state, remote.address, int64(remote.port), local.address, int64(local.port),
		bouncerTime(connected), bouncerTime(used), int64(0), int64(0), oneIf(b.Retired),
		backendName{b.Server, b.PID}.pointer(), link, int64(b.PID), b.TLS, application, int64(max(b.Statements, 0)), int64(b.PID),
	}
}

func oneIf(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// shown makes a value of a client's text, which may be anything.
func shown(text string) string { return strings.ToValidUTF8(text, "?") }

// errUnsupported is the answer to a command of PgBouncer's that PgJay has nothing for.
func errUnsupported(command, hint string) *wire.Error {
	return &wire.Error{Severity: "ERROR", Code: "0A000", Message: "pgjay: there is no " + command, Hint: hint}
}
