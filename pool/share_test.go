package pool

import (
	"testing"
	"time"
)

func capped(n int) func(*Options) {
	return config(func(c *Config) {
		c.MaxDatabaseConnections, c.Recycle, c.PrePing, c.MaxConnecting = n, 0, false, 100
	})
}

func (w *world) used(p *Pool) int { return w.stat(p).Active + w.stat(p).Idle }

func TestCapIsKept(t *testing.T) {
	w := newWorld(t, 1, capped(5))
	a, b := w.set.Pool(Key{"crm", "a"}), w.set.Pool(Key{"crm", "b"})
	c := w.set.Pool(Key{"hr", "a"})
	w.fill(a, 0, 9)
	w.fill(b, 0, 9)
	w.fill(c, 0, 5)
	if w.used(a) != 5 || w.used(b) != 0 || w.used(c) != 5 {
		t.Errorf("used %d, %d, %d of 5", w.used(a), w.used(b), w.used(c))
	}
}

func TestIdleGiveWay(t *testing.T) {
	w := newWorld(t, 1, capped(5))
	a, b := w.set.Pool(Key{"crm", "a"}), w.set.Pool(Key{"crm", "b"})
	releaseAll(w.fill(a, 0, 5))
	for _, s := range w.fill(b, 0, 5) {
		if s.b == nil {
			t.Error("idle backends of another user stand in the way")
		}
	}
	if w.used(a) != 0 || w.used(b) != 5 {
		t.Errorf("used %d, %d", w.used(a), w.used(b))
	}
	a.check(t)
	b.check(t)
}

func TestFairShare(t *testing.T) {
	w := newWorld(t, 1, capped(6))
	a, b, c := w.set.Pool(Key{"crm", "a"}), w.set.Pool(Key{"crm", "b"}), w.set.Pool(Key{"crm", "c"})
	rich := w.fill(a, 0, 20)
	w.fill(b, 0, 20)
	w.fill(c, 0, 2)
	if w.used(a) != 6 {
		t.Fatalf("used %d", w.used(a))
	}
	// Each lessee of a comes and goes; a's queue is never empty.
	for range 40 {
		for _, s := range rich {
			if s.b != nil {
				s.release()
				s.lease()
			}
		}
		w.run()
	}
	if w.used(a) != 2 || w.used(b) != 2 || w.used(c) != 2 {
		t.Errorf("used %d, %d, %d of 6", w.used(a), w.used(b), w.used(c))
	}
	if n := w.stat(a).Closed[reasonShare]; n != 4 {
		t.Errorf("%d backends given up for 4 places", n)
	}
	for _, p := range []*Pool{a, b, c} {
		p.check(t)
	}
}

func TestMoreUsersThanPlaces(t *testing.T) {
	w := newWorld(t, 1, capped(2))
	served := make([]int, 6)
	var all []*session
	for i := range served {
		s := w.session(w.set.Pool(Key{"crm", string(rune('a' + i))}), 0)
		s.got = func(*Backend) { served[i]++ }
		s.lease()
		all = append(all, s)
	}
	for range 300 {
		for _, s := range all {
			if s.b != nil {
				s.release()
				s.lease()
			}
		}
		w.pass(100 * time.Millisecond)
	}
	for i, n := range served {
		if n == 0 {
			t.Errorf("user %d got nothing: %v", i, served)
		}
	}
}

func TestPromiseLapses(t *testing.T) {
	w := newWorld(t, 1, capped(2))
	a, b := w.set.Pool(Key{"crm", "a"}), w.set.Pool(Key{"crm", "b"})
	rich := w.fill(a, 0, 2)
	s := w.fill(b, 0, 1)[0]
	if a.sharing.yielding != 1 {
		t.Fatalf("%d promised", a.sharing.yielding)
	}
	s.abandon()
	releaseAll(rich)
	w.run()
	if w.used(a) != 2 || a.sharing.yielding != 0 {
		t.Errorf("used %d, %d promised, though nobody wants it", w.used(a), a.sharing.yielding)
	}
}

func TestDedicatedAndCap(t *testing.T) {
	w := newWorld(t, 1, capped(2))
	p := w.set.Pool(Key{"crm", "a"})
	all := w.fill(p, 0, 2)
	s := w.session(p, 0)
	var got *Backend
	var failed error
	dial := func() {
		w.set.DialDedicated(t.Context(), p.key, nil, &s.waiter, func(b *Backend, err error) { got, failed = b, err })
		w.run()
	}
	dial()
	if got != nil || failed == nil {
		t.Error("beyond the cap")
	}
	all[0].release()
	dial()
	if got == nil || w.used(p) != 1 {
		t.Errorf("an idle backend stands in the way: %v", failed)
	}
	p.check(t)
}

func TestCapChanges(t *testing.T) {
	w := newWorld(t, 1, capped(1))
	p := w.set.Pool(key)
	all := w.fill(p, 0, 3)
	c := DefaultConfig()
	c.MaxDatabaseConnections = 3
	w.set.Reconfigure(DefaultBackendConfig(), c)
	w.run()
	for i, s := range all {
		if s.b == nil {
			t.Errorf("waiter %d has nothing with a larger cap", i)
		}
	}
	all[0].release()
	c.MaxDatabaseConnections = 1
	w.set.Reconfigure(DefaultBackendConfig(), c)
	w.run()
	if w.used(p) != 2 {
		t.Errorf("used %d: the idle backend is beyond the new cap", w.used(p))
	}
	all[1].release()
	all[2].release()
	w.run()
	if w.used(p) != 1 {
		t.Errorf("used %d with a cap of 1", w.used(p))
	}
	p.check(t)
}
