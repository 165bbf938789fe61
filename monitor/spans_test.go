package monitor

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Both counters have what goes on, too, so that one divided by the other is the share
// of time at every scrape; with the sessions of all loops.
func TestSpansAreCountedUpToNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := New(Options{Loops: 2})
		a, b := m.Recorder(0), m.Recorder(1)
		expect := func(clients float64, pinned ...string) {
			t.Helper()
			page := get(m, "/metrics").Body.String()
			if want := fmt.Sprintf("\npgjay_client_seconds_total %v\n", clients); !strings.Contains(page, want) {
				t.Errorf("no %s", want)
			}
			if n := strings.Count(page, "\npgjay_pinned_seconds_total{"); n != len(pinned) {
				t.Errorf("%d reasons, not %d", n, len(pinned))
			}
			for _, line := range pinned {
				if !strings.Contains(page, "\npgjay_pinned_seconds_total{reason="+line+"\n") {
					t.Errorf("no %s", line)
				}
			}
		}
		a.ClientCame()
		time.Sleep(time.Second)
		b.ClientCame()
		a.PinBegins("listen")
		time.Sleep(2 * time.Second)
		expect(5, `"listen"} 2`)
		b.PinBegins("listen")
		a.PinBegins("temporary")
		time.Sleep(time.Second)
		a.PinEnds("listen")
		a.ClientWent()
		b.ClientCame()
		time.Sleep(time.Second)
		expect(9, `"listen"} 5`, `"temporary"} 2`)
		a.PinEnds("temporary")
		b.PinEnds("listen")
		b.ClientWent()
		b.ClientWent()
		time.Sleep(time.Hour)
		expect(9, `"listen"} 5`, `"temporary"} 2`)
	})
}
