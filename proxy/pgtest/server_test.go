package pgtest

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestMain(m *testing.M) { Main(m) }

func TestServer(t *testing.T) {
	first, second := Server(t), Server(t)
	if first != second || first.PID() == 0 {
		t.Errorf("%p and %p are not one running server", first, second)
	}
}

// TestLeaks leaves one of each kind, for a moment.
func TestLeaks(t *testing.T) {
	before := takeInventory()
	if left := current(); len(left) > len(before) {
		t.Errorf("looking changes something: %v", left)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command("cat")
	child.Stdin = r
	if err := child.Start(); err != nil {
		t.Skip(err)
	}
	running, stop := make(chan struct{}), make(chan struct{})
	go forgotten(running, stop)
	<-running
	left := before.leaks(0)
	for _, want := range []string{"pgtest.forgotten", `"cat `, "pipe:["} {
		if !strings.Contains(left, want) {
			t.Errorf("no %s in\n%s", want, left)
		}
	}
	close(stop)
	_, _ = w.Close(), r.Close()
	if err := child.Wait(); err != nil {
		t.Error(err)
	}
	if left := before.leaks(Patience); left != "" {
		t.Errorf("all is closed, and there is still\n%s", left)
	}
}

func forgotten(running, stop chan struct{}) {
	close(running)
	<-stop
}
