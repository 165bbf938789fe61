package pool

import (
	"errors"
	"io"
	"slices"
	"testing"
	"time"
)

var key = Key{Database: "crm", User: "ann"}

// config returns an option that changes the configuration.
func config(change func(*Config)) func(*Options) {
	return func(o *Options) { change(&o.Config) }
}

func limits(size, overflow int) func(*Options) {
	return config(func(c *Config) { c.Size, c.Overflow = size, overflow })
}

// fill leases n backends in sessions on a loop.
func (w *world) fill(p *Pool, loop, n int) (all []*session) {
	for range n {
		s := w.session(p, loop)
		s.lease()
		all = append(all, s)
	}
	w.run()
	return all
}

func TestFirstLeaseLogsIn(t *testing.T) {
	w := newWorld(t, 2, nil)
	p := w.set.Pool(key)
	if p != w.set.Pool(key) {
		t.Fatal("two pools of one key")
	}
	s := w.session(p, 1)
	if s.lease() != nil {
		t.Fatal("a backend out of nothing")
	}
	w.run()
	if s.b == nil || s.b.PID != 1 || s.b.Pool != p || s.calls != 1 {
		t.Fatalf("session has %+v after %d calls", s.b, s.calls)
	}
	if v, _ := s.b.Params.Get("server_version"); v != "15" {
		t.Errorf("server_version %q", v)
	}
	if got := w.conns[0].target; got.User != "ann" || got.Database != "crm" {
		t.Errorf("logged in to %+v", got)
	}
	s.release()
	again := w.session(p, 1)
	if again.lease() == nil || again.calls != 0 || w.conns[0].moves != 0 {
		t.Error("the idle backend was not leased at once")
	}
	p.check(t)
}

func TestFIFO(t *testing.T) {
	w := newWorld(t, 3, limits(1, 0))
	p := w.set.Pool(key)
	holder := w.fill(p, 0, 1)[0]
	var order, want []*session
	for i := range 9 {
		s := w.session(p, i%3)
		s.order = &order
		s.got = func(*Backend) { s.release() }
		s.lease()
		want = append(want, s)
	}
	holder.release()
	if late := w.session(p, 0); late.lease() != nil {
		t.Error("a late asker got ahead of the queue")
	}
	w.run()
	if !slices.Equal(order, want) {
		t.Error("backends were not handed over in the order of asking")
	}
	if w.dials != 1 {
		t.Errorf("%d logins for a pool of one", w.dials)
	}
	p.check(t)
}

func TestLIFO(t *testing.T) {
	w := newWorld(t, 1, nil)
	p := w.set.Pool(key)
	all := w.fill(p, 0, 4)
	for _, i := range []int{2, 0, 3, 1} {
		all[i].release()
	}
	if got := p.idlePIDs(0); !slices.Equal(got, []uint32{2, 4, 1, 3}) {
		t.Errorf("idle %v", got)
	}
	s := w.session(p, 0)
	if s.lease().PID != 2 {
		t.Errorf("leased %d, not the one used last", s.b.PID)
	}
}

func TestLabelPreference(t *testing.T) {
	red := NewLabel([]Setting{{Name: "search_path", Value: "red"}})
	blue := NewLabel([]Setting{{Name: "search_path", Value: "blue"}})
	type idle struct {
		loop  int
		label Label
	}
	for _, test := range []struct {
		name string
		idle []idle // the backend used last is last
		ask  idle
		want uint32
	}{
		{"equal on the own loop", []idle{{0, red}, {0, blue}, {1, red}}, idle{0, red}, 1},
		{"equal elsewhere before unequal", []idle{{0, blue}, {1, red}, {1, blue}}, idle{0, red}, 2},
		{"any on the own loop", []idle{{0, blue}, {1, blue}, {1, blue}}, idle{0, red}, 1},
		{"any elsewhere", []idle{{1, blue}, {1, Label{}}}, idle{0, red}, 2},
		{"not too deep", []idle{
			{0, red}, {0, blue}, {0, blue}, {0, blue}, {0, blue}, {0, blue}, {0, blue}, {0, blue}, {0, blue},
		}, idle{0, red}, 9},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, 2, config(func(c *Config) { c.MaxConnecting = 1 }))
			p := w.set.Pool(key)
			var all []*session
			for _, i := range test.idle {
				s := w.fill(p, i.loop, 1)[0]
				s.b.Label = i.label
				all = append(all, s)
			}
			for _, s := range all {
				s.release()
			}
			s := w.session(p, test.ask.loop)
			s.waiter.Label = test.ask.label
			if b := s.lease(); b == nil || b.PID != test.want {
				t.Errorf("leased %+v, want backend %d", b, test.want)
			}
			p.check(t)
		})
	}
}

func TestHandOffAcrossLoops(t *testing.T) {
	w := newWorld(t, 2, limits(1, 0))
	p := w.set.Pool(key)
	a, b := w.session(p, 0), w.session(p, 1)
	a.lease()
	w.run()
	b.lease()
	conn := w.conns[0]
	a.release()
	// Between release and the waiter's task the socket is nobody's.
	if conn.data([]byte("x")) || a.b != nil || b.b != nil {
		t.Error("a socket that was handed over had an event")
	}
	if b.abandon() {
		t.Error("a wait was abandoned that had ended")
	}
	w.run()
	if b.b == nil || conn.loop != w.loops[1] || conn.moves != 1 {
		t.Fatalf("backend %v on loop %d after %d moves", b.b, conn.loop.Index(), conn.moves)
	}
	if !conn.data([]byte("hello")) || string(b.data) != "hello" {
		t.Errorf("the new lessee got %q", b.data)
	}
	if b.b.Enter(w.loops[0]) {
		t.Error("the old loop was let in")
	}
	p.check(t)
}

func TestDeathDuringHandOff(t *testing.T) {
	w := newWorld(t, 2, limits(1, 0))
	p := w.set.Pool(key)
	a, b := w.session(p, 0), w.session(p, 1)
	a.lease()
	w.run()
	b.lease()
	a.release()
	if w.conns[0].fail(io.EOF) {
		t.Fatal("the old loop was let in")
	}
	w.run()
	if !w.conns[0].fail(io.EOF) || !errors.Is(b.lost, io.EOF) {
		t.Error("the new lessee does not know that its backend is gone")
	}
	p.check(t)
	if st := w.stat(p); st.Active+st.Idle != 0 {
		t.Errorf("%+v", st)
	}
}

func TestAbandon(t *testing.T) {
	w := newWorld(t, 2, limits(1, 0))
	p := w.set.Pool(key)
	holder := w.fill(p, 0, 1)[0]
	first, second := w.session(p, 0), w.session(p, 1)
	first.lease()
	second.lease()
	if !first.abandon() {
		t.Fatal("a queued wait could not be abandoned")
	}
	if first.abandon() {
		t.Error("abandoned twice")
	}
	holder.release()
	w.run()
	if first.calls != 0 || second.b == nil {
		t.Errorf("calls %d, backend %v", first.calls, second.b)
	}
	// The login is under way when its only waiter gives up.
	w.hold = true
	second.destroy()
	third := w.session(p, 0)
	third.lease()
	third.abandon()
	w.hold = false
	w.run()
	if st := w.stat(p); st.Idle != 1 || third.calls != 0 {
		t.Errorf("%+v, %d calls", st, third.calls)
	}
	p.check(t)
}

func TestLeaseAgainInCallback(t *testing.T) {
	w := newWorld(t, 1, limits(1, 0))
	p := w.set.Pool(key)
	holder := w.fill(p, 0, 1)[0]
	s := w.session(p, 0)
	turns := 0
	s.got = func(*Backend) {
		if turns++; turns < 3 {
			s.release()
			s.lease()
		}
	}
	s.lease()
	holder.release()
	w.run()
	if s.b == nil || turns != 1 {
		t.Errorf("backend %v after %d turns", s.b, turns)
	}
	p.check(t)
}

func TestEventsReachTheLessee(t *testing.T) {
	w := newWorld(t, 1, nil)
	p := w.set.Pool(key)
	s := w.fill(p, 0, 1)[0]
	c := w.conns[0]
	c.data([]byte("data"))
	c.event(func() { c.backend.Blocked() })
	c.event(func() { c.backend.Drained() })
	if string(s.data) != "data<blocked><drained>" {
		t.Errorf("got %q", s.data)
	}
	c.fail(io.ErrUnexpectedEOF)
	if !errors.Is(s.lost, io.ErrUnexpectedEOF) {
		t.Errorf("lost with %v", s.lost)
	}
	w.on(s.loop, func() { c.backend.Destroy("again") }) // harmless
	if !slices.Equal(w.closed, []string{reasonServer}) {
		t.Errorf("closed for %v", w.closed)
	}
	p.check(t)
}

func TestDestroyMakesPlaceForWaiters(t *testing.T) {
	w := newWorld(t, 1, limits(1, 0))
	p := w.set.Pool(key)
	holder := w.fill(p, 0, 1)[0]
	s := w.session(p, 0)
	s.lease()
	holder.destroy()
	w.run()
	if s.b == nil || s.b.PID != 2 || !w.conns[0].closed {
		t.Error("the place of a destroyed backend was not used")
	}
	if st := w.stat(p); st.Closed["test"] != 1 || st.Leases != 2 || st.Connects != 2 {
		t.Errorf("%+v", st.Counters)
	}
	p.check(t)
}

func TestDialsOnlyForWaiters(t *testing.T) {
	w := newWorld(t, 1, config(func(c *Config) { c.Size, c.Overflow, c.MaxConnecting = 3, 2, 2 }))
	p := w.set.Pool(key)
	w.hold = true
	var all []*session
	for range 7 {
		s := w.session(p, 0)
		s.lease()
		all = append(all, s)
	}
	if st := w.stat(p); st.Login != 2 || st.Waiting != 7 {
		t.Errorf("%d logins at once for %d waiters", st.Login, st.Waiting)
	}
	for _, s := range all[3:] {
		s.abandon()
	}
	w.hold = false
	w.run()
	if w.dials != 3 {
		t.Errorf("%d logins for 3 waiters", w.dials)
	}
	w.fill(p, 0, 4)
	if st := w.stat(p); w.dials != 5 || st.Active != 5 || st.Waiting != 2 {
		t.Errorf("%d logins with a limit of 5: %+v", w.dials, st)
	}
	p.check(t)
}

func TestOldestWait(t *testing.T) {
	w := newWorld(t, 1, limits(1, 0))
	p := w.set.Pool(key)
	holder := w.fill(p, 0, 1)[0]
	s := w.session(p, 0)
	s.lease()
	w.pass(3 * time.Second)
	if st := w.stat(p); st.OldestWait != 3*time.Second {
		t.Errorf("oldest wait %v", st.OldestWait)
	}
	holder.release()
	w.run()
	if st := w.stat(p); st.WaitNS != int64(3*time.Second) || st.Waits != 2 {
		t.Errorf("%d waits took %v", st.Waits, time.Duration(st.WaitNS))
	}
}
