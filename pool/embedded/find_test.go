package embedded

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fakePrograms makes a directory that looks like PostgreSQL's.
func fakePrograms(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"initdb", "postgres"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFind(t *testing.T) {
	real, links, empty := fakePrograms(t), t.TempDir(), t.TempDir()
	if err := os.Symlink(filepath.Join(real, "postgres"), filepath.Join(links, "postgres")); err != nil {
		t.Fatal(err)
	}
	config := "#!/bin/sh\n[ \"$1\" = --bindir ] && echo " + real + "\n"
	configs := t.TempDir()
	if err := os.WriteFile(filepath.Join(configs, "pg_config"), []byte(config), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ pgbin, path, want, problem string }{
		{pgbin: real, path: empty, want: real},
		{pgbin: empty, path: links, problem: "PGBIN is " + empty + ", which does not have initdb and postgres"},
		{path: real, want: real},
		{path: links, want: real},
		{path: configs, want: real},
	} {
		t.Setenv("PGBIN", tt.pgbin)
		t.Setenv("PATH", tt.path)
		got, err := Find()
		if got != tt.want || (tt.problem != "") != (err != nil) || err != nil && !strings.Contains(err.Error(), tt.problem) {
			t.Errorf("%+v: found %q, %v", tt, got, err)
		}
	}
	t.Setenv("PATH", empty)
	if _, err := Find(); len(usualPlaces()) == 0 && !errors.Is(err, ErrNotFound) {
		t.Errorf("found nothing: %v", err)
	}
}

func TestVersionIn(t *testing.T) {
	for dir, want := range map[string]float64{
		"/usr/lib/postgresql/15/bin":          15,
		"/usr/lib/postgresql/9.6/bin":         9.6,
		"/usr/pgsql-17/bin":                   17,
		"/opt/homebrew/opt/postgresql@16/bin": 16,
		"/opt/homebrew/opt/postgresql/bin":    0,
	} {
		if got := versionIn(dir); got != want {
			t.Errorf("%s: %v", dir, got)
		}
	}
}
