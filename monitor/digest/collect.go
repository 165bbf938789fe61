package digest

import (
	"cmp"
	"slices"
	"time"
)

// collect adds up what the loops have recorded.
func (t *Table) collect() {
	t.mu.Lock()
	now := t.now()
	for _, r := range t.recorders {
		r.ring.drain(func(rec *Record) { t.take(rec, now) })
	}
	t.prune(now)
	t.logUnlogged()
	t.mu.Unlock()
}

// take adds one record. The caller holds mu.
func (t *Table) take(rec *Record, now time.Time) {
	sh := rec.Shape
	if sh.gone.Load() {
		t.lost++
	}
	t.sum.Calls += uint64(rec.calls())
	t.sum.Total += time.Duration(rec.Duration)
	sh.stat.add(sh, rec, now)
	if rec.Slow != nil {
		t.slow.add(rec, now)
	}
	if rec.Trace != nil {
		t.trace(rec)
	}
}

// calls is how many calls it counts as.
func (rec *Record) calls() uint32 {
	if rec.GoesOn {
		return 0
	}
	return max(rec.Calls, 1)
}

func (ta *tally) add(sh *Shape, rec *Record, now time.Time) {
	if ta.histogram == nil {
		ta.histogram, ta.first = new(Histogram), now
	}
	ta.last = now
	calls := rec.calls()
	c := &ta.counts
	c.Calls += uint64(calls)
	c.Sources[rec.Source%sourceCount] += uint64(calls)
	if rec.GoesOn {
		c.Parts++
	}
	if rec.Rewritten {
		c.Rewritten += uint64(calls)
	}
	if rec.Code != [5]byte{} {
		c.Errors++
		c.LastError = string(rec.Code[:])
		if c.LastError == "40001" || c.LastError == "40P01" {
			c.Conflicts++
			c.Storm = max(c.Storm, ta.storm.next(now))
		}
	}
	if rec.Query && rec.Source == SourceBackend && sh.literal {
		c.Literal += uint64(calls)
	}
	c.Rows += rec.Rows
	c.Bytes += rec.Bytes
	c.Total += time.Duration(rec.Duration)
	c.Wait += time.Duration(rec.Wait)
	c.Backend += time.Duration(rec.Backend)
	c.Proxy += time.Duration(max(rec.Duration-rec.Wait-rec.Backend, 0))
	c.FirstRow += time.Duration(rec.FirstRow)
	c.Stalled += time.Duration(rec.Stalled)
	if calls > 0 {
		each := rec.Duration / int64(calls)
		c.Max = max(c.Max, time.Duration(each))
		ta.histogram.observe(each, calls)
	}
	if rec.Streak >= StreakMark {
		c.Streaks++
	}
	if rec.Same >= StreakMark {
		c.SameStreaks++
	}
	if rec.Slow != nil {
		c.Slow++
	}
}

// prune makes room when the table is nearly full: a tenth goes, first of what nothing has
// come of yet, then of what has taken least time, where time counts less the longer it is ago.
func (t *Table) prune(now time.Time) {
	r := &t.registry
	r.mu.Lock()
	most := r.max
	crowded := len(r.shapes) > 0 && len(r.shapes) >= most-most/20
	r.mu.Unlock()
	if !crowded {
		return
	}
	shapes := slices.DeleteFunc(r.all(), func(sh *Shape) bool { return sh.key == 0 })
	n := (len(shapes) + 9) / 10
	shapes = withoutNewest(shapes, most/20)
	weight := make(map[*Shape]float64, len(shapes))
	for _, sh := range shapes {
		weight[sh] = sh.stat.weight(now)
	}
	slices.SortFunc(shapes, func(a, b *Shape) int {
		return cmp.Or(cmp.Compare(weight[a], weight[b]), cmp.Compare(a.serial, b.serial))
	})
	shapes = shapes[:min(n, len(shapes))]
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, sh := range shapes {
		sh.gone.Store(true)
		delete(r.shapes, sh.key)
	}
	t.pruned += uint64(len(shapes))
}

// withoutNewest takes out the n newest shapes that nothing has come of yet: they may be
// running. More than that are not.
func withoutNewest(shapes []*Shape, n int) []*Shape {
	slices.SortFunc(shapes, func(a, b *Shape) int { return cmp.Compare(b.serial, a.serial) })
	return slices.DeleteFunc(shapes, func(sh *Shape) bool {
		if sh.stat.histogram != nil || n == 0 {
			return false
		}
		n--
		return true
	})
}

// weight is what a shape is worth keeping for.
func (ta *tally) weight(now time.Time) float64 {
	if ta.histogram == nil {
		return -1
	}
	return float64(ta.counts.Total) / (1 + now.Sub(ta.last).Minutes())
}
