package web

import (
	"net/http"
	"time"

	"github.com/pgjay/pgjay/monitor/digest"
)

// Statement is what one shape costs. Durations are in seconds, those of one call in
// milliseconds.
type Statement struct {
	ID        string    `json:"id"`
	Text      string    `json:"text"`
	Database  string    `json:"database"`
	User      string    `json:"user"`
	Calls     uint64    `json:"calls"`
	Errors    uint64    `json:"errors"`
	LastError string    `json:"last_error"` // SQLSTATE
	Rows      uint64    `json:"rows"`
	Bytes     uint64    `json:"bytes"`
	Total     float64   `json:"total"`
	Wait      float64   `json:"wait"`
	Backend   float64   `json:"backend"`
	Proxy     float64   `json:"proxy"`
	FirstRow  float64   `json:"first_row"` // of backend
	Stalled   float64   `json:"stalled"`   // the same
	P50       float64   `json:"p50"`
	P95       float64   `json:"p95"`
	P99       float64   `json:"p99"`
	Max       float64   `json:"max"`
	Cached    float64   `json:"cached"`    // part of the calls
	Rewritten float64   `json:"rewritten"` // the same
	Slow      uint64    `json:"slow"`
	First     time.Time `json:"first"`
	Last      time.Time `json:"last"`
	Plans     []PlanUse `json:"plans"`
}

// PlanUse is a plan that a shape was seen with.
type PlanUse struct {
	ID     string    `json:"id"`
	Number uint64    `json:"number"` // of the last explanation that has it; 0: it is not kept any more
	Calls  uint64    `json:"calls"`
	P95    float64   `json:"p95"`
	First  time.Time `json:"first"`
	Last   time.Time `json:"last"`
}

// Statements is the document of statements, those first that took most time.
type Statements struct {
	Statements []Statement `json:"statements"`
	Shapes     int         `json:"shapes"` // that there are
}

const maxStatements = 200

func (d *Dashboard) statements(*http.Request) (any, error) {
	m := d.source.Monitor
	stats := m.Statements().Snapshot()
	numbers := make(map[string]uint64)
	for _, r := range m.Explainer().Results() {
		if r.Plan != nil {
			numbers[r.Plan.ID] = max(numbers[r.Plan.ID], r.Number)
		}
	}
	out := Statements{Statements: []Statement{}, Shapes: len(stats)}
	for i := range stats[:min(len(stats), maxStatements)] {
		out.Statements = append(out.Statements, newStatement(&stats[i], numbers))
	}
	return out, nil
}

func newStatement(s *digest.Stat, numbers map[string]uint64) Statement {
	quantile := func(q float64) float64 { return inMS(s.Quantile(q)) }
	out := Statement{
		ID: s.ID.String(), Text: shorten(s.Text), Database: s.Database, User: s.User,
		Calls: s.Calls, Errors: s.Errors, LastError: s.LastError, Rows: s.Rows, Bytes: s.Bytes,
		Total: s.Total.Seconds(), Wait: s.Wait.Seconds(), Backend: s.Backend.Seconds(), Proxy: s.Proxy.Seconds(),
		FirstRow: s.FirstRow.Seconds(), Stalled: s.Stalled.Seconds(),
		P50: quantile(0.5), P95: quantile(0.95), P99: quantile(0.99), Max: inMS(s.Max),
		Cached: s.CacheShare(), Rewritten: s.RewriteShare(), Slow: s.Slow, First: s.First, Last: s.Last, Plans: []PlanUse{},
	}
	for _, p := range s.Plans {
		out.Plans = append(out.Plans, PlanUse{
			ID: p.Plan, Number: numbers[p.Plan], Calls: p.Calls, P95: inMS(p.Histogram.Quantile(0.95)), First: p.First, Last: p.Last,
		})
	}
	return out
}

func inMS(d time.Duration) float64 { return milliseconds(int64(d)) }
