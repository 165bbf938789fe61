package pool

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/pgjay/pgjay/proxy/wire"
)

// resident is a session with a home.
type resident struct {
	*session
	Residence
	pid     uint32
	settled int
	refused error
	judged  []bool // whether it is to end
}

func (r *resident) Settled(pid uint32, err error) {
	r.pid, r.refused = pid, err
	r.settled++
}

func (r *resident) Judged(cause *wire.Error) { r.judged = append(r.judged, cause != nil) }

// settle finds a home for a session.
func (w *world) settle(p *Pool, loop int) *resident {
	r := &resident{session: w.session(p, loop)}
	r.Resident = r
	r.waiter.Residence = &r.Residence
	w.on(r.loop, func() {
		if pid, ok := p.Settle(&r.Residence); ok {
			r.Settled(pid, nil)
		}
	})
	return r
}

// residents settles n sessions.
func (w *world) residents(p *Pool, n int) (all []*resident) {
	for i := range n {
		all = append(all, w.settle(p, i%len(w.loops)))
		w.run()
	}
	return all
}

func (r *resident) leave() { r.world.on(r.loop, func() { r.pool.Vacate(&r.Residence) }) }

// atHome leases and reports whether the session got its home.
func (r *resident) atHome() bool {
	r.lease()
	r.world.run()
	return r.b != nil && r.b.PID == r.pid
}

func TestHomesDifferUpToSize(t *testing.T) {
	w := newWorld(t, 2, limits(3, 5))
	p := w.set.Pool(key)
	all := w.residents(p, 9)
	per := map[uint32]int{}
	for _, r := range all {
		per[r.pid]++
	}
	if len(per) != 3 || per[1] != 3 || per[2] != 3 || per[3] != 3 || w.dials != 3 {
		t.Errorf("%d logins, residents by process ID: %v", w.dials, per)
	}
	all[4].leave()
	if r := w.residents(p, 1)[0]; r.pid != all[4].pid || w.dials != 3 {
		t.Errorf("process ID %d, not %d, which has room", r.pid, all[4].pid)
	}
	p.check(t)
}

func TestHomeIsPreferred(t *testing.T) {
	w := newWorld(t, 2, nil)
	p := w.set.Pool(key)
	all := w.residents(p, 4)
	all[0].waiter.Label = NewLabel([]Setting{{Name: "a", Value: "b"}})
	for _, i := range []int{3, 1, 0, 2, 2, 3, 0} {
		if !all[i].atHome() || all[i].calls != 0 {
			t.Errorf("session %d is not at home", i)
		}
		all[i].release()
		w.pass(time.Second)
	}
	if w.dials != 4 {
		t.Errorf("%d logins", w.dials)
	}
	if all[0].atHome(); all[1].atHome() {
		guest := w.settle(p, 0)
		guest.home = all[0].home // as if there were no more
		if guest.atHome() || guest.b == nil {
			t.Error("a home that is busy keeps others waiting")
		}
	}
}

// A home that was idle for long is checked for its resident, and nobody else
// waits for that.
func TestHomeIsChecked(t *testing.T) {
	for name, end := range map[string]func(*resident, *fakeConn){
		"answers": func(r *resident, _ *fakeConn) {
			r.world.run()
			if r.b == nil || r.b.PID != r.pid {
				r.world.t.Errorf("the session has %+v", r.b)
			}
		},
		"is gone": func(r *resident, c *fakeConn) {
			c.fail(io.EOF)
			r.world.run()
			if r.b == nil || r.b.PID == r.pid {
				r.world.t.Errorf("the session has %+v", r.b)
			}
		},
		"does not answer": func(r *resident, _ *fakeConn) {
			r.world.pass(15 * time.Second)
			if r.b == nil || r.b.PID == r.pid {
				r.world.t.Errorf("the session has %+v", r.b)
			}
		},
		"does not answer, and the session has left": func(r *resident, _ *fakeConn) {
			if !r.abandon() {
				r.world.t.Error("it may not leave")
			}
			r.leave()
			r.world.pass(15 * time.Second)
			if r.b != nil || r.waiter.state != waitNone {
				r.world.t.Error("it was called all the same")
			}
		},
		"answers when the session has left": func(r *resident, c *fakeConn) {
			r.abandon()
			r.leave()
			c.mute = false
			r.world.run()
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 2, config(func(c *Config) { c.PrePingAfter = time.Second; c.Recycle = 0 }))
			p := w.set.Pool(key)
			all := w.residents(p, 2)
			w.pass(5 * time.Second)
			c := w.conns[0]
			c.mute = name != "answers"
			if all[0].lease() != nil {
				t.Fatal("a backend that was idle for long was leased at once")
			}
			if !all[1].atHome() {
				t.Error("the other one is not at home")
			}
			all[1].release()
			end(all[0], c)
			if all[0].b != nil {
				all[0].release()
			}
			p.check(t)
		})
	}
}

func TestHomesAndFailedLogins(t *testing.T) {
	w := newWorld(t, 1, nil)
	p := w.set.Pool(key)
	w.serve = func(Target) error { return serverError("3D000") }
	if r := w.residents(p, 1)[0]; r.settled != 1 || r.refused == nil {
		t.Errorf("no such database: %d answers, %v", r.settled, r.refused)
	}
	w.serve = func(Target) error { return errRefused }
	for range 2 { // the second while no login may begin
		if r := w.residents(p, 1)[0]; r.settled != 1 || r.refused != nil || r.pid != 0 {
			t.Errorf("server away: %d answers, %v, process ID %d", r.settled, r.refused, r.pid)
		}
	}
	w.serve = nil
	w.pass(2 * time.Second)
	if r := w.settle(p, 0); r.settled == 0 {
		r.leave()
		w.run()
		if r.pid != 0 && r.home != nil {
			t.Error("a session that has left has a home")
		}
	}
	p.check(t)
}

// The cap of the database holds for homes too.
func TestHomesUnderACap(t *testing.T) {
	w := newWorld(t, 1, config(func(c *Config) { c.MaxDatabaseConnections = 2 }))
	p := w.set.Pool(key)
	all := w.residents(p, 3)
	if all[2].settled != 1 || all[2].pid == 0 || w.dials != 2 {
		t.Errorf("%d logins, process ID %d", w.dials, all[2].pid)
	}
	p.check(t)
}

// terminated has the server say to a backend that it is ended.
func (c *fakeConn) terminated() {
	c.data((&wire.Error{Severity: "FATAL", Code: "57P01", Message: "ended"}).Append(nil))
	c.fail(io.EOF)
}

func TestHomeIsEnded(t *testing.T) {
	up := func(server string, d time.Duration, err error) func(*Options) {
		return func(o *Options) {
			o.Probe = func(context.Context, Target) (string, time.Duration, error) { return server, d, err }
		}
	}
	for name, test := range map[string]struct {
		options func(*Options)
		ended   bool
	}{
		"by itself":                         {up("fake:1", 24*time.Hour, nil), true},
		"with its server":                   {up("", 0, errors.New("shutting down")), false},
		"with its server, which is back":    {up("fake:1", time.Second, nil), false},
		"with its database":                 {up("", 0, serverError("3D000")), true},
		"and another server has taken over": {up("fake:2", 24*time.Hour, nil), false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 1, test.options)
			w.now = int64(time.Hour)
			p := w.set.Pool(key)
			all := w.residents(p, 2)
			w.pass(5 * time.Second)
			w.hold = true
			w.conns[0].terminated()
			if w.run(); all[0].lease() != nil || len(all[0].judged) != 0 {
				t.Fatal("it was not waited for the verdict")
			}
			if !all[1].atHome() {
				t.Error("the other one is not at home")
			}
			all[1].release()
			w.hold = false
			w.run()
			if !slices.Equal(all[0].judged, []bool{test.ended}) || len(all[1].judged) != 0 {
				t.Errorf("judged: %v, and the other one %v", all[0].judged, all[1].judged)
			}
			if test.ended != (all[0].b == nil) {
				t.Errorf("the session has %v", all[0].b)
			}
			if test.ended && (!all[0].abandon() || all[0].abandon()) {
				t.Error("it may not leave")
			}
			all[0].leave()
			p.check(t)
		})
	}
}

// A session that has set idle_session_timeout ends with its home, another does not.
func TestHomeTimesOut(t *testing.T) {
	for label, want := range map[Label]int{{}: 0, NewLabel([]Setting{{Name: "idle_session_timeout", Value: "1s"}}): 1} {
		w := newWorld(t, 1, nil)
		r := w.residents(w.set.Pool(key), 1)[0]
		r.atHome()
		r.b.Label = label
		r.release()
		w.conns[0].data((&wire.Error{Severity: "FATAL", Code: "57P05", Message: "idle for too long"}).Append(nil))
		if w.run(); len(r.judged) != want {
			t.Errorf("label %v: judged %v", label.Settings(), r.judged)
		}
	}
}

// Who shares a home is not ended with it. What came up during a probe is found
// out by another one.
func TestDoubts(t *testing.T) {
	probes := 0
	w := newWorld(t, 1, func(o *Options) {
		o.Config.Size = 3
		o.Probe = func(context.Context, Target) (string, time.Duration, error) {
			probes++
			return "fake:1", time.Hour, nil
		}
	})
	w.now = int64(time.Hour)
	p := w.set.Pool(key)
	all := w.residents(p, 4)
	w.hold = true
	w.conns[0].terminated() // two share it
	w.conns[1].terminated()
	w.run()
	w.conns[2].terminated()
	w.run()
	w.hold = false
	w.run()
	for i, want := range []int{0, 1, 1, 0} {
		if len(all[i].judged) != want {
			t.Errorf("session %d: %v", i, all[i].judged)
		}
	}
	if probes != 2 {
		t.Errorf("%d probes", probes)
	}
	p.check(t)
}
