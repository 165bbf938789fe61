package compare

import (
	"fmt"
	"math"
)

// Interval is a ratio with its 95 % confidence interval: of 100 such, 95 hold the true
// ratio. Low and High are 0 where there are too few blocks to say.
type Interval struct {
	Ratio float64 `json:"ratio"`
	Low   float64 `json:"low,omitzero"`
	High  float64 `json:"high,omitzero"`
}

// Known says whether there is an interval.
func (i Interval) Known() bool { return i.Low > 0 }

// String is the interval in words, or -.
func (i Interval) String() string {
	if !i.Known() {
		return "-"
	}
	return fmt.Sprintf("%.2f to %.2f", i.Low, i.High)
}

// pair is what one block took on two paths.
type pair struct{ base, other float64 }

// FewestBlocks are those below which a spread says nothing.
const FewestBlocks = 4

// gain is how many times less the other took, over all blocks. Pairs stay together, as
// what else the machine did concerned both: what counts is how far each pair is from the
// ratio of all, against what the blocks took on average. That is the error of the ratio's
// logarithm, since a ratio is as likely to be twice too great as twice too small; how many of them the interval
// is wide, Student's t says, as few blocks do not know their own spread.
func gain(pairs []pair) Interval {
	n := float64(len(pairs))
	var base, other float64
	for _, p := range pairs {
		base += p.base
		other += p.other
	}
	if base == 0 || other == 0 {
		return Interval{}
	}
	ratio := base / other
	if len(pairs) < FewestBlocks {
		return Interval{Ratio: ratio}
	}
	squares := 0.0
	for _, p := range pairs {
		squares += (p.base - ratio*p.other) * (p.base - ratio*p.other)
	}
	deviation := math.Sqrt(squares/(n-1)/n) / (base / n)
	factor := math.Exp(student(len(pairs)-1) * deviation)
	return Interval{ratio, ratio / factor, ratio * factor}
}

// student is the quantile 0.975 of Student's distribution: a series in 1/degrees
// (Fisher and Cornish), right to 1 % from 3 degrees on, the fewest that are asked for.
func student(degrees int) float64 {
	const z = 1.959964
	n := float64(degrees)
	z3, z5, z7, z9 := math.Pow(z, 3), math.Pow(z, 5), math.Pow(z, 7), math.Pow(z, 9)
	return z + (z3+z)/(4*n) + (5*z5+16*z3+3*z)/(96*n*n) + (3*z7+19*z5+17*z3-15*z)/(384*n*n*n) +
		(79*z9+776*z7+1482*z5-1920*z3-945*z)/(92160*n*n*n*n)
}
