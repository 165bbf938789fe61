package compare

import (
	"math/rand/v2"
	"testing"
)

// TestGain draws blocks of which the truth is known: 95 of 100 intervals hold it.
func TestGain(t *testing.T) {
	const truth, trials = 2.0, 400
	r := rand.New(rand.NewPCG(5, 5))
	held := 0
	for range trials {
		var pairs []pair
		for range 20 {
			busy := 1 + r.Float64() // concerns both
			pairs = append(pairs, pair{truth * busy * (1 + 0.2*r.NormFloat64()), busy * (1 + 0.2*r.NormFloat64())})
		}
		i := gain(pairs)
		if i.Low > i.Ratio || i.Ratio > i.High {
			t.Fatalf("%+v", i)
		}
		if i.Low <= truth && truth <= i.High {
			held++
		}
	}
	if share := float64(held) / trials; share < 0.85 || share > 0.99 {
		t.Errorf("%.2f of the intervals hold the truth", share)
	}
}

// TestGainOfTheSame wants 1, and no doubt.
func TestGainOfTheSame(t *testing.T) {
	if i := gain([]pair{{1, 1}, {3, 3}, {2, 2}}); i != (Interval{1, 1, 1}) {
		t.Errorf("%+v", i)
	}
	if i := gain([]pair{{0, 0}}); i.Ratio != 0 {
		t.Errorf("%+v of nothing", i)
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
