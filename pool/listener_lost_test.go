package pool

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pgjay/pgjay/proxy/wire"
)

func TestListenerLost(t *testing.T) {
	for _, test := range []struct {
		name, code, reason string
		last               []byte
	}{
		{"socket", "08006", reasonServer, nil},
		{"terminated", "57P01", "server_closed_57p01", (&wire.Error{Severity: "FATAL", Code: "57P01", Message: "bye"}).Append(nil)},
		{"error", "08006", reasonListen, (&wire.Error{Severity: "ERROR", Code: "XX000", Message: "oops"}).Append(nil)},
		{"reply to nothing", "08006", reasonListen, []byte("C\x00\x00\x00\x09SYNC\x00")},
		{"broken frame", "08006", reasonListen, []byte{'A', 0, 0, 0, 3, 0}},
		{"broken notification", "08006", reasonListen, []byte{'A', 0, 0, 0, 5, 'x'}},
	} {
		t.Run(test.name, func(t *testing.T) {
			b, ann, bob := newListening(t, nil)
			ann.subscribe("jobs")
			b.settle()
			ann.do(ann.sub.Pause) // it is told all the same
			barrier := ann.barrier()
			pending := bob.subscribe("jobs")
			b.world.run()
			b.kill(b.current(), test.last)
			b.settle()
			expectAnswer(t, barrier, test.code)
			if len(ann.lost) != 1 || !strings.Contains(ann.lost[0].Error(), "lost (SQLSTATE "+test.code+")") {
				t.Errorf("told %v", ann.lost)
			}
			expectAnswer(t, ann.subscribe("mail"), "waits")
			b.world.pass(time.Second)
			b.settle()
			expectAnswer(t, pending, "ok")
			if len(bob.lost) > 0 || b.world.conns[1].target.User != "bob" {
				t.Errorf("bob was told %v", bob.lost)
			}
			b.notify("jobs", "1")
			b.settle()
			bob.expect("jobs=1")
			if !slices.Equal(b.world.closed, []string{test.reason}) {
				t.Errorf("closed because of %q", b.world.closed)
			}
			if st := b.world.set.ListenerStats()[0]; st.Reconnects != 1 || st.Lost != 1 || st.Subscriptions != 1 || st.Channels != 1 {
				t.Errorf("%+v", st)
			}
			b.world.set.Pool(key).check(t)
		})
	}
}

// TestLossKeepsWhatCame: what was received before the loss is notified first.
func TestLossKeepsWhatCame(t *testing.T) {
	b, ann, _ := newListening(t, nil)
	ann.subscribe("jobs")
	b.settle()
	b.notify("jobs", "1")
	b.interrupt(b.current())
	b.bring(b.current(), len(b.current().out))
	b.kill(b.current(), nil)
	b.settle()
	if ann.expect("jobs=1"); len(ann.lost) != 1 {
		t.Error("not told of the loss")
	}
}

func TestListenerCannotLogIn(t *testing.T) {
	b, ann, bob := newListening(t, nil)
	var failure error
	b.world.serve = func(target Target) error {
		if target.User == "ann" {
			return failure
		}
		return nil
	}
	failure = serverError("28P01")
	first, second := ann.subscribe("jobs"), bob.subscribe("jobs")
	b.settle()
	expectAnswer(t, second, "ok") // as bob
	var dial *DialError
	if !errors.As(first.err, &dial) || dial.User != "ann" {
		t.Errorf("answered %v", first)
	}
	third := ann.subscribe("jobs") // another try
	b.settle()
	expectAnswer(t, third, "ok")
}

func TestListenerRetries(t *testing.T) {
	b, ann, bob := newListening(t, config(func(c *Config) { c.AcquireTimeout = 10 * time.Second }))
	down := errRefused
	b.world.serve = func(Target) error { return down }
	early := ann.subscribe("jobs")
	b.settle()
	b.world.pass(9 * time.Second)
	late := bob.subscribe("jobs")
	b.settle()
	expectAnswer(t, early, "waits")
	b.world.pass(time.Second)
	if !errors.Is(early.err, errRefused) {
		t.Errorf("answered %v after acquire_timeout", early)
	}
	if n := b.world.dials; n < 9 || n > 20 {
		t.Errorf("%d logins in 10 s", n)
	}
	down = nil
	b.world.pass(time.Second)
	b.settle()
	expectAnswer(t, late, "ok")
	b.expectListens(`LISTEN "jobs"`)
}

// TestNobodyWaitsForListener: there are no logins for who has gone.
func TestNobodyWaitsForListener(t *testing.T) {
	b, ann, _ := newListening(t, nil)
	b.world.serve = func(Target) error { return errRefused }
	ann.subscribe("jobs")
	b.settle()
	ann.close()
	b.world.pass(10 * time.Second)
	if b.world.dials != 1 {
		t.Errorf("%d logins", b.world.dials)
	}
	if st := b.world.set.ListenerStats()[0]; st.Channels != 0 || st.LoginFailures != 1 {
		t.Errorf("%+v", st)
	}
}

// TestListenerComesLate: the time of whoever waited for a login is up just when
// there is one. That is no fault of the new backend.
func TestListenerComesLate(t *testing.T) {
	b, ann, bob := newListening(t, config(func(c *Config) { c.AcquireTimeout = 10 * time.Second }))
	b.world.hold, b.silent = true, true
	first := ann.subscribe("jobs")
	b.world.run()
	b.world.pass(9 * time.Second)
	second := bob.subscribe("jobs")
	b.world.hold = false
	b.world.run() // LISTEN is on its way
	b.world.pass(time.Second)
	expectAnswer(t, first, "53300")
	b.silent = false
	b.settle()
	expectAnswer(t, second, "ok")
	b.notify("jobs", "1")
	b.settle()
	if ann.expect(""); b.world.dials != 1 {
		t.Errorf("%d logins", b.world.dials)
	}
	bob.expect("jobs=1")
}

func TestListenerHangs(t *testing.T) {
	b, ann, bob := newListening(t, config(func(c *Config) { c.AcquireTimeout = 10 * time.Second }))
	ann.subscribe("jobs")
	b.settle()
	b.silent = true
	barrier := ann.barrier()
	b.world.run()
	b.world.pass(5 * time.Second)
	pending := bob.subscribe("jobs")
	b.world.pass(5 * time.Second)
	expectAnswer(t, barrier, "08006")
	if len(ann.lost) != 1 || len(bob.lost) != 0 {
		t.Errorf("told %v and %v", ann.lost, bob.lost)
	}
	b.silent = false
	b.world.pass(time.Second)
	b.settle()
	expectAnswer(t, pending, "ok")
}

func TestListenerReconfigured(t *testing.T) {
	b, ann, bob := newListening(t, nil)
	ann.subscribe("jobs")
	b.settle()
	backend := DefaultBackendConfig()
	backend.Password = "new"
	b.world.set.Reconfigure(backend, DefaultConfig())
	b.settle()
	if len(ann.lost) > 0 {
		t.Errorf("told %v because of a new password", ann.lost)
	}
	backend.URL = "postgres://elsewhere"
	b.world.set.Reconfigure(backend, DefaultConfig())
	b.settle()
	second := bob.subscribe("jobs")
	b.world.pass(time.Second)
	b.settle()
	expectAnswer(t, second, "ok")
	if len(ann.lost) != 1 || b.world.conns[1].target.URL != backend.URL {
		t.Errorf("told %v", ann.lost)
	}
}

// TestListenerReconfiguredDuringLogin does not use what is outdated before it
// is used.
func TestListenerReconfiguredDuringLogin(t *testing.T) {
	b, ann, _ := newListening(t, nil)
	b.world.hold = true
	first := ann.subscribe("jobs")
	b.world.run()
	backend := DefaultBackendConfig()
	backend.URL = "postgres://elsewhere"
	b.world.set.Reconfigure(backend, DefaultConfig())
	b.world.hold = false
	b.settle()
	expectAnswer(t, first, "ok")
	if !b.world.conns[0].closed || b.world.conns[1].target.URL != backend.URL {
		t.Error("the old server is used")
	}
}

func TestListenerCloses(t *testing.T) {
	for _, when := range []string{"idle", "busy", "logging in"} {
		t.Run(when, func(t *testing.T) {
			b, ann, bob := newListening(t, nil)
			b.world.hold = when == "logging in"
			ann.subscribe("jobs")
			b.settle()
			if when == "busy" {
				bob.subscribe("mail")
			}
			b.world.run()
			b.world.set.Close(context.Background())
			b.world.hold = false
			b.settle()
			if (len(ann.lost) == 1) != (when != "logging in") {
				t.Errorf("told %v", ann.lost)
			}
			late := bob.subscribe("late")
			b.settle()
			if !errors.Is(late.err, ErrClosed) {
				t.Errorf("answered %v", late)
			}
			if n := b.world.set.working.n.Load(); n != 0 || len(b.world.open()) != 0 {
				t.Errorf("%d at work, open: %v", n, b.world.open())
			}
		})
	}
}
