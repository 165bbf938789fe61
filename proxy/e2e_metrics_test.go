package proxy_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
)

// scrape returns the metrics, by name and labels as they are written.
func (r *running) scrape(t testing.TB) map[string]float64 {
	t.Helper()
	response := httptest.NewRecorder()
	r.mon.Handler().ServeHTTP(response, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	found := make(map[string]float64)
	for line := range strings.Lines(response.Body.String()) {
		at := strings.LastIndexByte(line, ' ')
		if !strings.HasPrefix(line, "pgjay_") || at < 0 {
			continue
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(line[at:]), 64)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		found[strings.TrimPrefix(line[:at], "pgjay_")] = v
	}
	return found
}

// expectMetric waits until a metric has a value. The labels database and user
// are left out where it has both.
func expectMetric(t testing.TB, p *running, name string, want float64) {
	t.Helper()
	name = strings.Replace(name, "{@", `{database="postgres",user="postgres"`, 1)
	var got float64
	eventually(t, name, func() bool {
		got = p.scrape(t)[name]
		return got == want
	})
}
