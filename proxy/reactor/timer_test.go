package reactor

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestTimerOrder schedules, reschedules and stops at random: what is left runs
// in order and not before its time.
func TestTimerOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	l := NewManual(0)
	timers := make([]Timer, 200)
	var ran, want []int64
	for range 20 {
		for i := range timers {
			timers[i].Task = Func(func() { ran = append(ran, timers[i].at) })
			l.Schedule(&timers[i], l.Now()+1+random.Int64N(1000))
		}
		for range 100 {
			timer := &timers[random.IntN(len(timers))]
			if random.IntN(2) == 0 {
				l.Stop(timer)
			} else {
				l.Schedule(timer, l.Now()+1+random.Int64N(1000))
			}
		}
		ran, want = nil, nil
		for i := range timers {
			if timers[i].place != 0 {
				want = append(want, timers[i].at)
			}
		}
		slices.Sort(want)
		for now := l.Now(); len(ran) < len(want); now += 10 {
			l.Step(now)
			if n := len(ran); n < len(want) && want[n] <= now {
				t.Fatalf("%d was due at %d", want[n], now)
			} else if n > 0 && ran[n-1] > now {
				t.Fatalf("%d ran at %d", ran[n-1], now)
			}
		}
		if !slices.Equal(ran, want) {
			t.Fatal("not in order")
		}
	}
}

func TestTimerStop(t *testing.T) {
	l := NewManual(0)
	ran := 0
	var a, b Timer
	a.Task = Func(func() { ran++; l.Stop(&b); l.Stop(&a) })
	b.Task = Func(func() { t.Error("ran although stopped") })
	l.Stop(&a)
	l.Schedule(&a, 1)
	l.Schedule(&b, 2)
	l.Step(5)
	if ran != 1 || l.Step(10) {
		t.Errorf("ran %d times", ran)
	}
	l.Schedule(&a, 20)
	l.Schedule(&a, 30)
	if l.Step(25) || !l.Step(30) || ran != 2 {
		t.Errorf("ran %d times", ran)
	}
}

// TestTimerAgain schedules a timer in its own callback, also for now: that must
// not keep the loop from anything else.
func TestTimerAgain(t *testing.T) {
	forBoth(t, func(t *testing.T, g *Group) {
		l := g.Loops()[0]
		done := make(chan int, 1)
		var timer Timer
		rounds := 0
		timer.Task = Func(func() {
			rounds++
			if rounds == 10 {
				done <- rounds
			}
			l.Schedule(&timer, l.Now())
		})
		onLoop(l, func() { l.Schedule(&timer, l.Now()) })
		wait(t, done, "tenth round")
		settleAll(t, l)
		onLoop(l, func() { l.Stop(&timer) })
	})
}

// TestTimerWakes has a loop sleep until a timer is due, and not longer when
// an earlier one comes.
func TestTimerWakes(t *testing.T) {
	forBoth(t, func(t *testing.T, g *Group) {
		l := g.Loops()[0]
		var late, soon Timer
		ran := make(chan int64, 1)
		late.Task = Func(func() { t.Error("an hour has passed") })
		var due int64
		soon.Task = Func(func() { ran <- l.Now() })
		onLoop(l, func() { l.Schedule(&late, l.Now()+3600e9) })
		onLoop(l, func() {
			due = l.Now() + 3e6
			l.Schedule(&soon, due)
		})
		if at := wait(t, ran, "timer"); at < due {
			t.Errorf("%d ns early", due-at)
		}
		onLoop(l, func() { l.Schedule(&late, l.Now()+1<<62) }) // beyond what epoll knows
		onLoop(l, func() { l.Stop(&late) })
	})
}
