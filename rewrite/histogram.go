package rewrite

import (
	"math"
	"sync/atomic"
	"time"
)

// histogram counts times by their size. Any number of goroutines may use it; none
// waits. The zero value is empty.
type histogram struct {
	total   atomic.Uint64
	buckets [buckets]atomic.Uint32
}

const (
	// perDoubling buckets lie between a time and its double: a median is right to
	// some percent.
	perDoubling = 16
	// shortest is the time of the first bucket, in ns.
	shortest = 1 << 12
	buckets  = 24 * perDoubling // up to a minute
)

// add counts a time, and returns how many there are.
func (h *histogram) add(ns int64) uint64 {
	i := 0
	if ns > shortest {
		i = min(int(perDoubling*math.Log2(float64(ns)/shortest)), buckets-1)
	}
	h.buckets[i].Add(1)
	return h.total.Add(1)
}

func (h *histogram) count() uint64 { return h.total.Load() }

// median returns the time that half of them are shorter than; 0 if there are none.
func (h *histogram) median() int64 {
	var counts [buckets]uint32
	total := 0.0
	for i := range counts {
		counts[i] = h.buckets[i].Load()
		total += float64(counts[i])
	}
	before := 0.0
	for i, n := range counts {
		if n > 0 && before+float64(n) >= total/2 {
			within := (total/2 - before) / float64(n)
			return int64(shortest * math.Exp2((float64(i)+within)/perDoubling))
		}
		before += float64(n)
	}
	return 0
}

func (h *histogram) reset() {
	for i := range h.buckets {
		h.buckets[i].Store(0)
	}
	h.total.Store(0)
}

// short is a time for people.
func short(ns int64) string {
	d := time.Duration(ns)
	switch {
	case d >= time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d >= time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	}
	return d.Round(time.Microsecond).String()
}
