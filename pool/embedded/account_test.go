package embedded

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestNotRoot runs tests of this package as another user than root.
func TestNotRoot(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("we are not root: all tests do it")
	}
	a, err := serverAccount()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("/tmp", "pgjay-notroot-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	program := filepath.Join(dir, "embedded.test")
	copyProgram(t, os.Args[0], program)
	if err := a.own(dir); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-test.run=TestLife|TestServerEnds", "-test.v")
	cmd.Dir = dir
	cmd.SysProcAttr = attributes(a.credential(), 0)
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_CACHE_HOME="+filepath.Join(dir, "cache"), "TMPDIR="+dir, "GOCOVERDIR="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Count(string(out), "--- PASS: ") != 2 {
		t.Errorf("%v\n%s", err, out)
	}
}

func copyProgram(t *testing.T, from, to string) {
	t.Helper()
	r, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	w, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(w, r); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestMayEnter(t *testing.T) {
	a := account{name: "nobody", uid: 65534, gid: 65534, other: true}
	dir := filepath.Join(t.TempDir(), "closed", "open")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(dir), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := a.mayEnter(dir); err == nil || !strings.Contains(err.Error(), "cannot enter "+filepath.Dir(dir)+":") {
		t.Errorf("into a closed directory: %v", err)
	}
	if err := a.mayEnter("/"); err != nil {
		t.Error(err)
	}
}
