package report

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/pgjay/pgjay/cmd/simulator/internal/claims"
)

// Claims prints what was claimed and what was measured.
func Claims(w io.Writer, t *claims.Table) {
	fmt.Fprintf(w, "\n%s, %s, %d cores; PostgreSQL %s; %s; %s; took %v\n\n", t.When.Format(time.DateOnly), t.Machine.CPU, t.Machine.Cores,
		t.Machine.PostgreSQL, t.Machine.Go, t.Data, t.Took.Round(time.Second))
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, l := range t.Lines {
		claimed := l.Claim
		if l.Claimed != "" {
			claimed = l.Claimed
		}
		for i, part := range wrap(l.Measurement, 80) {
			if i == 0 {
				fmt.Fprintf(table, "%s\t%s\t%s\n", l.Mark, claimed, part)
			} else {
				fmt.Fprintf(table, "\t\t%s\n", part)
			}
		}
	}
	_ = table.Flush()
}

// ClaimsMarkdown writes the same as a table for docs.
func ClaimsMarkdown(w io.Writer, t *claims.Table) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Measured %s on %s, %d cores, PostgreSQL %s, %s, in %v, by `%s`. Data: %s.\n\n", t.When.UTC().Format("2006-01-02 15:04 UTC"),
		t.Machine.CPU, t.Machine.Cores, t.Machine.PostgreSQL, t.Machine.Go, t.Took.Round(time.Second), t.Command, strings.TrimPrefix(t.Data, "simulator: "))
	b.WriteString("| Claim | Measured | |\n|---|---|---|\n")
	for _, l := range t.Lines {
		claimed := l.Claimed
		if claimed == "" {
			claimed = l.Claim
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", cell(claimed), cell(l.Measurement), l.Mark)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// cell is a text in a table.
func cell(text string) string {
	return strings.NewReplacer("|", "\\|", "\n", " ").Replace(text)
}

// wrap breaks a text between words, into lines of about width.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
