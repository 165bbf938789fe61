package reactor

import "testing"

// loaded makes a group of loops that do not run, with these loads in
// thousandths of a CPU, measured now.
func loaded(loads ...uint32) *Group {
	g := &Group{}
	for i, busy := range loads {
		l := &Loop{index: i, group: g, now: Monotonic()}
		l.busy.Store(busy)
		l.busyAt.Store(l.now)
		g.loops = append(g.loops, l)
	}
	return g
}

func TestPlace(t *testing.T) {
	for _, c := range []struct {
		loads []uint32
		conns []int64
		want  int
	}{
		{[]uint32{0, 0}, []int64{100, 0}, 0}, // few loops with much to do
		{[]uint32{699, 0}, []int64{0, 0}, 0},
		{[]uint32{700, 0}, []int64{0, 9}, 1},
		{[]uint32{900, 701, 800}, []int64{3, 2, 1}, 2}, // all busy: the one with fewest
	} {
		g := loaded(c.loads...)
		for i, n := range c.conns {
			g.loops[i].conns.Store(n)
		}
		if got := g.place().Index(); got != c.want {
			t.Errorf("%v with %v: loop %d, want %d", c.loads, c.conns, got, c.want)
		}
	}
}

// A loop that sleeps does not measure its load: the last one is out of date.
func TestLoadOfSleeper(t *testing.T) {
	g := loaded(1000, 0)
	g.loops[0].busyAt.Add(-3 * usageWindow)
	if got := g.place().Index(); got != 0 {
		t.Errorf("loop %d, want the one that sleeps", got)
	}
}

func TestRelief(t *testing.T) {
	for _, c := range []struct {
		loads []uint32
		conns int64
		want  int // loop
		times int
	}{
		{[]uint32{700, 350}, 16, 1, 3},
		{[]uint32{1000, 0}, 0, 1, 1},
		{[]uint32{1000, 351}, 16, 0, 0}, // nobody has time
		{[]uint32{699, 0}, 16, 0, 0},    // no need
		{[]uint32{1000, 900, 10}, 8, 2, 2},
	} {
		g := loaded(c.loads...)
		l := g.loops[0]
		l.conns.Store(c.conns)
		l.relieve(c.loads[0])
		times := 0
		for to := l.Relief(); to != nil; to = l.Relief() {
			if times++; to.Index() != c.want {
				t.Errorf("%v: to loop %d, want %d", c.loads, to.Index(), c.want)
			}
		}
		if times != c.times {
			t.Errorf("%v: %d times, want %d", c.loads, times, c.times)
		}
	}
}
