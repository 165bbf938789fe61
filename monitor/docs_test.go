package monitor

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

const docsFile = "../docs/metrics.md"

// docs/metrics.md has one row for each metric, and no others.
func TestDocsListExactlyTheMetrics(t *testing.T) {
	page, err := os.ReadFile(docsFile)
	if err != nil {
		t.Fatal(err)
	}
	documented := make(map[string]int)
	for line := range strings.Lines(string(page)) {
		if strings.HasPrefix(line, "| `"+namespace+"_") {
			documented[line]++
		}
	}
	for _, f := range New(Options{}).book.families {
		if documented[docsRow(f)]--; documented[docsRow(f)] < 0 {
			t.Errorf("%s lacks\n%s", docsFile, docsRow(f))
		}
	}
	for row, n := range documented {
		if n > 0 {
			t.Errorf("%s has\n%s", docsFile, row)
		}
	}
}

func docsRow(f family) string {
	labels := strings.Join(f.labels, "`, `")
	if labels != "" {
		labels = "`" + labels + "`"
	}
	return fmt.Sprintf("| `%s` | %s | %s | %s |\n", f.name, f.kind, labels, f.help)
}
