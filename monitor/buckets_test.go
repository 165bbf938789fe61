package monitor

import (
	"math"
	"math/rand/v2"
	"sort"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

func TestCellsAreAllUsedInOrder(t *testing.T) {
	for i := 1; i < cellCount; i++ {
		if cells.bounds[i] <= cells.bounds[i-1] {
			t.Errorf("cell %d ends at %d, the one before it at %d", i, cells.bounds[i], cells.bounds[i-1])
		}
	}
	if last := cells.bounds[cellCount-1]; last != math.MaxInt64 {
		t.Errorf("the last cell ends at %d", last)
	}
	if len(commandNames) > 8 || len(sourceNames) > 4 {
		t.Error("series has no room for all commands and sources")
	}
}

func TestCellOfFindsWhatASearchFinds(t *testing.T) {
	for _, ns := range observations() {
		want := sort.Search(cellCount, func(i int) bool { return ns <= cells.bounds[i] })
		if got := cells.cellOf(ns); got != want {
			t.Errorf("cellOf(%d) = %d, want %d", ns, got, want)
		}
	}
}

// observations are the bounds of all cells, their neighbours, and random ones
// of every magnitude.
func observations() []int64 {
	all := []int64{0, 1, 2, 15, 16, 17, 1 << 40, 1 << 41, 1 << 50, math.MaxInt64}
	for _, bound := range cells.bounds[:cellCount-1] {
		all = append(all, bound-1, bound, bound+1)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		all = append(all, random.Int64()>>random.IntN(63))
	}
	return all
}

// client_golang's own histogram, of both kinds, is what ours must look like.
func TestHistogramEqualsClientGolangs(t *testing.T) {
	opts := prometheus.HistogramOpts{
		Name: "x", Help: "x", Buckets: durationBuckets,
		NativeHistogramBucketFactor: 1.1, NativeHistogramZeroThreshold: zeroThreshold,
	}
	model := prometheus.NewHistogram(opts)
	var slot histogramSlot
	for _, ns := range observations() {
		if ns <= int64(1024*time.Second) {
			model.Observe(float64(ns) / 1e9)
			slot.observe(ns)
		}
	}
	var d distribution
	slot.addTo(&d)
	want, got := written(t, model), written(t, d.metric(model.Desc(), time.Now()))
	if got.GetSampleCount() != want.GetSampleCount() || got.GetZeroCount() != want.GetZeroCount() ||
		got.GetSchema() != want.GetSchema() || got.GetZeroThreshold() != want.GetZeroThreshold() {
		t.Errorf("count, zero, schema, threshold:\ngot  %v %v %v %v\nwant %v %v %v %v",
			got.GetSampleCount(), got.GetZeroCount(), got.GetSchema(), got.GetZeroThreshold(),
			want.GetSampleCount(), want.GetZeroCount(), want.GetSchema(), want.GetZeroThreshold())
	}
	if diff := math.Abs(got.GetSampleSum() - want.GetSampleSum()); diff > 1e-3 {
		t.Errorf("sum %v, want %v", got.GetSampleSum(), want.GetSampleSum())
	}
	if len(got.GetBucket()) != len(durationBuckets) {
		t.Fatalf("%d classic buckets, want %d", len(got.GetBucket()), len(durationBuckets))
	}
	for i, b := range got.GetBucket() {
		if w := want.GetBucket()[i]; b.GetUpperBound() != w.GetUpperBound() || b.GetCumulativeCount() != w.GetCumulativeCount() {
			t.Errorf("classic bucket %v, want %v", b, w)
		}
	}
	compareNative(t, nativeCounts(got), nativeCounts(want))
}

func TestLongObservationsAreCountedEverywhere(t *testing.T) {
	var slot histogramSlot
	slot.observe(int64(48 * time.Hour))
	slot.observe(-1)
	var d distribution
	slot.addTo(&d)
	h := written(t, d.metric(prometheus.NewDesc("x", "x", nil, nil), time.Now()))
	if h.GetSampleCount() != 2 || h.GetZeroCount() != 1 || h.GetSampleSum() != 48*3600 {
		t.Errorf("%v", h)
	}
	compareNative(t, nativeCounts(h), map[int]int64{nativeLast: 1})
}

func written(t *testing.T, m prometheus.Metric) *dto.Histogram {
	t.Helper()
	var out dto.Metric
	if err := m.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.GetHistogram()
}

// nativeCounts unpacks spans and deltas.
func nativeCounts(h *dto.Histogram) map[int]int64 {
	counts := make(map[int]int64)
	bucket, delta := 0, 0
	var count int64
	for _, span := range h.GetPositiveSpan() {
		bucket += int(span.GetOffset())
		for range span.GetLength() {
			count += h.GetPositiveDelta()[delta]
			if count > 0 {
				counts[bucket] = count
			}
			bucket, delta = bucket+1, delta+1
		}
	}
	return counts
}

func compareNative(t *testing.T, got, want map[int]int64) {
	t.Helper()
	for bucket := min(nativeFirst, 0) - 1; bucket <= nativeLast+1; bucket++ {
		if got[bucket] != want[bucket] {
			t.Errorf("native bucket %d has %d, want %d", bucket, got[bucket], want[bucket])
		}
	}
}
