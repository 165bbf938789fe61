package claims

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/pgjay/pgjay/cmd/simulator/internal/compare"
	"github.com/pgjay/pgjay/cmd/simulator/internal/crm"
	"github.com/pgjay/pgjay/cmd/simulator/internal/servers"
)

// Options says what to measure with.
type Options struct {
	Program string // PgJay
	Data    *crm.Data
	Budget  time.Duration // for the claim that asks 100,000 queries again and again; others take what they need
	Only    string        // the name of one claim; "" for all
	Say     func(text string)

	Settings []string // key=value, of each PgJay
}

// Mark says how a claim compares with what was measured.
type Mark string

// The marks.
const (
	Met          Mark = "met"
	Short        Mark = "falls short"
	NotAvailable Mark = "not available" // this PgJay does not have what it is about
	Failed       Mark = "failed"        // it could not be measured
	Noted        Mark = "noted"         // nothing was claimed
)

// Line is one line of the table.
type Line struct {
	Claim       string `json:"claim"`
	Claimed     string `json:"claimed"`
	Measurement string `json:"measurement"`
	Mark        Mark   `json:"mark"`
}

// Figure is one of the main ones: how long something takes, in milliseconds.
type Figure struct {
	What   string  `json:"what"`
	Direct float64 `json:"direct_ms"`
	PgJay  float64 `json:"pgjay_ms"`
}

// Table is what was measured.
type Table struct {
	When    time.Time       `json:"when"`
	Took    time.Duration   `json:"took_ns"`
	Machine compare.Machine `json:"machine"`
	Data    string          `json:"data"`
	Command string          `json:"command"` // that measures the same again
	Lines   []Line          `json:"lines"`
	Figures []Figure        `json:"figures"`
}

// claim is one row of the documents.
type claim struct {
	name    string
	measure func(ctx context.Context, b *bench) error // adds lines
}

var claims = []claim{
	{"seeding", seeding},
	{"imports", imports},
	{"pages", pages},
	{"large results", largeResults},
	{"joins", joins},
	{"order", order},
	{"arrays", arrays},
	{"trigrams", trigrams},
	{"dashboards", dashboards},
	{"gzip", gzip},
	{"slow queries", slowQueries},
	{"pool", poolOverflow},
	{"pre-ping", func(ctx context.Context, b *bench) error { return prePing(ctx, b, 25, patient) }},
	{"connections", connections},
	{"100,000 queries", reuse},
}

// Names are the claims' names.
func Names() []string {
	var names []string
	for _, c := range claims {
		names = append(names, c.name)
	}
	return names
}

// FindName returns the name, if there is such a claim.
func FindName(name string) (string, error) {
	if !slices.Contains(Names(), name) {
		return "", fmt.Errorf("there is no claim %q; there are: %s", name, strings.Join(Names(), "; "))
	}
	return name, nil
}

// Run measures. What fails is a line of the table; the error is that nothing could
// be measured.
func Run(ctx context.Context, o Options) (table *Table, err error) {
	table = &Table{When: time.Now(), Data: o.Data.Describe()}
	b := &bench{options: o, table: table, patience: patience}
	defer func() { err = errors.Join(err, b.close()) }()
	if err := b.open(ctx); err != nil {
		return nil, err
	}
	table.Machine = compare.ThisMachine(ctx, b.url)
	for _, c := range claims {
		if o.Only != "" && o.Only != c.name {
			continue
		}
		b.claim = c.name
		begin := time.Now()
		if err := c.measure(ctx, b); err != nil {
			b.fail(err)
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		o.Say(fmt.Sprintf("%-16s %v", c.name, time.Since(begin).Round(100*time.Millisecond)))
	}
	table.Took = time.Since(table.When)
	return table, nil
}

// add makes a line; it is marked by whether the claim is met.
func (b *bench) add(claimed, measurement string, met bool) {
	mark := Short
	if met {
		mark = Met
	}
	b.line(claimed, measurement, mark)
}

func (b *bench) line(claimed, measurement string, mark Mark) {
	b.table.Lines = append(b.table.Lines, Line{b.claim, claimed, measurement, mark})
}

// figure is one of the main ones.
func (b *bench) figure(what string, t times) {
	b.table.Figures = append(b.table.Figures, Figure{what, t.direct, t.pgjay})
}

// fail makes a line of an error.
func (b *bench) fail(err error) {
	mark := Failed
	if errors.Is(err, servers.ErrUnknown) {
		mark = NotAvailable
	}
	b.line("", err.Error(), mark)
}

// Failures are how many claims could not be measured.
func (t *Table) Failures() int { return t.count(Failed) }

func (t *Table) count(mark Mark) int {
	n := 0
	for _, l := range t.Lines {
		if l.Mark == mark {
			n++
		}
	}
	return n
}

// Whole says whether each claim was measured.
func (t *Table) Whole() bool {
	if t.count(Failed) > 0 || t.count(NotAvailable) > 0 {
		return false
	}
	for _, name := range Names() {
		if !slices.ContainsFunc(t.Lines, func(l Line) bool { return l.Claim == name }) {
			return false
		}
	}
	return true
}

// parse is for URLs that the simulator has made itself.
func parse(text string) *url.URL {
	u, err := servers.ParseURL(text)
	if err != nil {
		panic(err)
	}
	return u
}
