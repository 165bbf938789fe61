package embedded

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	embeddedpostgres "github.com/fergusstrange/embedded-postgres"
)

// repository serves a package with fake programs, as the library expects it.
func repository(t *testing.T) (url string) {
	t.Helper()
	programs, err := os.ReadFile("testdata/programs.txz")
	if err != nil {
		t.Fatal(err)
	}
	var jar bytes.Buffer
	w := zip.NewWriter(&jar)
	f, err := w.Create("postgres.txz")
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Write(programs)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, ".sha256") {
			fmt.Fprintf(w, "%x", sha256.Sum256(jar.Bytes()))
			return
		}
		_, _ = w.Write(jar.Bytes())
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// TestFetch fetches twice: another process may be as fast.
func TestFetch(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir()) // the library leaves a file there
	cache := t.TempDir()
	dir := filepath.Join(cache, "postgresql")
	c := embeddedpostgres.DefaultConfig().BinaryRepositoryURL(repository(t))
	for range 2 {
		if err := fetch(c, cache, dir); err != nil {
			t.Fatal(err)
		}
	}
	if !hasPrograms(filepath.Join(dir, "bin")) {
		t.Error("the programs are not there")
	}
	if left, _ := filepath.Glob(filepath.Join(cache, "fetch-*")); len(left) > 0 {
		t.Errorf("%v are left", left)
	}
	err := fetch(c.BinaryRepositoryURL("http://127.0.0.1:1"), cache, dir+"2")
	if err == nil || !strings.Contains(err.Error(), "unable to connect to http://127.0.0.1:1") {
		t.Errorf("without a repository: %v", err)
	}
}
