package digest

import (
	"testing"
	"time"
)

// A quantile is close to the truth where durations are spread, and never a cell away from it.
func TestQuantiles(t *testing.T) {
	for step, off := range map[time.Duration]float64{0: 0.25, time.Microsecond: 0.25, 100 * time.Microsecond: 0.05} {
		for _, base := range []time.Duration{3 * time.Microsecond, 1025 * time.Microsecond, 1279 * time.Microsecond} {
			var h Histogram
			for i := range 1000 {
				h.observe(int64(base+time.Duration(i)*step), 1)
			}
			for _, q := range []float64{0.01, 0.5, 0.95, 0.99} {
				want := float64(base + time.Duration(q*1000-1)*step)
				if got := float64(h.Quantile(q)); got < want*(1-off) || got > want*(1+off) {
					t.Errorf("%v and steps of %v: quantile %v is %v, not %v", base, step, q, time.Duration(got), time.Duration(want))
				}
			}
		}
	}
}
