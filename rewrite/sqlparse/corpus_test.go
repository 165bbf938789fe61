package sqlparse

import (
	"os"
	"strings"
	"testing"
)

// corpus returns the texts in a file of testdata. Each ends with a line of four
// dashes; the first one says what the file is.
func corpus(t testing.TB, file string) []string {
	t.Helper()
	return strings.Split(strings.TrimSuffix(readFile(t, file), "\n"), "\n----\n")[1:]
}

func readFile(t testing.TB, file string) string {
	t.Helper()
	content, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// TestOrdinaryStatements says what must not pin, or pooling is worth nothing.
func TestOrdinaryStatements(t *testing.T) {
	for _, file := range []string{"applications.sql", "psql.sql"} {
		for _, text := range corpus(t, file) {
			if c := Classify([]byte(text)); c.Pin != ReasonNone {
				t.Errorf("%s: pinned, %s:\n%s", file, c.Pin, text)
			}
		}
	}
}

// stateful returns the texts of state.sql with the reason that each must give.
func stateful(t testing.TB) (texts, labels []string) {
	t.Helper()
	for _, block := range strings.Split("\n"+readFile(t, "state.sql"), "\n---- ")[1:] {
		label, text, _ := strings.Cut(strings.TrimSuffix(block, "\n"), "\n")
		texts, labels = append(texts, text), append(labels, label)
	}
	return texts, labels
}

// TestStatefulStatements says what must pin, and why.
func TestStatefulStatements(t *testing.T) {
	texts, labels := stateful(t)
	for i, text := range texts {
		if c := Classify([]byte(text)); c.Pin.Label() != labels[i] {
			t.Errorf("reason %s, want %s:\n%s", c.Pin.Label(), labels[i], text)
		}
	}
}
