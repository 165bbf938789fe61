package configs

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestErrors compares what each testdata/*.yaml provokes with its .golden
// file. Whatever is secret in them has s3cret in it.
func TestErrors(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no testdata", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			_, err := Load(file, nil)
			list := new(Errors)
			if !errors.As(err, &list) {
				t.Fatalf("Load gives %v, not *Errors", err)
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".golden", err.Error()+"\n")
			for _, e := range list.List {
				if strings.Contains(e.Error(), "s3cret") {
					t.Errorf("a secret is in the line for logs: %v", e)
				}
				if e.Fix == "" {
					t.Errorf("no fix: %v", e)
				}
			}
		})
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if strings.Contains(got, "s3cret") {
		t.Errorf("a secret is in:\n%s", got)
	}
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; if it is meant to, run go test ./configs -update. Got:\n%s", file, got)
	}
}
