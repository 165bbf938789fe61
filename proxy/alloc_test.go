package proxy

import (
	"bytes"
	"context"
	"log/slog"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgjay/pgjay/monitor"
	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy/reactor"
	"github.com/pgjay/pgjay/proxy/wire"
)

// relay is one client and one backend without sockets, on a loop that is told
// to run. What they write is counted and forgotten.
type relay struct {
	t       testing.TB
	loop    *reactor.Loop
	now     int64
	session *session
	backend *silentBackend
	client  silentClient
	jobs    []func()
}

type silentClient struct {
	bytes          int
	kept           []byte // what was written, unless it is nil
	paused, closed bool
}

func (c *silentClient) Write(p []byte) {
	c.bytes += len(p)
	if c.kept != nil {
		c.kept = append(c.kept, p...)
	}
}
func (*silentClient) Buffered() int      { return 0 }
func (c *silentClient) Pause()           { c.paused = true }
func (c *silentClient) Resume()          { c.paused = false }
func (c *silentClient) CloseAfterFlush() { c.closed = true }
func (*silentClient) Move(*reactor.Loop) {}
func (*silentClient) Spool()             {}
func (*silentClient) Spooling() bool     { return false }

// silentBackend is a backend's socket; the test says what the backend answers.
type silentBackend struct {
	silentClient
	backend *pool.Backend
}

func (*silentBackend) Flush()   {}
func (b *silentBackend) Close() { b.closed = true }

// silentSocket is a backend's socket before the pool has it.
type silentSocket struct{ *silentBackend }

func (s silentSocket) Attach(_ *reactor.Loop, backend *pool.Backend) (pool.Conn, error) {
	*s.silentBackend = silentBackend{backend: backend}
	return s.silentBackend, nil
}

func (silentSocket) Close() error { return nil }

// newRelay makes a client that has logged in to a pool in transaction mode.
func newRelay(t testing.TB) *relay {
	r := &relay{t: t, loop: reactor.NewManual(0), now: 1, backend: &silentBackend{}}
	creds, err := newCredentials(AuthConfig{Method: AuthTrust})
	if err != nil {
		t.Fatal(err)
	}
	later := func(f func()) { r.jobs = append(r.jobs, f) }
	sh := &shared{fragile: true, log: slog.New(slog.DiscardHandler), monitor: monitor.New(monitor.Options{Loops: 1, Config: monitor.DefaultConfig()}), work: later}
	sh.cancels.byKey = map[cancelKey]*session{}
	sh.live.Store(&settings{
		auth: AuthConfig{Method: AuthTrust}, credentials: creds,
		limits: DefaultLimitsConfig(), timeouts: DefaultTimeoutsConfig(),
	})
	cfg := pool.DefaultConfig()
	cfg.Size, cfg.Overflow = 1, 0
	sh.pools = pool.NewSet(pool.Options{
		Loops: []*reactor.Loop{r.loop}, Backend: pool.DefaultBackendConfig(), Config: cfg, Go: later,
		Dial: func(context.Context, pool.Target) (*pool.Login, error) {
			return &pool.Login{Socket: silentSocket{r.backend}, PID: 1, Params: pool.Params{}.With("server_version", "15"),
				Cancel: func(context.Context) error { return nil }}, nil
		},
		Now:         func() int64 { return r.now },
		Credentials: func(k pool.Key) (string, string) { return k.User, "" },
	})
	sh.hidden.doorsOf(pool.Key{Database: "d", User: "u"}).put(&doorNames{}, 0, r.now)
	r.session = newStation(sh, r.loop).open("127.0.0.1")
	r.session.client.conn = &r.client
	startup, err := (&pgproto3.StartupMessage{
		ProtocolVersion: wire.Version30, Parameters: map[string]string{"user": "u", "database": "d"},
	}).Encode(nil)
	if err != nil {
		t.Fatal(err)
	}
	r.session.Data(startup)
	r.settle()
	if r.session.state != stateReady {
		t.Fatalf("the client has not logged in: state %d", r.session.state)
	}
	return r
}

// settle runs what is to be run.
func (r *relay) settle() {
	for len(r.jobs) > 0 || r.loop.Step(r.now) {
		jobs := r.jobs
		r.jobs = nil
		for _, job := range jobs {
			job()
		}
	}
}

// exchange sends the client's messages and what the backend answers.
func (r *relay) exchange(request, reply []byte) { r.exchanged(request, reply, len(reply)) }

// exchanged wants so many bytes for the client.
func (r *relay) exchanged(request, reply []byte, want int) {
	before := r.client.bytes
	r.now += 1000
	r.loop.Step(r.now)
	r.session.Data(request)
	r.loop.Step(r.now)
	r.backend.backend.Data(reply)
	if r.client.bytes-before != want || r.session.back.lease != nil {
		r.t.Fatalf("the client got %d bytes of %d, lease %v", r.client.bytes-before, want, r.session.back.lease)
	}
}

// relayed are the exchanges that must not allocate.
func relayed(t testing.TB) map[string][2][]byte {
	type frontend = pgproto3.FrontendMessage
	type backend = pgproto3.BackendMessage
	columns := &pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{{Name: []byte("abalance"), DataTypeOID: 23}}}
	row := &pgproto3.DataRow{Values: [][]byte{[]byte("12345")}}
	done := &pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")}
	ready := &pgproto3.ReadyForQuery{TxStatus: 'I'}
	const sql = "SELECT abalance FROM pgbench_accounts WHERE aid = "
	encode := func(m interface{ Encode([]byte) ([]byte, error) }, out []byte) []byte {
		out, err := m.Encode(out)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	exchanges := map[string][2][]byte{}
	add := func(name string, request []frontend, reply []backend) {
		var x [2][]byte
		for _, m := range request {
			x[0] = encode(m, x[0])
		}
		for _, m := range reply {
			x[1] = encode(m, x[1])
		}
		exchanges[name] = x
	}
	add("simple", []frontend{&pgproto3.Query{String: sql + "4711"}}, []backend{columns, row, done, ready})
	add("extended", []frontend{
		&pgproto3.Parse{Query: sql + "$1"}, &pgproto3.Bind{Parameters: [][]byte{[]byte("4711")}},
		&pgproto3.Describe{ObjectType: 'P'}, &pgproto3.Execute{}, &pgproto3.Sync{},
	}, []backend{&pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, columns, row, done, ready})
	add("error", []frontend{&pgproto3.Query{String: "SELECT 1/0"}},
		[]backend{&pgproto3.ErrorResponse{Severity: "ERROR", Code: "22012", Message: "division by zero"}, ready})
	return exchanges
}

// steady returns what does an exchange again and again. A statement that is seen
// for the third time is known to the backend, and ParseComplete is made here.
func (r *relay) steady(name string, x [2][]byte) func() {
	r.exchange(x[0], x[1])
	if name == "extended" {
		described := append(append(bytes.Clone(x[1][:5]), wire.ParameterDescription, 0, 0, 0, 6, 0, 0), wire.NoData, 0, 0, 0, 4)
		r.exchanged(x[0], append(described, x[1][5:]...), len(x[1]))
		return func() { r.exchanged(x[0], x[1][5:], len(x[1])) }
	}
	return func() { r.exchange(x[0], x[1]) }
}

// Relaying an exchange, with the lease of a backend and its release, allocates
// nothing.
func TestRelayAllocatesNothing(t *testing.T) {
	for name, x := range relayed(t) {
		t.Run(name, func(t *testing.T) {
			if n := testing.AllocsPerRun(1000, newRelay(t).steady(name, x)); n != 0 {
				t.Errorf("%v allocations per exchange", n)
			}
		})
	}
}

func BenchmarkRelay(b *testing.B) {
	for name, x := range relayed(b) {
		b.Run(name, func(b *testing.B) {
			exchange := newRelay(b).steady(name, x)
			b.ReportAllocs()
			for b.Loop() {
				exchange()
			}
		})
	}
}

// A backend that says why it ends right behind a reply is not given to anybody
// else: what is sent to it would be lost without a reason.
func TestBackendThatEndsIsNotUsedAgain(t *testing.T) {
	x := relayed(t)["simple"]
	r := newRelay(t)
	r.session.Data(x[0])
	r.backend.backend.Data((&wire.Error{Severity: "FATAL", Code: "57P01", Message: "ended"}).Append(bytes.Clone(x[1])))
	if !r.backend.closed || r.session.back.lease != nil {
		t.Errorf("the backend is closed: %v, lease %v", r.backend.closed, r.session.back.lease)
	}
	if r.session.gone {
		t.Error("the session has ended, too")
	}
}
