package compare

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestGain draws blocks of which the truth is known: 95 of 100 intervals hold it,
// however many blocks there are.
func TestGain(t *testing.T) {
	const truth, trials = 2.0, 4000
	r := rand.New(rand.NewPCG(5, 5))
	for _, blocks := range []int{FewestBlocks, 8, 20} {
		held := 0
		for range trials {
			var pairs []pair
			for range blocks {
				busy := 1 + r.Float64() // concerns both
				pairs = append(pairs, pair{truth * busy * (1 + 0.2*r.NormFloat64()), busy * (1 + 0.2*r.NormFloat64())})
			}
			i := gain(pairs)
			if i.Low > i.Ratio || i.Ratio > i.High || !i.Known() {
				t.Fatalf("%+v", i)
			}
			if i.Low <= truth && truth <= i.High {
				held++
			}
		}
		if share := float64(held) / trials; share < 0.935 || share > 0.965 {
			t.Errorf("of %d blocks %.3f of the intervals hold the truth", blocks, share)
		}
	}
}

// TestGainOfTheSame wants 1 and no doubt of what is the same, and no certainty of what is
// too little.
func TestGainOfTheSame(t *testing.T) {
	if i := gain([]pair{{1, 1}, {3, 3}, {2, 2}, {5, 5}}); i != (Interval{1, 1, 1}) || i.String() != "1.00 to 1.00" {
		t.Errorf("%+v", i)
	}
	if i := gain([]pair{{4, 1}, {8, 2}, {2, 1}}); i.Ratio != 3.5 || i.Known() || i.String() != "-" {
		t.Errorf("%+v of three", i)
	}
	if i := gain([]pair{{0, 0}}); i.Ratio != 0 || i.Known() {
		t.Errorf("%+v of nothing", i)
	}
}

// TestStudent wants what tables have.
func TestStudent(t *testing.T) {
	for degrees, want := range map[int]float64{3: 3.182, 7: 2.365, 19: 2.093, 1000: 1.962} {
		if got := student(degrees); math.Abs(got-want) > want/100 {
			t.Errorf("of %d degrees %.3f, not %.3f", degrees, got, want)
		}
	}
}

func TestStatements(t *testing.T) {
	got := Statements([]map[string]any{
		{"ddl": "CREATE INDEX CONCURRENTLY ON contacts (title)", "why": "a filter"},
		{"ddl": nil, "why": "create something"},
		{"ddl": "DROP TABLE contacts"},
		{"ddl": "CREATE INDEX CONCURRENTLY ON contacts USING gin (title gin_trgm_ops);", "extension": "CREATE EXTENSION pg_trgm;"},
		{"ddl": "CREATE INDEX CONCURRENTLY ON contacts ((doc ->> <value of the statement>::text));", "extension": ""},
	})
	if len(got) != 1 || got[0] != "CREATE INDEX ON contacts (title)" {
		t.Errorf("%q", got)
	}
}
