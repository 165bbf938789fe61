package pool

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/proxy/reactor"
)

func TestFailureClasses(t *testing.T) {
	for _, test := range []struct {
		name  string
		err   error
		final bool
	}{
		{"password", serverError("28P01"), true},
		{"no role", serverError("28000"), true},
		{"no database", serverError("3D000"), true},
		{"no CONNECT privilege", serverError("42501"), true},
		{"no such parameter", serverError("42704"), true},
		{"bad value of a parameter", serverError("22023"), true},
		{"certificate", fmt.Errorf("tls: %w", &tls.CertificateVerificationError{Err: errRefused}), true},
		{"configuration", &ConfigError{errors.New("unknown sslmode")}, true},
		{"too many connections", serverError("53300"), false},
		{"starting up", serverError("57P03"), false},
		{"refused", errRefused, false},
		{"timeout", context.DeadlineExceeded, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, 1, nil)
			w.serve = func(Target) error { return test.err }
			p := w.set.Pool(key)
			s := w.session(p, 0)
			s.lease()
			w.run()
			if failed := s.err != nil; failed != test.final {
				t.Errorf("waiter has %v", s.err)
			}
			last := p.LastError()
			if !errors.Is(last, test.err) || !strings.Contains(last.Error(), `user "ann"`) {
				t.Errorf("last error %v", last)
			}
			w.serve = nil
			again := w.session(p, 0)
			again.lease()
			w.pass(100 * time.Millisecond)
			if p.LastError() != nil || again.b == nil && s.b == nil {
				t.Errorf("still %v", p.LastError())
			}
			p.check(t)
		})
	}
}

func TestPgErrorStaysInTheChain(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.serve = func(Target) error { return serverError("28P01") }
	s := w.session(w.set.Pool(key), 0)
	s.lease()
	w.run()
	var e *pgconn.PgError
	if !errors.As(s.err, &e) || e.Code != "28P01" {
		t.Errorf("got %v", s.err)
	}
}

func TestFinalFailureSparesWorkingPool(t *testing.T) {
	w := newWorld(t, 1, nil)
	p := w.set.Pool(key)
	holder := w.fill(p, 0, 1)[0]
	w.serve = func(Target) error { return serverError("28P01") }
	s := w.session(p, 0)
	s.lease()
	w.run()
	if s.err != nil {
		t.Fatalf("a changed password failed a waiter: %v", s.err)
	}
	holder.release()
	w.run()
	if s.b == nil {
		t.Error("no hand-over")
	}
	p.check(t)
}

func TestBackoff(t *testing.T) {
	w := newWorld(t, 1, nil)
	p := w.set.Pool(key)
	var tries []time.Duration
	w.serve = func(Target) error {
		tries = append(tries, time.Duration(w.now))
		return errRefused
	}
	s := w.session(p, 0)
	s.lease()
	w.run()
	for w.now < int64(5*time.Second) {
		w.now += int64(10 * time.Millisecond)
		w.run()
	}
	want := []time.Duration{0, 50, 150, 350, 750, 1550, 2550, 3550, 4550}
	for i := range want {
		want[i] *= time.Millisecond
	}
	if fmt.Sprint(tries) != fmt.Sprint(want) {
		t.Errorf("tried at %v, want %v", tries, want)
	}
	if !s.abandon() {
		t.Error("the waiter had been called")
	}
	w.pass(10 * time.Second)
	if len(tries) > len(want)+1 {
		t.Errorf("tried on while nobody waited: %v", tries)
	}
	p.check(t)
}

func TestBackoffJitter(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.rand = func() float64 { return 0.999 }
	if d := w.set.backoff(1); d > int64(50*time.Millisecond) || d < int64(40*time.Millisecond) {
		t.Errorf("first back-off %v", time.Duration(d))
	}
	if d := w.set.backoff(1000); d < int64(800*time.Millisecond) || d > int64(time.Second) {
		t.Errorf("late back-off %v", time.Duration(d))
	}
}

func TestServerRestart(t *testing.T) {
	w := newWorld(t, 2, limits(4, 0))
	p := w.set.Pool(key)
	w.fill(p, 0, 4)
	up := false
	w.serve = func(Target) error {
		if !up {
			return errRefused
		}
		return nil
	}
	for _, c := range w.conns {
		c.fail(errRefused)
	}
	var all []*session
	for i := range 6 {
		s := w.session(p, i%2)
		s.got = func(*Backend) { s.release() }
		s.lease()
		all = append(all, s)
	}
	w.pass(3 * time.Second)
	if w.dials > 4+10 {
		t.Errorf("%d logins at a server that is away", w.dials)
	}
	up = true
	w.pass(1100 * time.Millisecond)
	for i, s := range all {
		if s.calls != 1 || s.err != nil {
			t.Errorf("waiter %d: %d calls, %v", i, s.calls, s.err)
		}
	}
	p.check(t)
}

func TestAttachFails(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.attach = errors.New("no descriptors")
	p := w.set.Pool(key)
	s := w.session(p, 0)
	s.lease()
	w.run()
	if st := w.stat(p); st.LastError == nil || st.ConnectFailures != 1 || s.calls != 0 {
		t.Errorf("%+v", st)
	}
	w.attach = nil
	w.pass(time.Second)
	if s.b == nil {
		t.Error("not tried again")
	}
	p.check(t)
}

func TestCredentials(t *testing.T) {
	w := newWorld(t, 1, func(o *Options) {
		o.Backend.Password = "general"
		o.Config.Databases = []Override{{Name: "crm", Backend: "postgres://other", Database: "crm_production"}}
		o.Credentials = func(k Key) (string, string) {
			if k.User == "bob" {
				return "bobby", "secret"
			}
			return "", ""
		}
	})
	for _, test := range []struct {
		key  Key
		want Target
	}{
		{Key{"crm", "ann"}, Target{URL: "postgres://other", Database: "crm_production", User: "ann", Password: "general"}},
		{Key{"hr", "bob"}, Target{URL: "postgres://127.0.0.1:5432", Database: "hr", User: "bobby", Password: "secret"}},
	} {
		if got := w.set.target(w.set.live.Load(), test.key); !got.same(&test.want) {
			t.Errorf("%v: %+v", test.key, got)
		}
	}
}

func TestHooks(t *testing.T) {
	var connected []string
	w := newWorld(t, 1, func(o *Options) {
		o.Hooks.Connected = func(k Key, took time.Duration, err error) {
			connected = append(connected, fmt.Sprint(k.User, took, err != nil))
		}
	})
	w.serve = func(Target) error { w.now += 7; return nil }
	w.fill(w.set.Pool(key), 0, 1)
	w.serve = func(Target) error { return errRefused }
	w.fill(w.set.Pool(Key{"x", "y"}), 0, 1)
	if fmt.Sprint(connected) != "[ann7nsfalse y0strue]" && fmt.Sprint(connected) != "[ann7ns false y0s true]" {
		t.Errorf("hook got %q", connected)
	}
}

// Clients that need backends of their own cannot have any number of them.
func TestDedicatedIsBounded(t *testing.T) {
	w := newWorld(t, 1, func(o *Options) { o.Config.Size, o.Config.Overflow = 1, 1 })
	p := w.set.Pool(key)
	s := w.session(p, 0)
	var failed error
	var last *Backend
	dial := func(params map[string]string) {
		w.set.DialDedicated(t.Context(), key, params, &s.waiter, func(b *Backend, err error) { last, failed = b, err })
		w.run()
	}
	for range 2 {
		if dial(map[string]string{}); failed != nil {
			t.Fatal(failed)
		}
	}
	ctx, giveUp := context.WithCancel(t.Context())
	w.set.DialDedicated(ctx, key, map[string]string{}, &s.waiter, func(_ *Backend, err error) { failed = err })
	giveUp()
	for failed == nil { // ctx tells it from a goroutine
		w.run()
	}
	if !errors.Is(failed, errDedicated) {
		t.Errorf("the third: %v", failed)
	}
	p.check(t)
	second := last
	last = nil
	if dial(map[string]string{}); last != nil {
		t.Error("the fourth did not wait")
	}
	w.on(s.loop, second.Release)
	if w.run(); last == nil || failed != nil {
		t.Errorf("the fourth after the wait: %v, %v", last, failed)
	}
	p.check(t)
	if dial(map[string]string{"replication": "true"}); failed != nil {
		t.Errorf("replication: %v", failed)
	}
	w.on(s.loop, last.Release)
	p.check(t)
}

func TestDedicated(t *testing.T) {
	w := newWorld(t, 1, nil)
	p := w.set.Pool(key)
	s := w.session(p, 0)
	var got *Backend
	var failed error
	dial := func() {
		w.set.DialDedicated(t.Context(), key, map[string]string{"replication": "database"}, &s.waiter,
			func(b *Backend, err error) { got, failed = b, err })
		w.run()
	}
	dial()
	if got == nil || w.conns[0].target.Params["replication"] != "database" {
		t.Fatalf("backend %v, %v", got, failed)
	}
	w.conns[0].data([]byte("stream"))
	if string(s.data) != "stream" {
		t.Errorf("lessee got %q", s.data)
	}
	if st := w.stat(p); st.Dedicated != 1 || st.Active != 0 {
		t.Errorf("%+v", st)
	}
	p.check(t)
	w.on(s.loop, got.Release)
	w.run()
	if !w.conns[0].closed || w.stat(p).Dedicated != 0 {
		t.Error("not closed at release")
	}
	dial()
	w.conns[1].fail(errRefused)
	if !errors.Is(s.lost, errRefused) {
		t.Error("the lessee was not told")
	}
	dial()
	w.on(s.loop, func() { got.Destroy("test") })
	w.serve = func(Target) error { return serverError("28P01") }
	dial()
	if got != nil || failed == nil {
		t.Errorf("%v, %v", got, failed)
	}
	p.check(t)
}

func TestCancel(t *testing.T) {
	w := newWorld(t, 2, nil)
	s := w.fill(w.set.Pool(key), 1, 1)[0]
	done := 0
	s.b.Cancel(reactor.Func(func() {
		done++
		if w.loop != s.loop {
			t.Error("done on the wrong loop")
		}
	}))
	if done != 0 {
		t.Error("done before it was sent")
	}
	w.run()
	if done != 1 || w.conns[0].canceled != 1 {
		t.Errorf("done %d times, %d requests", done, w.conns[0].canceled)
	}
}

// Where the server has no connection left, an idle backend of another pool makes
// room.
func TestFullServer(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.serve = func(Target) error {
		if len(w.open()) >= 3 {
			return serverError("53300")
		}
		return nil
	}
	rich, poor := w.set.Pool(key), w.set.Pool(Key{Database: "hr", User: "bob"})
	for _, s := range w.fill(rich, 0, 3) {
		s.release()
	}
	s := w.session(poor, 0)
	s.lease()
	w.run()
	if s.b != nil {
		t.Fatal("the server is not full")
	}
	w.pass(time.Second)
	if s.b == nil || len(w.open()) != 3 {
		t.Errorf("the session has %v, %d connections are open", s.b, len(w.open()))
	}
	w.settle(w.set.Pool(Key{Database: "hr", User: "eve"}), 0)
	w.pass(time.Second)
	if st := w.stat(rich); st.Idle != 2 {
		t.Errorf("%d idle backends are left: one that nobody needs was closed for a home", st.Idle)
	}
}
