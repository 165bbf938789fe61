package report

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pgjay/pgjay/cmd/simulator/internal/claims"
)

// What stands between these in a file comes from simulator claims.
const (
	docsBegin = "<!-- from simulator claims -->\n"
	docsEnd   = "<!-- end -->\n"
)

// ClaimsDocs puts what was measured into the documents of the repository in dir: all
// of it into docs/benchmarks.md, the main figures into README.md. What stands there is not
// replaced by a part.
func ClaimsDocs(dir string, t *claims.Table) error {
	if !t.Whole() {
		return errors.New("docs stay as they are: not every claim was measured")
	}
	var all strings.Builder
	return errors.Join(
		ClaimsMarkdown(&all, t),
		replaceIn(filepath.Join(dir, "docs", "benchmarks.md"), all.String()),
		replaceIn(filepath.Join(dir, "README.md"), figures(t)))
}

// figures is the main ones as a table.
func figures(t *claims.Table) string {
	var b strings.Builder
	b.WriteString("| | directly | through PgJay | |\n|---|---|---|---|\n")
	for _, f := range t.Figures {
		fmt.Fprintf(&b, "| %s | %s | %s | %.1f times |\n", cell(f.What), duration(f.Direct), duration(f.PgJay), f.Direct/f.PgJay)
	}
	fmt.Fprintf(&b, "\nMeasured %s on %s, %d cores, PostgreSQL %s, all on the same machine, by `%s`.\n",
		t.When.UTC().Format(time.DateOnly), t.Machine.CPU, t.Machine.Cores, t.Machine.PostgreSQL, t.Command)
	return b.String()
}

// duration writes milliseconds.
func duration(ms float64) string {
	switch {
	case ms < 10:
		return fmt.Sprintf("%.2f ms", ms)
	case ms < 1000:
		return fmt.Sprintf("%.0f ms", ms)
	}
	return fmt.Sprintf("%.1f s", ms/1000)
}

// replaceIn puts a text between the marks of a file.
func replaceIn(file, text string) error {
	old, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, begins := strings.Cut(string(old), docsBegin)
	_, after, ends := strings.Cut(rest, docsEnd)
	if !begins || !ends {
		return fmt.Errorf("%s has no place for it: no %q and %q", file, strings.TrimSpace(docsBegin), strings.TrimSpace(docsEnd))
	}
	return os.WriteFile(file, []byte(before+docsBegin+"\n"+text+"\n"+docsEnd+after), 0o644)
}
