package advice

import (
	"testing"

	"github.com/pgjay/pgjay/monitor/digest"
)

// Who takes the rows in parts uses a cursor already.
func TestUnbounded(t *testing.T) {
	for parts, want := range map[uint64]int{0: 1, 3: 0} {
		s := digest.Stat{Text: "select a from t", Counts: digest.Counts{Calls: 200, Rows: 200 * 100_000, Parts: parts}}
		n := 0
		for _, a := range OfStatements([]digest.Stat{s}, DefaultThresholds()) {
			if a.Kind == Unbounded {
				n++
			}
		}
		if n != want {
			t.Errorf("in %d parts: advised %d times", parts, n)
		}
	}
}
