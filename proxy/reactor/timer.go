package reactor

// Timer runs its Task on a loop at some time. It is embedded by its owner and
// must not be copied while it is scheduled.
type Timer struct {
	Task Task

	at    int64
	place int // in the heap, from 1; 0: not scheduled
}

// Schedule makes t run at the given time or soon after, instead of any other
// time that it was scheduled for.
func (l *Loop) Schedule(t *Timer, at int64) {
	l.Stop(t)
	t.at = at
	l.timers = append(l.timers, t)
	t.place = len(l.timers)
	l.timers.up(len(l.timers) - 1)
}

// Stop unschedules t. It does nothing to a timer that is not scheduled.
func (l *Loop) Stop(t *Timer) {
	if t.place == 0 {
		return
	}
	i, last := t.place-1, len(l.timers)-1
	l.timers.swap(i, last)
	l.timers[last] = nil
	l.timers = l.timers[:last]
	t.place = 0
	if i < last {
		l.timers.down(i)
		l.timers.up(i)
	}
}

// timerHeap is a binary heap, the earliest timer first.
type timerHeap []*Timer

func (h timerHeap) swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i+1, j+1
}

func (h timerHeap) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if h[parent].at <= h[i].at {
			return
		}
		h.swap(i, parent)
		i = parent
	}
}

func (h timerHeap) down(i int) {
	for {
		child := 2*i + 1
		if child >= len(h) {
			return
		}
		if child+1 < len(h) && h[child+1].at < h[child].at {
			child++
		}
		if h[i].at <= h[child].at {
			return
		}
		h.swap(i, child)
		i = child
	}
}
