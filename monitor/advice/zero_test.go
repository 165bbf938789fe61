package advice

import (
	"testing"

	"github.com/pgjay/pgjay/monitor/digest"
)

// TestNothingYet is a statement without a row, and thresholds that let all through.
func TestNothingYet(t *testing.T) {
	for _, a := range OfStatements([]digest.Stat{{Text: "select * from t"}}, Thresholds{}) {
		if a.Kind == WideRows {
			t.Errorf("it has no rows: %+v", a)
		}
	}
}
