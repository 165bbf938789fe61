package monitor

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"golang.org/x/sys/cpu"
)

// histogram is a distribution of durations with one writer.
type histogram struct {
	_     cpu.CacheLinePad
	cells [cellCount]counter
	sum   counter // ns
	_     cpu.CacheLinePad
}

// histogramSlot is the place of a histogram that is made when it is first
// written to: most combinations of labels never occur.
type histogramSlot struct{ made atomic.Pointer[histogram] }

// observe is for the writer only.
func (s *histogramSlot) observe(ns int64) {
	h := s.made.Load()
	if h == nil {
		h = new(histogram)
		s.made.Store(h)
	}
	ns = max(ns, 0)
	h.cells[cells.cellOf(ns)].add(1)
	h.sum.add(uint64(ns))
}

// addTo adds what was observed to a total.
func (s *histogramSlot) addTo(t *distribution) {
	h := s.made.Load()
	if h == nil {
		return
	}
	for i := range h.cells {
		n := h.cells[i].load()
		t.cells[i] += n
		t.count += n
	}
	t.sum += h.sum.load()
}

// distribution is the sum of the histograms of several loops.
type distribution struct {
	cells [cellCount]uint64
	count uint64 // of all cells: it never disagrees with them
	sum   uint64 // ns
}

// metric returns d as a histogram of both kinds: a scrape that negotiates
// protobuf may use the native one, all others see the classic buckets.
func (d *distribution) metric(desc *prometheus.Desc, started time.Time, labels ...string) prometheus.Metric {
	native := make(map[int]int64)
	var zero uint64
	for i, n := range d.cells {
		switch bucket := cells.native[i]; {
		case n == 0:
		case bucket == nativeFirst:
			zero += n
		default:
			native[bucket] += int64(n)
		}
	}
	return dualHistogram{
		Metric: prometheus.MustNewConstNativeHistogram(desc, d.count, seconds(d.sum), native, nil, zero,
			nativeSchema, zeroThreshold, started, labels...),
		classic: d.classic(),
	}
}

// classic returns the cumulative counts of durationBuckets.
func (d *distribution) classic() []*dto.Bucket {
	buckets := make([]*dto.Bucket, 0, len(durationBuckets))
	var cumulative uint64
	cell := 0
	for _, bound := range durationBuckets {
		for ; cells.bounds[cell] <= nanoseconds(bound); cell++ {
			cumulative += d.cells[cell]
		}
		buckets = append(buckets, &dto.Bucket{CumulativeCount: new(cumulative), UpperBound: new(bound)})
	}
	return buckets
}

// dualHistogram is a constant native histogram that has classic buckets too,
// which client_golang's own constant histograms cannot have together.
type dualHistogram struct {
	prometheus.Metric
	classic []*dto.Bucket
}

// Write implements prometheus.Metric.
func (h dualHistogram) Write(out *dto.Metric) error {
	if err := h.Metric.Write(out); err != nil {
		return err
	}
	out.Histogram.Bucket = h.classic
	return nil
}
