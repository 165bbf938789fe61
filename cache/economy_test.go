package cache

import (
	"math/rand/v2"
	"testing"
)

// trade is a shape's statements with a part r of hits, and what becomes of it.
type trade struct {
	shape            *Shape
	origin, hit, ext int64
	now              int64

	cached, refused int
	lost, executed  int64 // against all of them being executed without a cache
}

// run plays statements, r of them hits if the cache is asked.
func (tr *trade) run(n int, r float64, rng *rand.Rand) {
	for range n {
		tr.now += tr.origin
		tr.executed += tr.origin
		switch {
		case !tr.shape.Admit(tr.now):
			tr.refused++
			tr.shape.Origin(tr.origin)
		case rng.Float64() < r:
			tr.cached++
			tr.lost += tr.hit - tr.origin
			tr.shape.Hit(tr.hit)
			tr.shape.served(tr.origin, tr.shape.count(Hit))
		default:
			tr.cached++
			tr.lost += tr.ext
			tr.shape.count(Absent)
			tr.shape.Miss(tr.origin, tr.ext)
		}
	}
}

// TestBreakEven: the cache is on above r = (M - O) / (M - H), and off below it,
// where it loses 2 % at most.
func TestBreakEven(t *testing.T) {
	c := newCache(t)
	for _, tt := range []struct{ origin, hit, ext int64 }{
		{40_000, 2_000, 3_000},
		{167_000, 119_000, 447_000}, // PgCache as an independent laboratory measured it: 90 %
		{40_000, 20_000, 20_000},
		{5_000_000, 2_000, 3_000},
	} {
		shape := c.NewShape("s")
		probe := trade{shape: shape, origin: tt.origin, hit: tt.hit, ext: tt.ext}
		probe.run(20, 0.5, rand.New(rand.NewPCG(1, 1)))
		stat := shape.Stat()
		even := stat.BreakEven()
		m := tt.origin + tt.ext
		if want := float64(m-tt.origin) / float64(m-tt.hit); even < want*0.99 || even > want*1.01 {
			t.Errorf("%+v: break-even %.3f, want %.3f", tt, even, want)
		}

		for _, r := range []float64{even * 0.8, even + (1-even)*0.2} {
			tr := trade{shape: c.NewShape("s"), origin: tt.origin, hit: tt.hit, ext: tt.ext}
			tr.run(100_000, r, rand.New(rand.NewPCG(1, 2)))
			pays := r > even
			if pays && tr.refused > tr.cached/20 {
				t.Errorf("%+v, r = %.3f pays: %d cached, %d refused", tt, r, tr.cached, tr.refused)
			}
			if most := tr.executed/tryingCosts + 2*tr.shape.limit(); tr.lost > most {
				t.Errorf("%+v, r = %.3f: %d ns lost, of %d", tt, r, tr.lost, most)
			}
			// What a miss loses may be less than 2 % anyway: then nobody minds.
			if !pays && tt.ext > tt.origin/10 && (tr.refused < tr.cached || tr.refused == 100_000) {
				t.Errorf("%+v, r = %.3f does not pay: %d cached, %d refused", tt, r, tr.cached, tr.refused)
			}
		}
	}
}

// TestHitDearerThanExecution: H < O is the other condition.
func TestHitDearerThanExecution(t *testing.T) {
	c := newCache(t)
	tr := trade{shape: c.NewShape("s"), origin: 40_000, hit: 45_000, ext: 3_000}
	tr.run(100_000, 1, rand.New(rand.NewPCG(1, 3)))
	stat := tr.shape.Stat()
	if tr.refused < 80_000 || stat.BreakEven() != 1 || stat.Refused[RefusedCost] != int64(tr.refused) {
		t.Errorf("%d cached, %d refused: %+v", tr.cached, tr.refused, stat)
	}
}

// TestComesBack: when the load changes, the cache is used again.
func TestComesBack(t *testing.T) {
	c := newCache(t)
	rng := rand.New(rand.NewPCG(1, 4))
	tr := trade{shape: c.NewShape("s"), origin: 40_000, hit: 2_000, ext: 10_000}
	tr.run(100_000, 0, rng)
	if tr.refused < 80_000 {
		t.Errorf("without hits: %d cached, %d refused", tr.cached, tr.refused)
	}
	tr.cached, tr.refused = 0, 0
	tr.run(100_000, 0.9, rng)
	if tr.cached < 95_000 {
		t.Errorf("with hits again: %d cached, %d refused", tr.cached, tr.refused)
	}
}

// TestTriesAgainInTime: also a statement that comes seldom.
func TestTriesAgainInTime(t *testing.T) {
	c := newCache(t)
	shape := c.NewShape("s")
	shape.economy.lose(minLimit+1, minLimit)
	now := 5 * second
	for range 3 {
		admitted := []bool{shape.Admit(now), shape.Admit(now + tryAgain - 1), shape.Admit(now + tryAgain)}
		if admitted[0] || admitted[1] || !admitted[2] {
			t.Errorf("admitted: %v", admitted)
		}
		shape.economy.lose(minLimit/8, minLimit)
		if !shape.Admit(now + tryAgain) {
			t.Error("a try is over after its first miss")
		}
		shape.economy.lose(minLimit/4, minLimit)
		now += 2 * tryAgain
	}
}

// TestWinsAreNotSaved: what a shape won long ago does not pay for what it loses now.
func TestWinsAreNotSaved(t *testing.T) {
	shape := newCache(t).NewShape("s")
	shape.Miss(1000, 1000)
	shape.served(100*second, shape.count(Hit))
	shape.economy.lose(minLimit+1, minLimit)
	if shape.Admit(1) {
		t.Error("it is still on")
	}
}

// TestDoesNotFlap: between on and off is half a limit.
func TestDoesNotFlap(t *testing.T) {
	shape := newCache(t).NewShape("s")
	shape.economy.lose(minLimit+1, minLimit)
	changes, on := 0, false
	for range 4000 {
		if shape.Admit(1) != on {
			on = !on
			changes++
		}
		if on {
			shape.Miss(1000, 1000)
		} else {
			shape.Origin(1000 * tryingCosts)
		}
	}
	if changes != 3 { // each takes a thousand
		t.Errorf("it changed %d times", changes)
	}
}

// TestTableWrittenTooOften turns itself off for all shapes that read it, and on
// again when the writes are over.
func TestTableWrittenTooOften(t *testing.T) {
	c := newCache(t)
	s := c.Space("db")
	hot, calm := s.Table(1), s.Table(2)
	const origin, extra = 40_000, 5_000
	now := int64(1)
	// statement is one of a shape of its own, as texts with literals are.
	statement := func(oid uint32, write bool) (outcome Outcome, admitted bool) {
		now += origin
		shape := c.NewShape("s")
		shape.SetTables([]*Word{s.Table(oid)})
		shape.Hit(2000)
		if !shape.Admit(now) {
			shape.Origin(origin)
			return Absent, false
		}
		if write {
			s.Table(oid).Begin()
			s.Table(oid).End()
		}
		k := key("q", string(rune(oid)))
		e, o := c.Get(k, now)
		if e == nil {
			c.Put(k, c.NewEntry(Answer{Stamp: stamp(t, s, oid), Fresh: now + 100*second, Cost: origin, Shape: shape}), now)
			c.store.Wait()
			shape.Miss(origin, extra)
		}
		return o, true
	}
	refused := 0
	for range 20_000 {
		if _, ok := statement(1, true); !ok {
			refused++
		}
	}
	if refused < 10_000 {
		t.Errorf("written each time: %d refused", refused)
	}
	for range 50 {
		if _, ok := statement(2, false); !ok {
			t.Fatal("the other table is off too")
		}
	}
	for i := range 20_000 {
		if _, ok := statement(3, i%4 == 0); !ok {
			t.Fatal("a table is off though three of four statements are hits")
		}
	}
	hits := 0
	for range 20_000 {
		if o, _ := statement(1, false); o == Hit {
			hits++
		}
	}
	if hits < 13_000 || hot.economy.off.Load() || calm.economy.off.Load() {
		t.Errorf("no longer written: %d hits", hits)
	}
}
