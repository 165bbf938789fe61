package monitor

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"text/template"
)

//go:generate go test -run TestDocs|TestGrafana -update .

const (
	docsTemplate = "metrics.md.tmpl"
	docsFile     = "../docs/metrics.md"
)

// docs/metrics.md is made from the template and what the book says of each metric; each
// has its place in it once.
func TestDocs(t *testing.T) {
	families := make(map[string]family)
	for _, f := range New(Options{}).book.families {
		families[strings.TrimPrefix(f.name, namespace+"_")] = f
	}
	table := func(names ...string) (string, error) {
		rows := []string{"| Metric | Type | Labels | Meaning |", "|---|---|---|---|"}
		for _, name := range names {
			f, there := families[name]
			if !there {
				return "", fmt.Errorf("there is no metric %s, or it is documented twice", name)
			}
			delete(families, name)
			rows = append(rows, docsRow(f))
		}
		return strings.Join(rows, "\n"), nil
	}
	page, err := template.New(docsTemplate).Funcs(template.FuncMap{"table": table}).ParseFiles(docsTemplate)
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := page.Execute(&text, nil); err != nil {
		t.Fatal(err)
	}
	for name := range families {
		t.Errorf("%s lacks %s", docsTemplate, name)
	}
	expectFile(t, docsFile, text.Bytes())
}

// expectFile compares a file that is made with what it should be. -update writes it.
func expectFile(t *testing.T, path string, want []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s is not what the code says: go generate ./monitor", path)
	}
}

func docsRow(f family) string {
	labels := strings.Join(f.labels, "`, `")
	if labels != "" {
		labels = "`" + labels + "`"
	}
	return fmt.Sprintf("| `%s` | %s | %s | %s |", f.name, f.kind, labels, f.help)
}
