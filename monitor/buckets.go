package monitor

import (
	"math"
	"math/bits"
	"time"
)

// A histogram is kept in cells that are fine enough to be added up to the
// buckets of both kinds of Prometheus histogram: the classic one, whose bounds
// are chosen, and the native one, whose bounds are the powers of 2^(1/8). The
// bounds of the cells are those of both kinds together, so one observation is
// two stores: one to a cell and one to the sum.
//
// The native range goes from 2^-19 s (2 µs), under which everything is in the
// zero bucket, to 2^10 s (17 minutes), where everything longer is put. The
// classic buckets and the sum know no such limit.
const (
	nativeSchema  = 3                   // 2^3 buckets for each power of two: each is 9% wider than the one before
	nativeFirst   = -19 << nativeSchema // index of the zero bucket's bound
	nativeLast    = 10 << nativeSchema  // index of the last bucket's bound
	zeroThreshold = 1.0 / (1 << 19)     // s

	// cellCount: the zero bucket, the native ones, the classic ones without
	// .25, .5 and 1, which are powers of two, and what is longer than all.
	cellCount = 1 + (nativeLast - nativeFirst) + 17 - 3 + 1

	slotBits     = 4  // a power of two has 16 slots, each narrower than a native bucket
	observedBits = 41 // 2^41 ns are 36 minutes: what is longer is in the last cell anyway
	slotCount    = (observedBits + 1) << slotBits
)

// durationBuckets are the classic bounds of every histogram of durations, in
// seconds: a superset of OpenTelemetry's.
var durationBuckets = []float64{
	.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30,
}

// cellLayout says which observations each cell has.
type cellLayout struct {
	bounds [cellCount]int64 // the largest number of nanoseconds in the cell
	native [cellCount]int   // the index of its native bucket; nativeFirst: the zero bucket
	first  [slotCount]uint8 // where to begin looking for a number: the first cell of its slot
}

var cells = newCellLayout()

// newCellLayout merges the bounds of the two kinds of buckets, as whole
// nanoseconds.
func newCellLayout() *cellLayout {
	l := new(cellLayout)
	cell, classic := 0, durationBuckets
	for native := nativeFirst; native <= nativeLast; native++ {
		bound := int64(math.Exp2(float64(native)/(1<<nativeSchema)) * 1e9)
		for len(classic) > 0 && nanoseconds(classic[0]) <= bound {
			if c := nanoseconds(classic[0]); c < bound {
				l.bounds[cell], l.native[cell] = c, native
				cell++
			}
			classic = classic[1:]
		}
		l.bounds[cell], l.native[cell] = bound, native
		cell++
	}
	l.bounds[cell], l.native[cell] = math.MaxInt64, nativeLast
	l.fillSlots()
	return l
}

func (l *cellLayout) fillSlots() {
	cell := 0
	for slot := range l.first {
		for slotStart(slot) > l.bounds[cell] {
			cell++
		}
		l.first[slot] = uint8(cell)
	}
}

// cellOf returns the cell of an observation that is not negative. A slot is so
// narrow that the search ends after a step or two.
func (l *cellLayout) cellOf(ns int64) int {
	cell := int(l.first[slotOf(uint64(min(ns, 1<<observedBits-1)))])
	for ns > l.bounds[cell] {
		cell++
	}
	return cell
}

// slotOf returns the slot of a number: its length in bits and the bits after
// the leading one.
func slotOf(n uint64) int {
	length := bits.Len64(n)
	if length <= slotBits {
		return length << slotBits
	}
	return length<<slotBits | int(n>>(length-slotBits-1))&(1<<slotBits-1)
}

// slotStart returns the smallest number in a slot. Some slots have no number;
// theirs is that of their neighbour.
func slotStart(slot int) int64 {
	length, rest := slot>>slotBits, slot&(1<<slotBits-1)
	if length <= slotBits {
		return int64(1) << length >> 1
	}
	return int64(1<<slotBits|rest) << (length - slotBits - 1)
}

func nanoseconds(s float64) int64 { return int64(math.Round(s * float64(time.Second))) }

func seconds(ns uint64) float64 { return float64(ns) / float64(time.Second) }
