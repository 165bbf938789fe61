package proxy_test

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pgjay/pgjay/monitor"
	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
	"github.com/pgjay/pgjay/rewrite"
)

// e2eLoops is the number of event loops of the proxies under test: more than
// one, so that backends move.
const e2eLoops = 2

// running is a proxy under test.
type running struct {
	addr   string
	cfg    proxy.Config
	server *proxy.Server
	mon    *monitor.Monitor
	stop   context.CancelFunc
	done   chan error // has Run's result
	log    *logBuffer
}

// startProxy starts a proxy in front of PostgreSQL at backend and ends it with
// the test. change may be nil.
func startProxy(t testing.TB, backend string, change func(*proxy.Config)) *running {
	t.Helper()
	return startServer(t, backend, proxy.NewServer, change)
}

// serverMaker is proxy.NewServer or its like.
type serverMaker func(proxy.Config, *slog.Logger, *monitor.Monitor) (*proxy.Server, error)

func startServer(t testing.TB, backend string, newServer serverMaker, change func(*proxy.Config)) *running {
	t.Helper()
	return startObserved(t, backend, newServer, monitor.Config{}, change)
}

func startObserved(t testing.TB, backend string, newServer serverMaker, observe monitor.Config, change func(*proxy.Config)) *running {
	t.Helper()
	cfg := proxy.Config{
		Listen:   proxy.ListenConfig{Addresses: []string{"127.0.0.1:0"}, Loops: e2eLoops},
		Auth:     proxy.AuthConfig{Method: proxy.AuthTrust},
		TLS:      proxy.DefaultTLSConfig(),
		Limits:   proxy.DefaultLimitsConfig(),
		Timeouts: proxy.DefaultTimeoutsConfig(),
		Backend:  pool.DefaultBackendConfig(),
		Pool:     pool.DefaultConfig(),
		Rewrite:  rewrite.DefaultConfig(),
	}
	cfg.Backend.URL = "postgres://" + backend
	cfg.Pool.Size, cfg.Pool.Overflow = 5, 0
	cfg.Timeouts.Shutdown = 2 * time.Second
	cfg.Timeouts.HalfClosed = 0 // the clients that close here have gone
	if change != nil {
		change(&cfg)
	}
	r := &running{cfg: cfg, log: &logBuffer{}, done: make(chan error, 1)}
	log := slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	r.mon = monitor.New(monitor.Options{Version: "0.1", Loops: e2eLoops, Config: observe, Log: log})
	var err error
	if r.server, err = newServer(cfg, log, r.mon); err != nil {
		t.Fatalf("new server: %v", err)
	}
	if err := r.server.Listen(); err != nil {
		t.Fatalf("listen: %v", err)
	}
	r.mon.SetSources(r.server.Pools().Stats, r.server.Ready)
	r.mon.SetListeners(r.server.Pools().ListenerStats)
	r.mon.SetSpool(r.server.SpoolStat)
	if c := r.server.Cache(); c != nil {
		r.mon.SetCache(c.Stat)
	}
	r.addr = r.server.Addrs()[0].String()
	r.run(t)
	return r
}

// reload changes the configuration while clients are connected. A short timeout
// begins that way when all is set up that it is not meant for.
func (r *running) reload(t testing.TB, change func(*proxy.Config)) {
	t.Helper()
	change(&r.cfg)
	if err := r.server.Reload(r.cfg); err != nil {
		t.Fatal(err)
	}
}

func (r *running) run(t testing.TB) {
	ctx, cancel := context.WithCancel(context.Background())
	r.stop = cancel
	go func() { r.done <- r.server.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		r.await(t)
		if t.Failed() {
			t.Logf("the proxy's log:\n%s", r.log)
		}
	})
}

// await waits until Run has returned after stop.
func (r *running) await(t testing.TB) {
	t.Helper()
	select {
	case err := <-r.done:
		if err != nil {
			t.Errorf("the proxy ended with %v", err)
		}
		r.done <- nil
	case <-time.After(pgtest.Patience):
		stacks := make([]byte, 1<<20)
		t.Errorf("the proxy does not end:\n%s", stacks[:runtime.Stack(stacks, true)])
	}
}

// url is a connection string for pgx.
func (r *running) url(params string) string {
	return fmt.Sprintf("postgres://postgres@%s/postgres?%s", r.addr, params)
}

// logBuffer keeps the end of the proxy's log until the test knows whether to
// show it.
type logBuffer struct {
	mu    sync.Mutex
	lines []string // guarded by mu
}

// Write takes a line.
func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines = append(b.lines, string(p))
	if len(b.lines) > 100 {
		b.lines = slices.Delete(b.lines, 0, 60)
	}
	return len(p), nil
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Join(b.lines, "")
}

// client connects and logs in with the raw test client.
func client(t testing.TB, addr string, params ...string) *pgtest.Conn {
	t.Helper()
	c, err := pgtest.Dial(addr, "client", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if err := c.Start(3<<16, append([]string{"user", "postgres", "database", "postgres"}, params...)...); err != nil {
		t.Fatal(err)
	}
	return c
}

// observer is a connection straight to PostgreSQL.
func observer(t testing.TB, addr string) *pgtest.Admin {
	t.Helper()
	a, err := pgtest.NewAdmin(addr, "postgres", "postgres")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	return a
}

// expect receives messages and compares them with patterns.
func expect(t testing.TB, c *pgtest.Conn, patterns ...string) {
	t.Helper()
	for _, p := range patterns {
		f, err := c.Receive()
		if err != nil {
			t.Fatalf("%v (want %q)", err, p)
		}
		if !pgtest.Match(p, f.String()) {
			t.Fatalf("got %q, want %q", f, p)
		}
	}
}

// value runs a query and returns the first column of its first row.
func value(t testing.TB, c *pgtest.Conn, sql string) string {
	t.Helper()
	frames, err := c.Query(sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	for _, f := range frames {
		switch f.Type {
		case 'D':
			return f.Value()
		case 'E':
			t.Fatalf("%s: %s", sql, f)
		}
	}
	return ""
}

// eventually polls until ok returns true.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(pgtest.Patience); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
		time.Sleep(2 * time.Millisecond) // the interval of the poll
	}
}
