package compare

import (
	"math/rand/v2"
	"slices"
)

// Interval is a ratio with its 95 % confidence interval.
type Interval struct {
	Ratio float64 `json:"ratio"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// pair is what one block took on two paths.
type pair struct{ base, other float64 }

// gain is how many times less the other took, over all blocks. Blocks are drawn again
// and again as if there were more of them (bootstrap): 95 of
// 100 ratios lie within the interval. Pairs stay together, as what else the machine
// did concerned both.
func gain(pairs []pair) Interval {
	const draws, seed = 2000, 1
	r := rand.New(rand.NewPCG(seed, seed))
	ratios := make([]float64, draws)
	drawn := make([]pair, len(pairs))
	for i := range ratios {
		for k := range drawn {
			drawn[k] = pairs[r.IntN(len(pairs))]
		}
		ratios[i] = ratio(drawn)
	}
	slices.Sort(ratios)
	return Interval{ratio(pairs), ratios[draws*25/1000], ratios[draws*975/1000]}
}

func ratio(pairs []pair) float64 {
	var base, other float64
	for _, p := range pairs {
		base += p.base
		other += p.other
	}
	if other == 0 {
		return 0
	}
	return base / other
}
