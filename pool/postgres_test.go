package pool

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/proxy/reactor"
	"github.com/pgjay/pgjay/proxy/wire"
)

// reactorConfig says which loops the tests run on.
var reactorConfig = reactor.Config{Loops: 2}

// realWorld is a set on real loops.
type realWorld struct {
	t   *testing.T
	set *Set
	l   []*reactor.Loop
}

func newRealWorld(t *testing.T, url string, change func(*Options)) *realWorld {
	group, err := reactor.New(reactorConfig)
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Loops: group.Loops(), Backend: DefaultBackendConfig(), Config: DefaultConfig()}
	o.Backend.URL = url
	if change != nil {
		change(&o)
	}
	w := &realWorld{t: t, set: NewSet(o), l: group.Loops()}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		w.set.Close(ctx)
		if n := w.set.working.n.Load(); n != 0 {
			t.Errorf("%d backends or logins are left", n)
		}
		group.Close()
	})
	return w
}

// client is a lessee on a real loop. Its methods are called by the test.
type client struct {
	t      *testing.T
	pool   *Pool
	waiter Waiter
	b      *Backend
	failed error
	data   []byte
	lost   bool
	event  chan struct{} // holds a token when something has happened
}

func (w *realWorld) client(k Key, loop int) *client {
	c := &client{t: w.t, pool: w.set.Pool(k), event: make(chan struct{}, 1)}
	c.waiter.Lessee, c.waiter.Loop = c, w.l[loop]
	return c
}

func (c *client) happened() {
	select {
	case c.event <- struct{}{}:
	default:
	}
}

func (c *client) Leased(b *Backend)     { c.b = b; c.happened() }
func (c *client) LeaseFailed(err error) { c.failed = err; c.happened() }
func (c *client) BackendData(p []byte)  { c.data = append(c.data, p...); c.happened() }
func (c *client) BackendBlocked()       {}
func (c *client) BackendDrained()       {}
func (c *client) BackendClosed(error)   { c.b, c.lost = nil, true; c.happened() }

// on runs f on the client's loop and waits for it.
func (c *client) on(f func()) {
	done := make(chan struct{})
	c.waiter.Loop.Post(reactor.Func(func() { f(); close(done) }))
	<-done
}

// await waits until cond holds, on the loop.
func (c *client) await(what string, cond func() bool) {
	c.t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		ok := false
		c.on(func() { ok = cond() })
		if ok {
			return
		}
		select {
		case <-c.event:
		case <-deadline:
			c.t.Fatalf("waited in vain for %s; last error %v", what, c.pool.LastError())
		}
	}
}

func (c *client) ask() {
	c.on(func() {
		c.failed, c.lost = nil, false
		if b := c.pool.Lease(&c.waiter); b != nil {
			c.b = b
		}
	})
}

func (c *client) lease() *client {
	c.t.Helper()
	c.ask()
	c.await("a backend", func() bool { return c.b != nil || c.failed != nil })
	if c.failed != nil {
		c.t.Fatal(c.failed)
	}
	return c
}

func (c *client) release() {
	c.on(func() {
		b := c.b
		c.b = nil
		b.Release()
	})
}

func (c *client) send(sql string) {
	c.on(func() {
		c.data = nil
		c.b.conn.Write(wire.AppendQuery(nil, sql))
	})
}

// reply returns the first column of the rows, and the error.
func (c *client) reply() (text string, failed *wire.Error) {
	c.t.Helper()
	var reply []byte
	c.await("a reply", func() bool {
		reply = c.data
		return c.lost || len(reply) > 6 && bytes.Equal(reply[len(reply)-6:len(reply)-1], []byte{'Z', 0, 0, 0, 5})
	})
	var rows []string
	for len(reply) > 0 {
		n, _ := wire.FrameLen(reply)
		body := reply[wire.HeaderLen:n]
		switch reply[0] {
		case wire.DataRow:
			rows = append(rows, string(body[6:]))
		case wire.ErrorResponse:
			failed = wire.ParseError(body)
		}
		reply = reply[n:]
	}
	return strings.Join(rows, ","), failed
}

func (c *client) query(sql string) string {
	c.t.Helper()
	c.send(sql)
	text, failed := c.reply()
	if failed != nil {
		c.t.Fatalf("%s: %v", sql, failed)
	}
	return text
}

// fails waits until the lease fails, and returns the error.
func (c *client) fails() error {
	c.t.Helper()
	c.ask()
	c.await("an error", func() bool { return c.failed != nil })
	return c.failed
}

// ann is who the tests log in as.
var ann = Key{Database: "crm", User: "ann"}

func withPassword(o *Options) { o.Backend.Password = "acorn" }

func TestPostgres(t *testing.T) {
	s := startServer(t)
	onAllReactors(t, func(t *testing.T) {
		for _, test := range []struct {
			name string
			run  func(*testing.T, *testServer)
		}{
			{"lease", realLease},
			{"errors", realErrors},
			{"cancel", realCancel},
			{"replication", realReplication},
			{"idle backend terminated", realTermination},
			{"connects at once", realConnectsAtOnce},
			{"hosts", realHosts},
			{"contention", realContention},
			{"restart", realRestart},
		} {
			t.Run(test.name, func(t *testing.T) { test.run(t, s) })
		}
	})
}

// onAllReactors runs a test on each kind of loop.
func onAllReactors(t *testing.T, run func(*testing.T)) {
	defer func(before reactor.Config) { reactorConfig = before }(reactorConfig)
	reactorConfig = reactor.Config{Loops: 2}
	t.Run("native", run)
	reactorConfig.Portable = true
	t.Run("portable", run)
}

func realLease(t *testing.T, s *testServer) {
	w := newRealWorld(t, s.url(), withPassword)
	a := w.client(ann, 0).lease()
	if pid := a.query("SELECT pg_backend_pid()"); pid != fmt.Sprint(a.b.PID) {
		t.Errorf("pid %s, told %d", pid, a.b.PID)
	}
	if v, _ := a.b.Params.Get("server_version"); !strings.HasPrefix(v, "1") {
		t.Errorf("server_version %q", v)
	}
	if name := a.query("SHOW application_name"); name != "" {
		t.Errorf("application_name %q", name)
	}
	b := a.b
	a.release()
	other := w.client(ann, 1).lease() // moves to the other loop
	if other.b != b || other.query("SELECT 'moved'") != "moved" {
		t.Error("the idle backend was not used")
	}
	waiting := w.client(ann, 0)
	other.release()
	waiting.lease().release()
}

func realErrors(t *testing.T, s *testServer) {
	for _, test := range []struct {
		key            Key
		password, code string
	}{
		{ann, "hunter2", "28P01"},
		{Key{"nowhere", "ann"}, "acorn", "3D000"},
		{Key{"crm", "nobody"}, "acorn", "28P01"},
	} {
		w := newRealWorld(t, s.url(), func(o *Options) { o.Backend.Password = test.password })
		err := w.client(test.key, 0).fails()
		var e *pgconn.PgError
		if !errors.As(err, &e) || e.Code != test.code {
			t.Errorf("%v: %v", test.key, err)
		}
		if text := err.Error(); strings.Contains(text, test.password) || !strings.Contains(text, s.Address()) {
			t.Errorf("%v: %s", test.key, text)
		}
	}
}

func realCancel(t *testing.T, s *testServer) {
	for _, url := range []string{s.url(), s.socketURL()} {
		w := newRealWorld(t, url, withPassword)
		cancelSleep(w, w.client(ann, 0).lease())
	}
}

// cancelSleep cancels a statement of c and releases the backend.
func cancelSleep(w *realWorld, c *client) {
	c.t.Helper()
	pid := fmt.Sprint(c.b.PID)
	c.send("SELECT pg_sleep(60)")
	watch := w.client(c.pool.key, 0).lease()
	eventually(c.t, func() bool {
		return watch.query("SELECT wait_event FROM pg_stat_activity WHERE pid = "+pid) == "PgSleep"
	})
	watch.release()
	done := make(chan struct{})
	c.b.Cancel(reactor.Func(func() { close(done) }))
	if _, failed := c.reply(); failed == nil || failed.Code != "57014" {
		c.t.Errorf("canceled with %v", failed)
	}
	<-done
	c.release()
}

func realReplication(t *testing.T, s *testServer) {
	w := newRealWorld(t, s.url(), withPassword)
	c := w.client(ann, 0)
	got := make(chan error)
	w.set.DialDedicated(t.Context(), ann, map[string]string{"replication": "true"}, &c.waiter, func(b *Backend, err error) {
		c.b = b
		got <- err
	})
	if err := <-got; err != nil {
		t.Fatal(err)
	}
	if id := c.query("IDENTIFY_SYSTEM"); id == "" {
		t.Error("no answer to IDENTIFY_SYSTEM")
	}
	c.release()
}

func realTermination(t *testing.T, s *testServer) {
	w := newRealWorld(t, s.url(), withPassword)
	idle, admin := w.client(ann, 0).lease(), w.client(ann, 1).lease()
	pid := idle.b.PID
	idle.release()
	admin.query(fmt.Sprintf("SELECT pg_terminate_backend(%d)", pid))
	closed := reasonServer + "_57p01"
	eventually(t, func() bool { return w.set.Stats()[0].Closed[closed] == 1 })
	if idle.lease().b.PID == pid {
		t.Error("leased a terminated backend")
	}
	idle.release()
	admin.release()
}

func realConnectsAtOnce(t *testing.T, s *testServer) {
	var most, now atomic.Int64
	w := newRealWorld(t, s.url(), func(o *Options) {
		withPassword(o)
		o.Config.Size, o.Config.MaxConnecting = 12, 3
		o.Dial = func(ctx context.Context, target Target) (*Login, error) {
			for n := now.Add(1); n > most.Load(); {
				most.Store(n)
			}
			defer now.Add(-1)
			return Dial(ctx, target)
		}
	})
	var all []*client
	for i := range 12 {
		c := w.client(ann, i%2)
		c.ask()
		all = append(all, c)
	}
	for _, c := range all {
		c.await("a backend", func() bool { return c.b != nil })
		c.release()
	}
	if n := most.Load(); n > 3 || n < 2 {
		t.Errorf("%d logins at once, the bound is 3", n)
	}
}

func realHosts(t *testing.T, s *testServer) {
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = dead.Close()
	url := fmt.Sprintf("postgres://%s,%s/?target_session_attrs=read-write&sslmode=disable", dead.Addr(), s.Address())
	w := newRealWorld(t, url, withPassword)
	c := w.client(ann, 0).lease()
	if c.b.Server() != s.Address() {
		t.Errorf("connected to %s", c.b.Server())
	}
	c.release()
}

func realRestart(t *testing.T, s *testServer) {
	w := newRealWorld(t, s.url(), func(o *Options) { withPassword(o); o.Config.Size, o.Config.Overflow = 2, 0 })
	idle := w.client(ann, 0).lease()
	held := w.client(ann, 1).lease()
	idle.release()
	s.stop()
	held.await("the end", func() bool { return held.lost })
	var all []*client
	for i := range 8 {
		c := w.client(ann, i%2)
		c.ask()
		all = append(all, c)
	}
	eventually(t, func() bool { return all[0].pool.LastError() != nil })
	s.start()
	for _, c := range all {
		c.await("a backend after the restart", func() bool { return c.b != nil || c.failed != nil })
		if c.failed != nil {
			t.Fatal(c.failed)
		}
		if c.query("SELECT 1") != "1" {
			t.Error("no answer")
		}
		c.release()
	}
}
