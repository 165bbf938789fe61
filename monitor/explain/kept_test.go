package explain

import (
	"log/slog"
	"runtime"
	"strings"
	"testing"

	"github.com/pgjay/pgjay/monitor/plan"
)

// The plans that are kept are bounded in number and in bytes, whatever they are like.
func TestKeptPlans(t *testing.T) {
	const steps = 2500
	wide := `[{"Plan": {"Node Type": "Append", "Plans": [{"Node Type": "Seq Scan", "Relation Name": "t", "Output": ["a", "b"]}` +
		strings.Repeat(`,{"Node Type": "Seq Scan", "Relation Name": "t", "Filter": "(a IS NOT NULL)", "Output": ["a", "b"]}`, steps) + `]}}]`
	large := func() *Result {
		p, err := plan.Parse([]byte(wide))
		if err != nil {
			t.Fatal(err)
		}
		return &Result{Plan: p}
	}
	e := New(Options{Config: Config{Keep: 50}, Log: slog.New(slog.DiscardHandler)})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range 100 {
		e.keep(large())
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	list := e.Results()
	if len(list) < 2 || len(list) >= 50 || list[0].Number != 100 {
		t.Errorf("%d are kept, the latest is %d", len(list), list[0].Number)
	}
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 2*maxKept || grown < maxKept/4 {
		t.Errorf("it has grown by %d bytes, of %d plans of %d", grown, len(list), list[0].size)
	}
	for range 100 {
		e.keep(&Result{})
	}
	if n := len(e.Results()); n != 50 {
		t.Errorf("%d small ones are kept", n)
	}
}
