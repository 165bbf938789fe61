package proxy

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgjay/pgjay/proxy/wire"
)

// TestSimulator runs many seeds. What it holds the sessions and the pool to:
//
//   - without faults a client gets, byte for byte, what a server of its own
//     would have sent it: all replies it is owed, in order, and nothing of
//     anybody else's;
//   - with faults nobody gets what belongs to another client;
//   - everything comes to an end, and then no backend is leased or lost.
func TestSimulator(t *testing.T) {
	t.Parallel()
	if *simSeed != 0 {
		simulate(t, *simSeed)
		return
	}
	for seed := uint64(1); seed <= uint64(*simSeeds); seed++ {
		simulate(t, seed)
		if t.Failed() {
			t.Fatalf("replay with: go test ./proxy -run TestSimulator -seed %d", seed)
		}
	}
}

// The simulator must see panics: they are what it looks for.
func TestSimulatorSeesPanics(t *testing.T) {
	m := newSim(t, 1)
	m.connect(&simClient{sim: m, vanishes: -1})
	s := m.clients[0].session
	s.client.conn = &brittleConn{s.client.conn, "Write", 1}
	defer func() {
		if recover() == nil {
			t.Error("a session's panic was recovered from")
		}
	}()
	s.Data([]byte{0, 0, 0, 0})
}

func simulate(t *testing.T, seed uint64) {
	m := newSim(t, seed)
	defer func() {
		if r := recover(); r != nil {
			t.Errorf("seed %d: panic: %v", seed, r)
			panic(r)
		}
	}()
	if *simSeed != 0 {
		m.log = os.Stderr
	}
	for id := range 1 + m.rng.IntN(4) {
		c := &simClient{sim: m, id: id, vanishes: -1, patient: m.rng.IntN(2) == 0}
		c.write()
		m.enter(c, 4)
	}
	m.finish(200_000)
}

// enter connects a client that has something to send. One in so many vanishes in the
// midst of it.
func (m *sim) enter(c *simClient, oneIn int) {
	if m.rng.IntN(oneIn) == 0 {
		c.vanishes = m.rng.IntN(len(c.script))
	}
	m.connect(c)
}

// finish runs the world to its end and checks what is true of all.
func (m *sim) finish(steps int) {
	m.run(steps)
	for _, c := range m.clients {
		m.check(c)
	}
	m.checkPool()
}

// write makes the bytes of a client: start-up, exchanges, Terminate.
func (c *simClient) write() {
	rng, id := c.sim.rng, c.id
	startup := &pgproto3.StartupMessage{
		ProtocolVersion: wire.Version30,
		Parameters:      map[string]string{"user": "u", "database": "d"},
	}
	if rng.IntN(2) == 0 {
		startup.Parameters["application_name"] = fmt.Sprintf("app%d", rng.IntN(3))
	}
	out, _ := startup.Encode(nil)
	c.login = len(out)
	w := &scriptWriter{rng: rng, id: id, out: out, goes: rng.IntN(4) == 0, keeps: rng.IntN(4) == 0}
	w.alters, w.canceled, w.listens = c.sim.changes > 0, c.sim.cancels > 0, c.sim.listens
	for range 1 + rng.IntN(8) {
		if w.alters && c.patient && rng.IntN(4) == 0 {
			w.prepareFresh()
		}
		w.exchange()
	}
	if rng.IntN(4) != 0 {
		w.query("ROLLBACK")
	}
	c.script, c.waits = wire.AppendEmpty(w.out, wire.Sync), w.waits
	if c.halves = rng.IntN(8) == 0; !c.halves {
		c.script = wire.AppendEmpty(c.script, wire.Terminate)
	}
}

// scriptWriter writes a client's messages. Each statement has a tag that no
// other client's has.
type scriptWriter struct {
	rng *rand.Rand
	id  int
	n   int
	out []byte
	// goes is set when some of what it prepares cannot be prepared again. Where a
	// pipeline has begun it would be told so earlier than by PostgreSQL
	// (docs/status.md), so its pipelines are short.
	goes bool
	// keeps is set when it leaves on its backend what pins.
	keeps bool
	// alters is set when there is DDL.
	alters bool
	// canceled is set when cancel requests are sent.
	canceled bool
	// listens is set when it listens and notifies.
	listens bool
	waits   []int
}

func (w *scriptWriter) tag() string {
	w.n++
	return fmt.Sprintf("'c%d-%d'", w.id, w.n)
}

func (w *scriptWriter) statement() string {
	switch {
	case w.keeps && w.rng.IntN(3) == 0:
		return w.keeping()
	case w.alters && w.rng.IntN(12) == 0:
		return "ALTER TABLE w ADD c int"
	case w.goes && w.rng.IntN(8) == 0:
		return "PREPARE " + w.name() + " AS SELECT " + w.tag() + " FROM gone"
	}
	switch w.rng.IntN(20) {
	case 16:
		return "PREPARE " + w.name() + " AS SELECT " + w.tag()
	case 17, 18:
		return "EXECUTE " + w.name()
	case 19:
		return "DEALLOCATE " + w.name()
	case 0:
		return "BEGIN"
	case 1:
		return "COMMIT"
	case 2:
		return "ROLLBACK"
	case 3:
		return "SELECT 1/0"
	case 4:
		return fmt.Sprintf("SET work_mem = '%dMB'", w.id+5)
	case 5:
		return fmt.Sprintf("SET application_name = 'set%d'", w.id)
	case 6:
		return "SYNTAX"
	case 7, 10:
		return fmt.Sprintf("SELECT 'same %d'", w.rng.IntN(3)) // as others do
	case 8:
		return "COPY t TO STDOUT"
	case 11:
		return fmt.Sprintf("SELECT setval(%s)", w.tag())
	case 12:
		return "SELECT lastval()"
	case 9:
		return "SELECT " + w.tag() + strings.Repeat("*", w.rng.IntN(50))
	}
	return "SELECT " + w.tag()
}

// name is that of a prepared statement.
func (w *scriptWriter) name() string { return []string{"named", "other"}[w.rng.IntN(2)] }

func (w *scriptWriter) query(sql string) { w.out = wire.AppendQuery(w.out, sql) }

func (w *scriptWriter) exchange() {
	if w.listens && w.rng.IntN(2) == 0 {
		w.listening()
		return
	}
	switch w.rng.IntN(11) {
	case 10:
		w.transaction()
	case 0, 1, 2, 3:
		w.query(w.statement())
	case 4:
		w.pair(w.statement(), w.statement())
	case 5:
		w.copyIn()
	case 6:
		w.query([]string{"", "DISCARD ALL", "DEALLOCATE ALL", "PREPARE " + w.name() + " AS SELECT " + w.tag(), "EXECUTE " + w.name(),
			"DEALLOCATE " + w.name(), "RESET application_name", w.statement() + "; RESET application_name"}[w.rng.IntN(8)])
	case 7:
		w.out = wire.AppendEmpty(w.out, wire.Sync)
	default:
		w.pipeline()
	}
}

var namesPrepared = regexp.MustCompile("^(PREPARE|EXECUTE|DEALLOCATE)")

// pair is a Query of two statements. One that ends a failed transaction is not
// followed by one that names a prepared statement: it would not be found on
// another backend (docs/status.md).
func (w *scriptWriter) pair(first, second string) {
	for strings.HasPrefix(first, "ROLLBACK") || strings.HasPrefix(first, "COMMIT") {
		if !namesPrepared.MatchString(second) {
			break
		}
		second = w.statement()
	}
	w.query(first + "; " + second)
}

// copyIn is COPY FROM STDIN in either protocol, which may fail.
func (w *scriptWriter) copyIn() {
	sql, fails := "COPY t FROM STDIN", w.rng.IntN(8)
	if fails < 4 {
		sql += fmt.Sprintf(" -- fail %d", fails)
	}
	simple := w.rng.IntN(2) == 0
	if simple {
		w.query(sql)
	} else {
		w.out = wire.AppendParse(w.out, "", sql)
		w.out = wire.AppendBindText(w.out, "")
		w.out = wire.AppendExecute(w.out)
		if w.rng.IntN(2) == 0 {
			w.out = wire.AppendEmpty(w.out, wire.Sync) // as libpq does
		}
	}
	for range w.rng.IntN(6) {
		w.out = append(w.out, wire.CopyData, 0, 0, 0, 8, 'd', 'a', 't', 'a')
	}
	if w.rng.IntN(4) == 0 {
		w.out = wire.AppendCopyFail(w.out, "no more")
	} else {
		w.out = wire.AppendEmpty(w.out, wire.CopyDone)
	}
	if !simple {
		w.out = wire.AppendEmpty(w.out, wire.Sync)
	}
	if !simple && (fails == 0 || w.canceled) {
		// This copy is not to be executed again, without data: if a copy fails
		// before it has read the Sync behind it, and a message follows that is
		// no copy data, nobody can tell which of the two Syncs it was answered
		// up to. (Such a client is right only because the copy fails.)
		w.out = wire.AppendParse(w.out, "", "SELECT "+w.tag())
		w.out = wire.AppendEmpty(w.out, wire.Sync)
	}
}

// pipeline is a few messages of the extended protocol and a Sync.
func (w *scriptWriter) pipeline() {
	n := 1 + w.rng.IntN(6)
	if w.goes {
		n = 1
	}
	for range n {
		name := []string{"", "", "named", "other"}[w.rng.IntN(4)]
		switch w.rng.IntN(8) {
		case 0, 1, 2:
			w.out = wire.AppendParse(w.out, name, w.statement())
		case 3, 4:
			w.out = wire.AppendBindText(w.out, name)
			w.out = wire.AppendExecute(w.out)
		case 5:
			w.out = wire.AppendDescribeStatement(w.out, name)
		case 6:
			w.out = wire.AppendCloseStatement(w.out, name)
		case 7:
			w.out = wire.AppendEmpty(w.out, wire.Flush)
		}
	}
	w.out = wire.AppendEmpty(w.out, wire.Sync)
}

// check compares what a client got with what it is owed.
func (m *sim) check(c *simClient) {
	got, _ := greeting(c.got)
	got = ownNotes(got, c.id)
	for i := range m.clients {
		if other := fmt.Sprintf("'c%d-", i); i != c.id && bytes.Contains(got, []byte(other)) {
			m.t.Errorf("client %d got something of client %d: %q", c.id, i, got)
		}
	}
	if m.faults || c.vanishes >= 0 || c.request != nil {
		return
	}
	owed, name := m.owed(c)
	owed = ownNotes(owed, c.id)
	if m.listens {
		m.checkNotes(c, newSimServer(name), c.login)
	}
	got, want := settledParameters(got, name), settledParameters(owed, name)
	if m.rows != nil {
		got, want = maskRows(got, c.id), maskRows(want, c.id)
	}
	if !bytes.Equal(got, want) {
		at := 0
		for at < len(got) && at < len(want) && got[at] == want[at] {
			at++
		}
		m.t.Errorf("client %d sent %q\n   gets %q\n    got %q\nbut want %q", c.id, c.script, got[:at], got[at:], want[at:])
	}
}

// owed asks a server that has no other client. name is its application_name.
func (m *sim) owed(c *simClient) (owed []byte, name string) {
	n, _ := wire.StartupLen(c.script, 10000)
	startup, err := wire.ParseStartup(c.script[:n])
	if err != nil {
		m.t.Fatal(err)
	}
	name, _ = startup.Get("application_name")
	server := newSimServer(name)
	if m.rows != nil {
		server.rows = newSimRows(new(int))
	}
	if len(c.requests) > 0 {
		m.feedCanceled(server, c, n)
	} else {
		server.feed(c.script[n:])
	}
	return server.out, name
}

// settledParameters leaves ParameterStatus out and puts what has changed since
// the last ReadyForQuery before each one: when in an exchange the client is
// told is not fixed, the proxy does it later than PostgreSQL after a RESET.
func settledParameters(p []byte, name string) (out []byte) {
	told, now := name, name
	for len(p) > 0 {
		n, ok := wire.FrameLen(p)
		if !ok || n < 0 || n > len(p) {
			return append(out, p...)
		}
		switch p[0] {
		case wire.ParameterStatus:
			if name, rest, _ := wire.CString(p[wire.HeaderLen:n]); string(name) == "application_name" {
				value, _, _ := wire.CString(rest)
				now = string(value)
			}
			p = p[n:]
			continue
		case wire.ReadyForQuery:
			if now != told {
				out, told = wire.AppendParameterStatus(out, "application_name", now), now
			}
		}
		out = append(out, p[:n]...)
		p = p[n:]
	}
	return out
}

// greeting splits what a client got at the end of start-up.
func greeting(p []byte) (after []byte, ok bool) {
	for rest := p; ; {
		n, ok := wire.FrameLen(rest)
		if !ok || n < 0 || n > len(rest) {
			return nil, false
		}
		typ := rest[0]
		rest = rest[n:]
		if typ == wire.ReadyForQuery {
			return rest, true
		}
	}
}

// checkPool holds the pool to have its backends back.
func (m *sim) checkPool() {
	for range 200 {
		for len(m.jobs) > 0 {
			m.runJob()
		}
		for _, l := range m.loops {
			l.Step(m.now)
		}
		for _, b := range m.backends {
			b.step()
		}
		m.now += 1e9
		m.shared.pools.Tick(m.now)
	}
	for _, st := range m.shared.pools.Stats() {
		if st.Active != 0 || st.Waiting != 0 {
			m.t.Errorf("when all clients had gone: %+v", st)
			for _, c := range m.clients {
				s := c.session
				m.t.Logf("client %d: state %d, %+v %+v, queue %+v, cancels %d", c.id, s.state, s.back, s.tx, s.queue, s.cancel.inFlight)
			}
		}
	}
	for _, b := range m.backends {
		if left := b.server.keeps(); !b.closed && len(left) > 0 {
			m.t.Errorf("backend %d still has %v", b.pid, left)
		}
	}
	for _, st := range m.stations {
		if len(st.sessions) != 0 {
			m.t.Errorf("%d sessions are left", len(st.sessions))
		}
	}
	m.shared.pools.Close(context.Background())
}
