package pool

import (
	"context"
	"errors"
	"testing"
)

// look reports whether a wait would be over by now.
func look(wait func(context.Context, string) error, database string) bool {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return wait(ctx, database) == nil
}

// A database that is paused loses its backends as they come free, whatever they are at;
// nobody gets one until it is resumed, and others are not touched.
func TestPauseDatabase(t *testing.T) {
	w := newWorld(t, 2, func(o *Options) { o.Config.MinIdle = 1 })
	p, other := w.set.Pool(Key{"app", "u"}), w.set.Pool(Key{"other", "u"})
	busy, calm, stranger := w.session(p, 0), w.session(p, 1), w.session(other, 0)
	for _, s := range []*session{busy, calm, stranger} {
		s.lease()
		w.run()
	}
	calm.release()
	stranger.release()
	late := w.session(p, 1)
	w.hold = true
	late.lease() // gets the idle one
	waiter := w.session(p, 1)
	waiter.lease()
	late.release() // to waiter, whose login is still under way
	w.run()
	w.set.Pause("app")
	w.hold = false
	w.run()
	waiter.release()
	w.run()
	if waiter.lease() != nil || look(w.set.AwaitPaused, "app") {
		t.Errorf("a backend is given out while paused, or the wait is over while one is leased: %+v", w.stat(p))
	}
	busy.release()
	if look(w.set.AwaitPaused, "app") {
		t.Error("the wait is over before the socket is closed")
	}
	w.pass(maxBackoffs)
	if st := w.stat(p); st.Idle+st.Active+st.Login+st.Testing != 0 || !look(w.set.AwaitPaused, "app") || waiter.b != nil {
		t.Errorf("while paused there is %+v", st)
	}
	if fresh := w.session(w.set.Pool(Key{"app", "new"}), 0); fresh.lease() != nil {
		t.Error("a new user gets a backend")
	}
	if r := w.settle(p, 0); r.settled != 1 || r.pid != 0 || w.stat(p).Login != 0 {
		t.Error("a backend is made as a home")
	}
	w.run()
	if st := w.stat(other); st.Idle != 1 || w.stat(w.set.Pool(Key{"app", "new"})).Login != 0 {
		t.Errorf("the other database has %+v", st)
	}
	if !w.set.Resume("app") || w.set.Resume("app") {
		t.Error("it is resumed once")
	}
	w.run()
	if waiter.b == nil {
		t.Error("nobody lets the waiter go on")
	}
}

const maxBackoffs = 3 * maxBackoff

// What is checked for somebody when the pause begins goes, and he waits.
func TestPauseWhileChecking(t *testing.T) {
	w := newWorld(t, 1, nil)
	p := w.set.Pool(Key{"app", "u"})
	s := w.session(p, 0)
	s.lease()
	w.run()
	s.release()
	w.pass(2 * DefaultConfig().PrePingAfter)
	w.conns[0].mute = true
	s.lease()
	w.run()
	if w.stat(p).Testing != 1 {
		t.Fatalf("%+v", w.stat(p))
	}
	w.set.Pause("")
	w.run()
	if st := w.stat(p); st.Testing != 0 || st.Login != 0 || st.Waiting != 1 || !look(w.set.AwaitPaused, "") {
		t.Errorf("while paused there is %+v", st)
	}
	w.set.Resume("")
	w.run()
	if s.b == nil {
		t.Error("the waiter does not go on")
	}
}

// Backends outside the pool wait for RESUME too, without regard to limits where there
// is none.
func TestPauseDedicated(t *testing.T) {
	w := newWorld(t, 1, func(o *Options) { o.Config.Size, o.Config.Overflow = 1, 0 })
	k := Key{"app", "u"}
	w.set.Pause("app")
	got := 0
	for _, params := range []map[string]string{{}, {"replication": "true"}, {"replication": "true"}} {
		s := w.session(w.set.Pool(k), 0)
		w.set.DialDedicated(context.Background(), k, params, &s.waiter, func(b *Backend, err error) {
			if err != nil {
				t.Error(err)
			}
			got++
		})
	}
	w.run()
	if got != 0 || w.dials != 0 || !look(w.set.AwaitPaused, "app") {
		t.Errorf("%d have one while paused", got)
	}
	w.set.Resume("app")
	w.run()
	if got != 3 {
		t.Errorf("%d have one, want 3", got)
	}
	w.set.Pause("app")
	if look(w.set.AwaitPaused, "app") {
		t.Error("nobody waits for the dedicated ones")
	}
}

// All may be paused, and one of them besides.
func TestPauseOrders(t *testing.T) {
	w := newWorld(t, 1, nil)
	s := w.set
	for i, order := range []struct {
		database string
		want     bool
	}{{"app", true}, {"app", true}, {"", true}, {"", false}, {"app", false}} {
		if s.Pause(order.database) != order.want {
			t.Errorf("order %d is taken: %v", i, !order.want)
		}
	}
	if s.Resume("other") || !s.Resume("") || s.Resume("") || !s.Paused("app") || s.Paused("other") || s.Paused("") {
		t.Error("what is paused is wrong")
	}
	s.Disable("app", true)
	if !s.Resume("app") || !s.Disabled("app") || s.Disabled("other") {
		t.Error("what is disabled is wrong")
	}
	if all := s.Databases(); len(all) != 1 || !all[0].Disabled || all[0].Paused {
		t.Errorf("the list is %+v", all)
	}
	s.Disable("app", false)
	if len(s.Databases()) != 0 {
		t.Error("it remembers what is not so")
	}
}

// A wait goes on when something has changed, and ends with its context.
func TestAwaitPaused(t *testing.T) {
	w := newWorld(t, 1, nil)
	p := w.set.Pool(Key{"app", "u"})
	s := w.session(p, 0)
	s.lease()
	w.run()
	ended := make(chan error)
	wait := func(ctx context.Context) {
		go func() { ended <- w.set.AwaitPaused(ctx, "app") }()
	}
	w.set.Pause("app")
	why := errors.New("why")
	ctx, cancel := context.WithCancelCause(context.Background())
	wait(ctx)
	cancel(why)
	if err := <-ended; err != why {
		t.Errorf("it ends with %v", err)
	}
	wait(context.Background())
	w.set.Resume("app")
	if err := <-ended; err != ErrResumed {
		t.Errorf("it ends with %v", err)
	}
	w.set.Pause("app")
	wait(context.Background())
	s.destroy()
	if err := <-ended; err != nil {
		t.Errorf("it ends with %v", err)
	}
}
