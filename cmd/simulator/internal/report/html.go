package report

import (
	_ "embed"
	"html/template"
	"io"
	"time"

	"github.com/pgjay/pgjay/cmd/simulator/internal/compare"
)

//go:embed report.html
var page string

var pageTemplate = template.Must(template.New("report").Funcs(template.FuncMap{
	"what":         what,
	"batching":     batching,
	"exercised":    exercised,
	"tablesDiffer": func() string { return tablesDiffer },
	"day":          func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") },
	"seconds":      func(d time.Duration) string { return d.Round(time.Second).String() },
}).Parse(page))

// HTML writes a page that needs no other file, no network and no script.
func HTML(w io.Writer, c *compare.Comparison) error {
	return pageTemplate.Execute(w, struct {
		*compare.Comparison
		Rates, Latencies, Gains template.HTML
	}{c, rateChart(c.Paths), latencyChart(c.Paths), gainChart(c.Patterns)})
}
