package digest

import (
	"math"
	"math/bits"
	"time"
)

const (
	// stepBits: each power of two has four steps, so a quantile is never wrong by more
	// than 25 %; where durations are spread evenly it is right.
	stepBits = 2
	// firstBits: what takes less than 2^10 ns is in the first cell.
	firstBits = 10
	// Cells is how many there are: up to 2^42 ns, which is 73 minutes, and one for what
	// takes longer.
	Cells = 1 + (42-firstBits)<<stepBits
)

// Histogram is a distribution of durations.
type Histogram [Cells]uint32

// cellOf returns the cell of a duration in ns.
func cellOf(ns int64) int {
	if ns < 1<<firstBits {
		return 0
	}
	power := bits.Len64(uint64(ns)) - 1
	step := int(ns>>(power-stepBits)) & (1<<stepBits - 1)
	return min(1+(power-firstBits)<<stepBits+step, Cells-1)
}

// Bound returns up to which duration a cell goes.
func Bound(cell int) time.Duration {
	if cell == 0 {
		return 1 << firstBits
	}
	power, step := firstBits+(cell-1)>>stepBits, (cell-1)&(1<<stepBits-1)
	return time.Duration((1<<stepBits + int64(step) + 1) << (power - stepBits))
}

func (h *Histogram) observe(ns int64, n uint32) {
	cell := &h[cellOf(ns)]
	*cell = min(*cell, math.MaxUint32-n) + n
}

// Count returns how many durations there are.
func (h *Histogram) Count() (n uint64) {
	for _, c := range h {
		n += uint64(c)
	}
	return n
}

// Quantile returns the duration that this part of all stay below, 0 if there are none.
func (h *Histogram) Quantile(q float64) time.Duration {
	all := h.Count()
	if all == 0 {
		return 0
	}
	rank := max(uint64(math.Ceil(q*float64(all))), 1)
	var seen uint64
	for cell, n := range h {
		if seen+uint64(n) >= rank {
			return within(cell, float64(rank-seen)-0.5, float64(n))
		}
		seen += uint64(n)
	}
	return Bound(Cells - 1)
}

// within returns how long one of the n in a cell took, if they are spread evenly.
func within(cell int, rank, n float64) time.Duration {
	from := time.Duration(0)
	if cell > 0 {
		from = Bound(cell - 1)
	}
	return from + time.Duration(float64(Bound(cell)-from)*rank/n)
}

// Minus returns what has been observed since an earlier state of the same histogram.
func (h *Histogram) Minus(before *Histogram) (d Histogram) {
	for i := range h {
		d[i] = h[i] - min(before[i], h[i])
	}
	return d
}
