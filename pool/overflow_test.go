package pool

import (
	"testing"
	"time"
)

// Backends beyond the size are opened for those who have waited long enough, and
// for nobody else.
func TestOverflowAfter(t *testing.T) {
	w := newWorld(t, 2, config(func(c *Config) { c.Size, c.Overflow, c.OverflowAfter, c.MaxConnecting = 2, 3, 100*time.Millisecond, 9 }))
	p := w.set.Pool(key)
	want := func(when string, active, waiting int) {
		t.Helper()
		if st := w.stat(p); st.Active != active || st.Waiting != waiting {
			t.Errorf("%s: %d have a backend and %d wait, want %d and %d", when, st.Active, st.Waiting, active, waiting)
		}
	}
	all := w.fill(p, 0, 4)
	want("at once", 2, 2)
	w.pass(99 * time.Millisecond)
	late := w.fill(p, 1, 2)
	want("soon", 2, 4)
	all[0].release()
	w.run()
	want("one was served meanwhile", 2, 3)
	w.pass(time.Millisecond)
	want("the time is over for one", 3, 2)
	w.pass(98 * time.Millisecond)
	want("not yet for those who came later", 3, 2)
	w.pass(time.Millisecond)
	want("for all", 5, 0)
	w.fill(p, 0, 1)
	w.pass(time.Second)
	want("the limit is reached", 5, 1)
	late[0].release()
	w.run()
	want("after a release", 5, 0)
	p.check(t)
}

// A pool that is busy, but serves everybody in time, opens nothing.
func TestOverflowNotNeeded(t *testing.T) {
	w := newWorld(t, 1, config(func(c *Config) { c.Size, c.Overflow, c.OverflowAfter = 1, 5, 100*time.Millisecond }))
	p := w.set.Pool(key)
	holder := w.fill(p, 0, 1)[0]
	for range 100 {
		next := w.fill(p, 0, 1)[0]
		w.pass(20 * time.Millisecond)
		holder.release()
		w.run()
		holder = next
	}
	if w.dials != 1 {
		t.Errorf("%d logins, want 1", w.dials)
	}
	p.check(t)
}
