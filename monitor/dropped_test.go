package monitor

import (
	"strings"
	"testing"

	"github.com/pgjay/pgjay/monitor/digest"
)

// What a loop records while nobody collects is counted as dropped, as soon as there is no
// room.
func TestDroppedRecordsAreCounted(t *testing.T) {
	m := New(Options{Loops: 1, Config: DefaultConfig()})
	r := m.Statements().Recorder(0)
	sh := r.Find(m.Statements().Owner("crm", "app"), []byte("select 1"))
	const room, more = 1 << 13, 7
	for range room + more {
		r.Record(&digest.Record{Shape: sh, Calls: 1})
	}
	if text := get(m, "/metrics").Body.String(); !strings.Contains(text, "pgjay_statement_records_dropped_total 7\n") {
		t.Error("it is not told that 7 records were dropped")
	}
}
