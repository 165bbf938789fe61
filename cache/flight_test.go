package cache

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
)

// fakeWaiter notes what it is told.
type fakeWaiter struct {
	filled []*Entry
	leads  int
}

func (w *fakeWaiter) Filled(e *Entry) { w.filled = append(w.filled, e) }
func (w *fakeWaiter) Lead()           { w.leads++ }

func TestFlightIsShared(t *testing.T) {
	c := newCache(t)
	s := c.Space("db")
	st := stamp(t, s, 1)
	f, leader := c.Join(key("q"), st, &fakeWaiter{})
	if !leader {
		t.Fatal("the first does not lead")
	}
	var waiters [3]fakeWaiter
	for i := range waiters {
		if g, leader := c.Join(key("q"), st, &waiters[i]); leader || g != f {
			t.Fatal("the second does not wait")
		}
	}
	if g, leader := c.Join(key("other"), st, &fakeWaiter{}); !leader || g == f {
		t.Error("another key joins")
	}
	if !f.Leave(&waiters[1]) || f.Leave(&waiters[1]) {
		t.Error("leaving does not work once")
	}
	e := new(Entry)
	f.Fill(e)
	if f.Leave(&waiters[0]) {
		t.Error("one that has its answer can leave")
	}
	for i, w := range waiters {
		if want := i != 1; want != slices.Equal(w.filled, []*Entry{e}) || w.leads != 0 {
			t.Errorf("waiter %d: %+v", i, w)
		}
	}
	if g, leader := c.Join(key("q"), st, &fakeWaiter{}); !leader || g == f {
		t.Error("a flight that is over is joined")
	}
}

func TestHandOver(t *testing.T) {
	c := newCache(t)
	st := stamp(t, c.Space("db"), 1)
	f, _ := c.Join(key("q"), st, &fakeWaiter{})
	var waiters [3]fakeWaiter
	for i := range waiters {
		c.Join(key("q"), st, &waiters[i])
	}
	f.Abandon()
	if waiters[0].leads != 1 || waiters[1].leads+waiters[2].leads != 0 {
		t.Fatalf("%+v", waiters)
	}
	late := new(fakeWaiter)
	if g, leader := c.Join(key("q"), st, late); leader || g != f {
		t.Error("a flight that was handed over cannot be joined")
	}
	if f.Leave(&waiters[0]) {
		t.Error("the new leader can leave")
	}
	f.Abandon()
	f.Fill(nil)
	if waiters[1].leads != 1 || len(waiters[0].filled)+len(waiters[1].filled) != 0 || len(waiters[2].filled) != 1 || len(late.filled) != 1 {
		t.Errorf("%+v %+v", waiters, late)
	}

	g, _ := c.Join(key("q"), st, &fakeWaiter{})
	g.Abandon()
	if h, leader := c.Join(key("q"), st, &fakeWaiter{}); !leader || h == g {
		t.Error("a flight that everybody has left is joined")
	}
}

// TestFlightFromBeforeAWrite: trap 5.
func TestFlightFromBeforeAWrite(t *testing.T) {
	for name, change := range map[string]func(w *Word){
		"write":           func(w *Word) { w.Begin(); w.End() },
		"write in flight": func(w *Word) { w.Begin() },
		"bump":            func(w *Word) { w.Bump() },
	} {
		t.Run(name, func(t *testing.T) {
			c := newCache(t)
			s := c.Space("db")
			before := stamp(t, s, 1)
			f, _ := c.Join(key("q"), before, &fakeWaiter{})
			var early, late fakeWaiter
			c.Join(key("q"), before, &early)
			change(s.Table(1))

			// One that has taken its stamp before goes alone.
			g, leader := c.Join(key("q"), before, &late)
			if !leader || g != nil {
				t.Error("joined with a stamp that is over")
			}
			g.Fill(nil)
			g.Abandon()
			if g.Leave(&late) {
				t.Error("left a flight that there is not")
			}

			if st, ok := s.Stamp([]uint32{1}); ok {
				g, leader := c.Join(key("q"), st, &late)
				if !leader || g == f {
					t.Fatal("joined a flight from before the write")
				}
				var next fakeWaiter
				if h, leader := c.Join(key("q"), st, &next); leader || h != g {
					t.Error("the later flight cannot be joined")
				}
				defer func() {
					if h, leader := c.Join(key("q"), st, &fakeWaiter{}); leader || h != g {
						t.Error("the later flight is over with the earlier")
					}
					g.Fill(nil)
					if len(next.filled) != 1 {
						t.Error("the later flight was lost with the earlier")
					}
				}()
			}
			f.Fill(nil)
			if len(early.filled) != 1 || len(late.filled) != 0 {
				t.Errorf("early %+v, late %+v", early, late)
			}
		})
	}
}

// TestNobodyIsForgotten runs seeded random interleavings: whoever waits is called
// once or has left, there is one leader at a time, and an answer comes only from
// a query that was forwarded since the last write before its reader came.
func TestNobodyIsForgotten(t *testing.T) {
	for seed := range uint64(300) {
		f := &flightSim{t: t, c: newCache(t), rng: rand.New(rand.NewPCG(seed, 5))}
		f.run(300)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
		f.c.Close()
	}
}

// flightSim is readers and writers of one table, one step at a time.
type flightSim struct {
	t       *testing.T
	c       *Cache
	rng     *rand.Rand
	readers []*flightReader
	writes  int // that are visible
	writing bool
}

// flightReader is one statement from its Join until it has an answer.
type flightReader struct {
	sim    *flightSim
	flight *Flight
	came   int // writes that were visible when it came
	leads  bool
	over   bool
	sent   bool // as the leader it has forwarded its query
	seen   int  // and saw these writes
}

func (r *flightReader) Lead() {
	r.check(!r.leads && !r.over, "made the leader twice, or too late")
	r.leads = true
}

func (r *flightReader) Filled(e *Entry) {
	r.check(!r.leads && !r.over, "filled though it leads, or twice")
	r.check(int(e.cost) >= r.came, fmt.Sprintf("came after %d writes and got an answer from after %d", r.came, e.cost))
	r.over = true
}

func (r *flightReader) check(ok bool, what string) {
	if !ok {
		r.sim.t.Error(what)
	}
}

func (f *flightSim) run(steps int) {
	for range steps {
		f.step()
	}
	for _, r := range f.readers { // leaders finish; who is handed the lead may come earlier in the list
		f.finish(r)
	}
	for again := true; again; {
		again = false
		for _, r := range f.readers {
			if r.leads && !r.over {
				f.finish(r)
				again = true
			}
		}
	}
	for _, r := range f.readers {
		r.check(r.over, "somebody waits for ever")
	}
}

func (f *flightSim) step() {
	word := f.c.Space("db").Table(1)
	switch n := f.rng.IntN(20); {
	case n == 0 && !f.writing:
		word.Begin()
		f.writing = true
	case n == 1 && f.writing:
		f.writes++
		word.End()
		f.writing = false
	case n < 8:
		f.join()
	case len(f.readers) > 0:
		r := f.readers[f.rng.IntN(len(f.readers))]
		switch {
		case r.over:
		case !r.leads && f.rng.IntN(4) == 0:
			r.check(r.flight.Leave(r), "one that waits cannot leave")
			r.over = true
		case r.leads && f.rng.IntN(2) == 0:
			r.sent, r.seen = true, f.writes
		case r.leads:
			f.finish(r)
		}
	}
}

func (f *flightSim) join() {
	st, ok := f.c.Space("db").Stamp([]uint32{1})
	if !ok {
		return
	}
	r := &flightReader{sim: f, came: f.writes}
	r.flight, r.leads = f.c.Join(key("q"), st, r)
	f.readers = append(f.readers, r)
}

// finish ends what a leader does, with an answer or without.
func (f *flightSim) finish(r *flightReader) {
	if !r.leads || r.over {
		return
	}
	r.over = true
	if r.sent {
		r.flight.Fill(&Entry{facts: facts{cost: int64(r.seen)}})
	} else {
		r.flight.Abandon()
	}
}

// TestFlightsConcurrently: each of many goroutines gets an answer.
func TestFlightsConcurrently(t *testing.T) {
	c := newCache(t)
	var wg sync.WaitGroup
	for g := range uint64(8) {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(g, 1))
			for range 2000 {
				if rng.IntN(20) == 0 {
					c.Space("db").Table(1).Begin()
					c.Space("db").Table(1).End()
				}
				st, ok := c.Space("db").Stamp([]uint32{1})
				if !ok {
					continue
				}
				w := make(chanWaiter, 1)
				f, leader := c.Join(key("q"), st, w)
				if !leader && (rng.IntN(4) != 0 || !f.Leave(w)) {
					leader = <-w
				}
				if leader && rng.IntN(2) == 0 {
					f.Fill(nil)
				} else if leader {
					f.Abandon()
				}
			}
		})
	}
	wg.Wait()
	for i := range c.flights {
		if n := len(c.flights[i].flights); n != 0 {
			t.Errorf("%d flights are left", n)
		}
	}
}

// chanWaiter gets true if it has to lead.
type chanWaiter chan bool

func (w chanWaiter) Filled(*Entry) { w <- false }
func (w chanWaiter) Lead()         { w <- true }
