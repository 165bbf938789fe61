package pgtest

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/pgjay/pgjay/pool/embedded"
)

// shared is the server that the tests of one package share.
var shared struct {
	sync.Mutex
	server *embedded.Server
	err    error
}

// Server returns a PostgreSQL server for tests that leave it as it was. It is
// started when the first test asks for it, and closed by Main, which a package
// that calls this must have as its TestMain.
func Server(t testing.TB) *embedded.Server {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil && shared.err == nil {
		shared.server, shared.err = embedded.Start(context.Background(), embedded.Options{})
	}
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.server
}

// NewServer starts a server of the test's own, to configure, restart or kill.
// It is closed when the test ends.
func NewServer(t testing.TB, o embedded.Options) *embedded.Server {
	t.Helper()
	s, err := embedded.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Main is a package's TestMain: it runs the tests, closes the shared server,
// and fails the package if something was left running.
func Main(m *testing.M) {
	before := takeInventory()
	status := m.Run()
	if err := closeShared(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = max(status, 1)
	}
	if status == 0 {
		if left := before.leaks(Patience); left != "" {
			fmt.Fprintf(os.Stderr, "FAIL: the tests passed, and left\n%s\n", left)
			status = 1
		}
	}
	os.Exit(status)
}

func closeShared() error {
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil {
		return nil
	}
	return shared.server.Close()
}
