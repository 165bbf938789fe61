package digest

import "testing"

// What goes on with a call has time and rows, and is no call.
func TestGoesOn(t *testing.T) {
	table := NewTable(Options{Loops: 1, Max: 100})
	r, o := table.Recorder(0), table.Owner("d", "u")
	sh := r.Find(o, []byte("select a from t"))
	r.Record(&Record{Shape: sh, Calls: 1, Duration: 1000, Backend: 500, Rows: 3})
	r.Record(&Record{Shape: sh, GoesOn: true, Duration: 9000, Backend: 4500, Rows: 7})
	stats, sum := table.SnapshotSum()
	s := stats[0]
	if s.Calls != 1 || s.Parts != 1 || s.Rows != 10 || s.Total != 10_000 || s.Backend != 5000 || s.Max != 1000 || s.Histogram.Count() != 1 || sum.Calls != 1 || sum.Total != 10_000 {
		t.Errorf("counted: %+v, %+v", s.Counts, sum)
	}
}
