package monitor

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/monitor/digest"
	"github.com/pgjay/pgjay/pool"
)

// scraped returns the lines of the metrics that begin so.
func scraped(m *Monitor, prefix string) (lines []string) {
	response := httptest.NewRecorder()
	m.Handler().ServeHTTP(response, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for line := range strings.Lines(response.Body.String()) {
		if strings.HasPrefix(line, prefix) {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	slices.Sort(lines)
	return lines
}

// Statements that take most time get series of their own, begin at 0 and keep them; the
// others' sum never goes down.
func TestTopStatements(t *testing.T) {
	m := New(Options{Loops: 1, Config: Config{MaxStatements: 100, TopStatements: 2}})
	r, owner := m.Statements().Recorder(0), m.Statements().Owner("crm", "app")
	ids := make(map[string]string)
	run := func(n int, text string, took time.Duration) {
		sh := r.Find(owner, []byte(text))
		ids[text] = sh.ID().String()
		for range n {
			r.Record(&digest.Record{Shape: sh, Calls: 1, Duration: int64(took)})
		}
	}
	check := func(when string, want map[string]int) {
		t.Helper()
		var lines []string
		for text, n := range want {
			id, database := ids[text], "crm"
			if text == otherLabel {
				id, database = text, text
			}
			lines = append(lines, fmt.Sprintf(`pgjay_statement_calls_total{database="%s",fingerprint="%s"} %d`, database, id, n))
		}
		slices.Sort(lines)
		if got := scraped(m, "pgjay_statement_calls_total{"); !slices.Equal(got, lines) {
			t.Errorf("%s: %s\nwant %s", when, strings.Join(got, "\n"), strings.Join(lines, "\n"))
		}
	}
	run(3, "select a", time.Second)
	run(2, "select b", 2*time.Second)
	run(5, "select c", time.Millisecond)
	check("first", map[string]int{"select a": 0, "select b": 0, otherLabel: 10})
	run(4, "select a", time.Second)
	run(1000, "select c", time.Second)
	check("c takes most now", map[string]int{"select a": 4, "select b": 0, otherLabel: 1010})
	if got := scraped(m, `pgjay_statement_duration_seconds_total{database="crm",fingerprint="`+ids["select a"]); len(got) != 1 || !strings.HasSuffix(got[0], " 4") {
		t.Errorf("its time is %s", got)
	}
	m.Statements().Reset()
	run(1, "select a", time.Second)
	check("after a reset", map[string]int{"select a": 1, otherLabel: 0})
	m.Configure(Config{TopStatements: 0})
	check("off", nil)
}

// A server is up while it answers one of its pools, whatever it answers.
func TestBackendUp(t *testing.T) {
	refused, starting := &pgconn.PgError{Code: "28P01"}, &pgconn.PgError{Code: "57P03"}
	gone := fmt.Errorf("connection refused")
	m := New(Options{})
	m.SetSources(func() []pool.Stat {
		return []pool.Stat{
			{Server: "a:1", LastError: gone}, {Server: "a:1", Standby: new(true)},
			{Server: "b:1", LastError: refused}, {Server: "c:1", LastError: starting, Standby: new(false)}, {Server: "d:1", LastError: gone},
		}
	}, nil)
	want := []string{
		`pgjay_backend_up{backend="a:1",role="standby"} 1`, `pgjay_backend_up{backend="b:1",role="unknown"} 1`,
		`pgjay_backend_up{backend="c:1",role="primary"} 0`, `pgjay_backend_up{backend="d:1",role="unknown"} 0`,
	}
	if got := scraped(m, "pgjay_backend_up{"); !slices.Equal(got, want) {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
}

// How long explanations take is told by how far they went.
func TestExplainDuration(t *testing.T) {
	m := New(Options{})
	m.events.explained(true, 3*time.Second)
	m.events.explained(false, time.Second)
	m.events.explained(false, time.Second)
	got := strings.Join(scraped(m, "pgjay_explain_duration_seconds_sum"), "; ")
	if want := `pgjay_explain_duration_seconds_sum{mode="analyze"} 3; pgjay_explain_duration_seconds_sum{mode="plan"} 2`; got != want {
		t.Errorf("%s", got)
	}
}
