package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/pgjay/pgjay/cmd/simulator/internal/compare"
	"github.com/pgjay/pgjay/cmd/simulator/internal/load"
)

// TestDifferingAnswers wants a comparison with one to fail, once it is written.
func TestDifferingAnswers(t *testing.T) {
	for count, want := range []error{nil, errDiffer} {
		dir := t.TempDir()
		f := compareFlags{html: filepath.Join(dir, "report.html"), json: filepath.Join(dir, "report.json")}
		c := &compare.Comparison{Verification: &compare.Verification{Verification: load.Verification{Compared: 9, Count: count}}}
		if err := f.write(c, new(bytes.Buffer)); !errors.Is(err, want) {
			t.Errorf("with %d that differ: %v", count, err)
		}
		for _, name := range []string{f.html, f.json} {
			if text, err := os.ReadFile(name); err != nil || len(text) == 0 {
				t.Errorf("%s: %d bytes, %v", name, len(text), err)
			}
		}
	}
}
