package compare

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/pgjay/pgjay/cmd/simulator/internal/load"
)

// Measured is what was measured on a path. Latencies are in milliseconds.
type Measured struct {
	Path
	QPS       float64       `json:"qps"`
	Elapsed   time.Duration `json:"elapsed_ns"`
	Latencies Latencies     `json:"latencies_ms"`
	Gain      Interval      `json:"gain"` // against Path.Against
}

// Latencies are percentiles.
type Latencies struct {
	P50 float64 `json:"p50"`
	P90 float64 `json:"p90"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// PatternGain is what PgJay with all its parts gains for one pattern.
type PatternGain struct {
	Pattern string    `json:"pattern"`
	Queries int       `json:"queries"`
	Direct  Latencies `json:"direct_ms"`
	PgJay   Latencies `json:"pgjay_ms"`
	Gain    Interval  `json:"gain"` // of the mean latency
}

// LatenciesOf reads them from a histogram of microseconds.
func LatenciesOf(h *hdrhistogram.Histogram) Latencies {
	at := func(q float64) float64 { return float64(h.ValueAtQuantile(q)) / 1000 }
	return Latencies{at(50), at(90), at(95), at(99), float64(h.Max()) / 1000}
}

// summarise makes a line for each path, in their order.
func summarise(list []Path, blocks map[string][]*load.Result) []Measured {
	var lines []Measured
	for _, p := range list {
		m := Measured{Path: p}
		if results := blocks[p.Name]; len(results) > 0 {
			sum := total(results)
			m.QPS, m.Elapsed, m.Latencies = sum.QPS(), sum.Elapsed, LatenciesOf(sum.All)
			m.Gain = gain(elapsed(blocks[p.Against], results))
		}
		lines = append(lines, m)
	}
	return lines
}

func total(results []*load.Result) *load.Result {
	sum := new(load.Result)
	for _, r := range results {
		sum.Add(r)
	}
	return sum
}

// elapsed pairs the times of two paths' blocks; without a base it is 1 to 1.
func elapsed(base, other []*load.Result) []pair {
	pairs := make([]pair, len(other))
	for i, r := range other {
		pairs[i] = pair{r.Elapsed.Seconds(), r.Elapsed.Seconds()}
		if base != nil {
			pairs[i].base = base[i].Elapsed.Seconds()
		}
	}
	return pairs
}

// patternGains compares PgJay to the direct path, pattern by pattern.
func patternGains(blocks map[string][]*load.Result) []PatternGain {
	base, other := blocks[direct], blocks[all]
	a, b := total(base), total(other)
	var gains []PatternGain
	for _, p := range load.Patterns() {
		if a.ByPattern[p] == nil {
			continue
		}
		var pairs []pair
		for i := range base {
			if x, y := base[i].ByPattern[p], other[i].ByPattern[p]; x != nil && y != nil {
				n := float64(x.TotalCount())
				pairs = append(pairs, pair{x.Mean() * n, y.Mean() * n})
			}
		}
		gains = append(gains, PatternGain{p.String(), int(a.ByPattern[p].TotalCount()),
			LatenciesOf(a.ByPattern[p]), LatenciesOf(b.ByPattern[p]), gain(pairs)})
	}
	return gains
}
