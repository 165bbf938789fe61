package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pgjay/pgjay/cmd/simulator/internal/claims"
	"github.com/pgjay/pgjay/cmd/simulator/internal/compare"
	"github.com/pgjay/pgjay/cmd/simulator/internal/load"
)

func comparison() *compare.Comparison {
	path := func(name, against, missing string, qps float64) compare.Measured {
		return compare.Measured{Path: compare.Path{Name: name, What: name + " & more", Against: against, Missing: missing}, QPS: qps,
			Latencies: compare.Latencies{P50: 1, P90: 2, P95: 3, P99: 4, Max: 50}, Gain: compare.Interval{Ratio: 2.5, Low: 2.25, High: 2.75}}
	}
	gain := func(name string, ratio float64) compare.PatternGain {
		return compare.PatternGain{Pattern: name, Queries: 7, Gain: compare.Interval{Ratio: ratio, Low: ratio / 2, High: ratio * 2}}
	}
	return &compare.Comparison{
		When: time.Unix(0, 0), Queries: 100, Rounds: 4, Connect: load.Pooled, Unlike: "a <socket>",
		Paths: []compare.Measured{path("direct", "", "", 100), path("cache", "direct", "", 250),
			path("rewriting", "direct", "it does not", 0), path("PgJay", "direct", "", 400)},
		Patterns: []compare.PatternGain{gain("by <id>", 3), gain("import", 0.4), gain("dashboard", 120)},
		Batching: []compare.Batching{{Path: "pooling", Single: 10, Batched: 100}},
		Verification: &compare.Verification{TablesDiffer: true, FromCache: 4, Rewritten: 3, Bookmarked: 2, Verification: load.Verification{Compared: 10, Count: 1,
			Mismatches: []load.Mismatch{{Number: 3, Pattern: "update", Protocol: load.Simple, SQL: "select '<b>'", Detail: "the answers differ"}}}},
	}
}

// TestHTML wants a page that is whole, needs nothing from elsewhere and can be read
// aloud.
func TestHTML(t *testing.T) {
	var b bytes.Buffer
	if err := HTML(&b, comparison()); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, want := range []string{"by &lt;id&gt;", "a pool of connections", "select &#39;&lt;b&gt;&#39;", "1 of 10 answers differ", "Query 3 (update, simple protocol)", "the tables DIFFER", "a &lt;socket&gt;", "4 came from its cache, 3 by rewritten statements, 2 were deep pages", "not measured: it does not", "prefers-color-scheme: dark",
		`lang="en"`, "<caption>", `scope="row"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if found := regexp.MustCompile(`(src|href)=|url\(|@import|<script|%!|NaN|Inf`).FindString(page); found != "" {
		t.Errorf("the page has %s", found)
	}
	charts := regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAllString(page, -1)
	if len(charts) != 3 {
		t.Fatalf("%d charts", len(charts))
	}
	for _, chart := range charts {
		wellFormed(t, chart)
		if !strings.Contains(chart, `role="img"`) || !strings.Contains(chart, "<title>") || !strings.Contains(chart, "<desc>") {
			t.Errorf("nobody who does not see it learns what this shows: %.100s", chart)
		}
	}
}

func wellFormed(t *testing.T, text string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("%v in %s", err, text)
		}
	}
}

func TestText(t *testing.T) {
	var b bytes.Buffer
	Text(&b, comparison())
	for _, want := range []string{"2.50", "2.25 to 2.75", "not measured: it does not", "1 of 10 answers DIFFER", "query 3 (update, simple protocol)", "the tables DIFFER", "a <socket>", "select '<b>'", "batching: on the path pooling, imports in batches of 200, 100 rows/s, to one by one, 10 rows/s"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in\n%s", want, b.String())
		}
	}
}

func TestClaims(t *testing.T) {
	table := &claims.Table{Lines: []claims.Line{
		{Claim: "pages", Claimed: "all the same", Measurement: "a | b\nc", Mark: claims.Short},
		{Claim: "gzip", Measurement: "it failed", Mark: claims.Failed},
	}}
	var text, markdown bytes.Buffer
	Claims(&text, table)
	if err := ClaimsMarkdown(&markdown, table); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(markdown.String(), `| all the same | a \| b c | falls short |`) || !strings.Contains(markdown.String(), "| gzip | it failed | failed |") {
		t.Error(markdown.String())
	}
	if !strings.Contains(text.String(), "falls short  all the same  a | b c") || table.Failures() != 1 {
		t.Error(text.String())
	}
}

// What stood between the marks goes, all else stays.
func TestClaimsDocs(t *testing.T) {
	dir := t.TempDir()
	readme, full := filepath.Join(dir, "README.md"), filepath.Join(dir, "docs", "benchmarks.md")
	table := &claims.Table{
		Command: "make claims",
		Lines:   []claims.Line{{Claim: "pages", Claimed: "all the same", Measurement: "they are", Mark: claims.Met}},
		Figures: []claims.Figure{{What: "a page", Direct: 64.2, PgJay: 0.32}, {What: "100 queries", Direct: 20_000, PgJay: 10_000}},
	}
	for _, name := range claims.Names()[1:] {
		table.Lines = append(table.Lines, claims.Line{Claim: name, Mark: claims.Short})
	}
	table.Lines[0].Claim = claims.Names()[0]
	if err := os.Mkdir(filepath.Dir(full), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{readme, full} {
		if err := os.WriteFile(file, []byte("before\n"+docsBegin+"\nold\n\n"+docsEnd+"after\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := ClaimsDocs(dir, table); err != nil {
			t.Fatal(err)
		}
	}
	for file, want := range map[string]string{
		readme: "| a page | 64 ms | 0.32 ms | 200.6 times |\n| 100 queries | 20.0 s | 10.0 s | 2.0 times |\n",
		full:   "| all the same | they are | met |\n",
	} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for part, n := range map[string]int{"before\n": 1, want: 1, "by `make claims`": 1, "\nafter\n": 1, "old": 0, docsBegin: 1, docsEnd: 1} {
			if strings.Count(string(text), part) != n {
				t.Errorf("%q is not %d times in\n%s", part, n, text)
			}
		}
	}
	refuseParts(t, dir, table)
	if err := os.WriteFile(readme, []byte("no marks"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := ClaimsDocs(dir, table); err == nil {
		t.Error("a file without marks was accepted")
	}
}

// refuseParts wants docs to stay as they are if not every claim was measured.
func refuseParts(t *testing.T, dir string, table *claims.Table) {
	t.Helper()
	for _, mark := range []claims.Mark{claims.Failed, claims.NotAvailable} {
		part := *table
		part.Lines = append(slices.Clone(table.Lines), claims.Line{Claim: "pages", Mark: mark})
		if err := ClaimsDocs(dir, &part); err == nil {
			t.Errorf("lines with %q were accepted", mark)
		}
	}
	part := *table
	part.Lines = table.Lines[1:]
	if err := ClaimsDocs(dir, &part); err == nil {
		t.Error("a part was accepted")
	}
}
