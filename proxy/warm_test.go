package proxy

import (
	"container/heap"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/pgjay/pgjay/cache"
	"github.com/pgjay/pgjay/proxy/reactor"
)

// newWarmer makes a warmer of these statements without clients.
func newWarmer(t *testing.T, statements ...cache.Warm) (*warmer, *cache.Cache) {
	cfg := cache.DefaultConfig()
	cfg.Warm = statements
	c, err := cache.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	srv := &Server{}
	srv.databases.cache, srv.log = c, slog.New(slog.DiscardHandler)
	srv.stations = []*station{{loop: reactor.NewManual(0)}}
	w := &warmer{srv: srv}
	w.filled.L = &w.mu
	return w, c
}

// The most urgent statement goes first; none is in the queue twice.
func TestWarmGoesByPriority(t *testing.T) {
	w, _ := newWarmer(t, cache.Warm{Text: "b", Priority: 1}, cache.Warm{Text: "c"}, cache.Warm{Text: "a", Priority: 9})
	now := time.Now()
	w.look(now)
	w.look(now)
	got := ""
	for len(w.queue) > 0 {
		got += heap.Pop(&w.queue).(*warmed).Text
	}
	if got != "abc" {
		t.Errorf("the order is %s", got)
	}
}

// What has been executed rests: the longer the less came of it, and the longer it took.
// What is there is not asked for again until something has changed or its time is
// nearly up.
func TestWarmRests(t *testing.T) {
	w, c := newWarmer(t, cache.Warm{Text: "a"})
	due := func(in time.Duration) bool {
		w.look(time.Now().Add(in))
		if len(w.queue) == 0 {
			return false
		}
		w.next()
		return true
	}
	if !due(0) {
		t.Fatal("it is not executed at the start")
	}
	st := w.all[0]
	for _, rest := range []time.Duration{firstRest, 2 * firstRest, 4 * firstRest} {
		if w.done(st, nil, nil, 0); due(rest-firstRest/2) || !due(rest) {
			t.Errorf("what is not kept does not rest for %v", rest)
		}
	}
	for range 20 {
		w.done(st, nil, errors.New("failed"), 0)
	}
	if due(maxRest-time.Second) || !due(maxRest) {
		t.Errorf("what fails again and again does not rest for %v", maxRest)
	}
	space, loop := c.Space("d"), w.srv.stations[0].loop
	loop.Step(1000)
	stamp, _ := space.Stamp(nil)
	e := c.NewEntry(cache.Answer{Stamp: stamp, Made: 1000, Fresh: 2000, Shape: c.NewShape("s")})
	w.done(st, e, nil, time.Second)
	if due(time.Hour) {
		t.Error("it is executed though the answer is there")
	}
	loop.Step(1899)
	if due(time.Hour) {
		t.Error("it is executed long before its time is up")
	}
	loop.Step(1900)
	if due(restShare*time.Second-time.Second) || !due(restShare*time.Second) {
		t.Error("it is not executed when its time is nearly up, or does not rest")
	}
	stamp, _ = space.Stamp(nil)
	w.done(st, c.NewEntry(cache.Answer{Stamp: stamp, Made: 1900, Fresh: 1 << 50, Shape: c.NewShape("s")}), nil, 0)
	if due(time.Hour) {
		t.Error("it is executed though the new answer is there")
	}
	if space.Global.Bump(); !due(time.Hour) {
		t.Error("it is not executed though something has changed")
	}
}
