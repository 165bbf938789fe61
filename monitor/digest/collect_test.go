package digest

import (
	"fmt"
	"testing"
)

// Shapes of which nothing ever comes push none out of which something has; one that is new
// stays until it may have ended.
func TestNeverRecorded(t *testing.T) {
	const most = 1000
	table, r, owner := newTable(t, most)
	for i := range 60 {
		r.Record(&Record{Shape: r.Find(owner, fmt.Appendf(nil, "select real%d", i)), Duration: 1000})
	}
	table.collect()
	for i := range 25 * 200 {
		running := r.Find(owner, fmt.Appendf(nil, "select never%d", i))
		if i%200 == 0 {
			table.collect()
			if !running.Current(owner) {
				t.Fatalf("what has just begun is forgotten, the number %d", i)
			}
		}
	}
	table.collect()
	if n := len(table.Snapshot()); n != 60 {
		t.Errorf("%d of 60 statements are left", n)
	}
}
