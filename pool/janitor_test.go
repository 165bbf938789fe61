package pool

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"
)

func releaseAll(all []*session) {
	for _, s := range all {
		s.release()
	}
}

func TestOverflowIdle(t *testing.T) {
	w := newWorld(t, 1, config(func(c *Config) { c.Size, c.Overflow, c.Recycle, c.PrePing = 2, 3, 0, false }))
	p := w.set.Pool(key)
	all := w.fill(p, 0, 5)
	releaseAll(all[:4])
	w.pass(59 * time.Second)
	if st := w.stat(p); st.Idle != 4 {
		t.Errorf("closed early: %+v", st)
	}
	all[4].release()
	w.pass(2 * time.Second)
	if got := w.open(); !slices.Equal(got, []uint32{4, 5}) {
		t.Errorf("left are %v, not those used last", got)
	}
	w.pass(time.Hour)
	if st := w.stat(p); st.Idle != 2 || st.Closed[reasonOverflow] != 3 {
		t.Errorf("%+v", st)
	}
	p.check(t)
}

func TestMinIdle(t *testing.T) {
	w := newWorld(t, 1, config(func(c *Config) { c.Size, c.Overflow, c.MinIdle, c.Recycle = 4, 4, 2, 0 }))
	unused := w.set.Pool(Key{"never", "used"})
	p := w.set.Pool(key)
	w.pass(2 * time.Second)
	if w.dials != 0 {
		t.Error("logins for pools that nobody has used")
	}
	w.fill(p, 0, 1)
	w.pass(time.Second)
	if st := w.stat(p); st.Idle != 2 || st.Active != 1 {
		t.Errorf("%+v", st)
	}
	w.fill(p, 0, 5)
	w.pass(5 * time.Second)
	if st := w.stat(p); st.Idle != 0 || st.Active != 6 {
		t.Errorf("idle ones beyond the size: %+v", st)
	}
	p.check(t)
	runtime.KeepAlive(unused)
}

func TestRecycle(t *testing.T) {
	w := newWorld(t, 1, config(func(c *Config) { c.Size, c.Overflow, c.Recycle, c.PrePing = 3, 0, 10*time.Minute, false }))
	w.rand = func() float64 { return 0.5 } // of a tenth
	p := w.set.Pool(key)
	all := w.fill(p, 0, 2)
	all[0].release()
	use := func() {
		s := w.session(p, 0)
		s.lease()
		s.release()
	}
	w.pass(9 * time.Minute)
	use()
	w.hold = true
	w.pass(40 * time.Second)
	if got := w.open(); !slices.Equal(got, []uint32{1, 2}) {
		t.Errorf("closed before the replacement was there: %v", got)
	}
	if st := w.stat(p); st.Login != 1 {
		t.Errorf("%d replacements at once", st.Login)
	}
	w.hold = false
	w.pass(10 * time.Second)
	if st := w.stat(p); st.Retired != 1 || st.Active != 1 {
		t.Errorf("%+v", st)
	}
	all[1].release()
	w.run()
	if got := w.open(); len(got) != 2 || got[0] != 3 {
		t.Errorf("open are %v", got)
	}
	if st := w.stat(p); st.Closed[reasonRecycle] != 2 || st.Idle != 2 {
		t.Errorf("%+v", st)
	}
	p.check(t)
}

// Backends that have reached their age are replaced within a second or two, however
// many there are, and by one login at a time.
func TestRecycleTogether(t *testing.T) {
	w := newWorld(t, 1, config(func(c *Config) { c.Size, c.Overflow, c.Recycle, c.PrePing = 20, 5, 10*time.Minute, false }))
	w.rand = func() float64 { return 0 }
	p := w.set.Pool(key)
	all := w.fill(p, 0, 20)
	for _, s := range all[3:] {
		s.release()
	}
	w.pass(9 * time.Minute)
	again := w.session(p, 0)
	again.lease()
	again.release()
	w.hold = true
	w.pass(61 * time.Second)
	if st := w.stat(p); st.Login != 1 || len(w.open()) != 20 {
		t.Errorf("%d logins at once, %d backends", st.Login, len(w.open()))
	}
	w.hold = false
	w.pass(2 * time.Second)
	if st := w.stat(p); st.Closed[reasonRecycle] != 17 || st.Retired != 3 || st.Idle != 20 {
		t.Errorf("%+v", st)
	}
	for _, s := range all[:3] {
		s.release()
	}
	w.run()
	if st := w.stat(p); st.Closed[reasonRecycle] != 20 || st.Idle != 20 {
		t.Errorf("%+v", st)
	}
	p.check(t)
}

// Where a pool is full of backends that are in use, each goes when it comes free.
func TestRecycleFullPool(t *testing.T) {
	w := newWorld(t, 1, config(func(c *Config) { c.Size, c.Overflow, c.Recycle, c.PrePing = 4, 0, time.Minute, false }))
	p := w.set.Pool(key)
	all := w.fill(p, 0, 4)
	w.pass(62 * time.Second)
	if st := w.stat(p); st.Retired != 4 {
		t.Errorf("%+v", st)
	}
	for _, s := range all {
		s.release()
	}
	w.run()
	if st := w.stat(p); st.Closed[reasonRecycle] != 4 {
		t.Errorf("%+v", st)
	}
	p.check(t)
}

// Of those beyond the pool's size no more go without being replaced than there are.
func TestRecycleBeyondSize(t *testing.T) {
	w := newWorld(t, 1, config(func(c *Config) {
		c.Size, c.Overflow, c.OverflowAfter, c.Recycle, c.PrePing = 2, 3, 0, time.Minute, false
	}))
	p := w.set.Pool(key)
	w.fill(p, 0, 4)
	w.hold = true
	w.pass(62 * time.Second)
	if st := w.stat(p); st.Retired != 2 || st.Login != 1 {
		t.Errorf("%+v", st)
	}
	w.hold = false
	w.run()
	if st := w.stat(p); st.Retired != 4 {
		t.Errorf("%+v", st)
	}
	p.check(t)
}

func TestRecycleFailedReplacement(t *testing.T) {
	w := newWorld(t, 1, config(func(c *Config) { c.Size, c.Recycle, c.PrePing = 3, time.Minute, false }))
	p := w.set.Pool(key)
	s := w.fill(p, 0, 1)[0]
	w.pass(30 * time.Second)
	s.release()
	s.lease()
	s.release()
	w.serve = func(Target) error { return errRefused }
	w.pass(time.Minute)
	if st := w.stat(p); st.Idle != 1 {
		t.Errorf("closed without a replacement: %+v", st)
	}
	if w.dials > 60 {
		t.Errorf("%d logins in a minute", w.dials)
	}
	w.serve = nil
	w.pass(3 * time.Second)
	if got := w.open(); len(got) != 1 || got[0] == 1 {
		t.Errorf("open are %v", got)
	}
	p.check(t)
}

func TestRecycleWithoutRoom(t *testing.T) {
	w := newWorld(t, 1, config(func(c *Config) { c.Size, c.Overflow, c.Recycle = 1, 0, time.Minute }))
	p := w.set.Pool(key)
	s := w.fill(p, 0, 1)[0]
	w.pass(2 * time.Minute)
	if st := w.stat(p); st.Retired != 1 {
		t.Errorf("%+v", st)
	}
	next := w.session(p, 0)
	next.lease()
	s.release()
	w.run()
	if next.b == nil || next.b.PID != 2 {
		t.Errorf("got %+v", next.b)
	}
	p.check(t)
}

func TestUnusedPoolDriesUp(t *testing.T) {
	w := newWorld(t, 1, config(func(c *Config) { c.Recycle = 10 * time.Minute }))
	p := w.set.Pool(key)
	releaseAll(w.fill(p, 0, 3))
	w.pass(25 * time.Minute)
	if st := w.stat(p); st.Idle != 0 {
		t.Errorf("%+v", st)
	}
	p.check(t)
}

func TestPrePing(t *testing.T) {
	w := newWorld(t, 2, config(func(c *Config) { c.Recycle = 0 }))
	p := w.set.Pool(key)
	w.fill(p, 0, 1)[0].release()
	w.pass(31 * time.Second)
	s := w.session(p, 1)
	if s.lease() != nil {
		t.Fatal("leased without a check")
	}
	if st := w.stat(p); st.Testing != 1 || st.Login != 0 {
		t.Errorf("%+v", st)
	}
	w.run()
	if s.b == nil || s.b.PID != 1 || w.dials != 1 {
		t.Errorf("got %+v after %d logins", s.b, w.dials)
	}
	s.release()
	if s.lease() == nil {
		t.Error("checked again at once")
	}
	p.check(t)
}

func TestPrePingFails(t *testing.T) {
	for _, test := range []struct {
		name  string
		fault func(*fakeConn)
	}{
		{"closed", func(c *fakeConn) { c.mute = true; c.later(func() { c.fail(errRefused) }) }},
		{"wrong answer", func(c *fakeConn) { c.mute = true; c.later(func() { c.data([]byte{'Z', 0, 0, 0, 5, 'E'}) }) }},
		{"silent", func(c *fakeConn) { c.mute = true }},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, 1, config(func(c *Config) { c.Recycle = 0 }))
			p := w.set.Pool(key)
			releaseAll(w.fill(p, 0, 3))
			w.pass(31 * time.Second)
			for _, c := range w.conns[1:] {
				test.fault(c)
			}
			s := w.session(p, 0)
			s.lease()
			w.pass(25 * time.Second)
			if s.b == nil || s.b.PID != 1 {
				t.Fatalf("got %+v, want the backend that answers", s.b)
			}
			if got := w.open(); !slices.Equal(got, []uint32{1}) {
				t.Errorf("open are %v", got)
			}
			p.check(t)
		})
	}
}

func TestPrePingBeforeEveryLease(t *testing.T) {
	w := newWorld(t, 1, config(func(c *Config) { c.PrePingAfter = 0 }))
	p := w.set.Pool(key)
	s := w.fill(p, 0, 1)[0]
	s.release()
	if s.lease() != nil {
		t.Error("leased without a check")
	}
	w.run()
	if s.b == nil {
		t.Error("not leased after the check")
	}
}

func TestReconfigureSizes(t *testing.T) {
	w := newWorld(t, 1, limits(6, 0))
	p := w.set.Pool(key)
	all := w.fill(p, 0, 6)
	releaseAll(all[:2])
	change := func(size int) {
		c := DefaultConfig()
		c.Size, c.Overflow = size, 0
		w.set.Reconfigure(DefaultBackendConfig(), c)
		w.run()
	}
	change(3)
	if st := w.stat(p); st.Idle != 0 || st.Active != 4 || st.Closed[reasonSize] != 2 {
		t.Errorf("%+v", st)
	}
	s := w.session(p, 0)
	s.lease()
	all[2].release()
	w.run()
	if s.b != nil || len(w.open()) != 3 {
		t.Error("a waiter got a backend beyond the size")
	}
	all[3].release()
	w.run()
	if s.b == nil {
		t.Error("the waiter was forgotten")
	}
	more := w.session(p, 0)
	more.lease()
	change(4)
	if more.b == nil || p.Settings().Size != 4 {
		t.Error("a larger size does not help the waiter")
	}
	p.check(t)
}

func TestReconfigureServer(t *testing.T) {
	w := newWorld(t, 1, nil)
	p := w.set.Pool(key)
	all := w.fill(p, 0, 2)
	all[0].release()
	w.hold = true
	waiting := w.fill(p, 0, 2)[1] // its login is to the old server
	b := DefaultBackendConfig()
	b.URL = "postgres://new"
	w.set.Reconfigure(b, DefaultConfig())
	w.hold = false
	w.run()
	if waiting.b == nil || w.conns[waiting.b.PID-1].target.URL != "postgres://new" {
		t.Errorf("waiter got %+v", waiting.b)
	}
	if st := w.stat(p); st.Retired != 2 || st.Closed[reasonReload] != 1 {
		t.Errorf("%+v", st)
	}
	all[1].release()
	w.run()
	p.check(t)
	w.set.Reconfigure(b, DefaultConfig())
	if st := w.stat(p); st.Active != 2 {
		t.Errorf("closed without a reason: %+v", st)
	}
}

// After Renew nobody gets a backend that began before it, also one whose login was under
// way; who has one keeps it, and can tell.
func TestRenew(t *testing.T) {
	w := newWorld(t, 1, nil)
	p := w.set.Pool(key)
	all := w.fill(p, 0, 2)
	all[0].release()
	w.hold = true
	waiting := w.fill(p, 0, 2)[1]
	old := w.dials
	w.set.Renew("another")
	if all[1].b.Outdated() {
		t.Error("the renewal of another server counts")
	}
	w.set.Renew(p.Server())
	w.hold = false
	w.run()
	if waiting.b == nil || waiting.b.Outdated() || !all[1].b.Outdated() || w.dials <= old+1 {
		t.Errorf("waiter got %+v; %d logins, %d before", waiting.b, w.dials, old)
	}
	if st := w.stat(p); st.Retired != 2 || st.Closed[reasonRecycle] != 1 {
		t.Errorf("%+v", st)
	}
	all[1].release()
	w.run()
	p.check(t)
}

func TestOverrides(t *testing.T) {
	session, two, nine := ModeSession, 2, 9
	w := newWorld(t, 1, config(func(c *Config) {
		c.Databases = []Override{{Name: "crm", Size: &nine, MinIdle: &two, MaxDatabaseConnections: &nine}}
		c.Users = []Override{{Name: "ann", Size: &two, Mode: &session}}
	}))
	got := w.set.Pool(key).Settings()
	if got.Size != 2 || got.MinIdle != 2 || got.Mode != ModeSession || got.MaxDatabaseConnections != 9 {
		t.Errorf("%+v", got)
	}
	if got := w.set.Pool(Key{"crm", "bob"}).Settings(); got.Size != 9 || got.Mode != ModeTransaction {
		t.Errorf("%+v", got)
	}
}

func TestForgottenPools(t *testing.T) {
	w := newWorld(t, 1, config(func(c *Config) { c.Recycle = time.Minute }))
	w.serve = func(target Target) error {
		if target.User == "ann" {
			return nil
		}
		return serverError("28000")
	}
	kept := w.set.Pool(Key{"crm", "referred"})
	w.fill(kept, 0, 1)
	releaseAll(w.fill(w.set.Pool(key), 0, 1))
	for i := range 100 {
		w.fill(w.set.Pool(Key{"crm", fmt.Sprint("guess", i)}), 0, 1)
	}
	w.pass(5 * time.Minute)
	runtime.GC()
	w.pass(time.Second)
	if n := len(w.set.Stats()); n != 2 {
		t.Errorf("%d pools are remembered", n)
	}
	if w.set.Pool(Key{"crm", "referred"}) != kept {
		t.Error("a second pool of a key")
	}
	w.pass(2 * time.Hour)
	w.conns, w.work = nil, nil
	runtime.GC()
	w.pass(time.Second)
	if n := len(w.set.Stats()); n != 1 {
		t.Errorf("%d pools are remembered after hours", n)
	}
	runtime.KeepAlive(kept)
	if n := len(w.set.bases()); n != 1 {
		t.Errorf("%d databases are remembered", n)
	}
}

func TestClose(t *testing.T) {
	w := newWorld(t, 2, limits(2, 0))
	p := w.set.Pool(key)
	all := w.fill(p, 0, 2)
	all[0].release()
	other := w.set.Pool(Key{"hr", "ann"})
	w.hold = true
	s := w.session(other, 1)
	s.lease()
	w.set.Close(t.Context())
	w.hold = false
	w.run()
	if !errors.Is(s.err, ErrClosed) {
		t.Errorf("waiter has %v", s.err)
	}
	if string(w.conns[0].out) != "X\x00\x00\x00\x04" || !w.conns[0].closed {
		t.Errorf("said %q to an idle backend", w.conns[0].out)
	}
	all[1].release()
	if s.lease(); s.calls != 1 {
		t.Error("not posted")
	}
	w.run()
	if len(w.open()) != 0 || !errors.Is(s.err, ErrClosed) {
		t.Errorf("open are %v, %v", w.open(), s.err)
	}
	p.check(t)
	other.check(t)
}

func TestNobodyOvertakesAWaiterForACheck(t *testing.T) {
	w := newWorld(t, 1, nil)
	p := w.set.Pool(key)
	releaseAll(w.fill(p, 0, 2))
	w.pass(31 * time.Second)
	var order []*session
	first, second := w.session(p, 0), w.session(p, 0)
	first.order, second.order = &order, &order
	first.lease() // has a backend checked; the other one is as stale
	c := DefaultConfig()
	c.PrePing = false
	w.set.Reconfigure(DefaultBackendConfig(), c)
	if second.lease() != nil {
		t.Error("a late asker got an idle backend while another one waits")
	}
	w.run()
	if !slices.Equal(order, []*session{first, second}) {
		t.Error("not in the order of asking")
	}
	p.check(t)
}
