package proxy_test

import (
	"log/slog"
	"net"
	"path/filepath"
	"testing"

	"github.com/pgjay/pgjay/monitor"
	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy"
)

// newServer makes a server that nobody runs. What it leaves open pgtest.Main
// finds.
func newServer(t *testing.T, addresses ...string) *proxy.Server {
	t.Helper()
	srv, err := proxy.NewServer(proxy.Config{
		Listen:   proxy.ListenConfig{Addresses: addresses, Loops: e2eLoops, UnixPort: 6543},
		Auth:     proxy.AuthConfig{Method: proxy.AuthTrust},
		Limits:   proxy.DefaultLimitsConfig(),
		Timeouts: proxy.DefaultTimeoutsConfig(),
		Backend:  pool.DefaultBackendConfig(),
		Pool:     pool.DefaultConfig(),
	}, slog.New(slog.DiscardHandler), monitor.New(monitor.Options{Loops: e2eLoops}))
	if err != nil {
		t.Fatal(err)
	}
	return srv
}

// A server that cannot bind all its addresses leaves nothing open.
func TestListenFails(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	dir := t.TempDir()
	srv := newServer(t, dir, "127.0.0.1:0", taken.Addr().String())
	if err := srv.Listen(); err == nil {
		t.Fatal("an address was bound twice")
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".s.PGSQL.*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	for _, address := range srv.Addrs()[1:] {
		if c, err := net.Dial("tcp", address.String()); err == nil {
			c.Close()
			t.Errorf("%s is still bound", address)
		}
	}
	srv.Close() // harmless
}

func TestCloseWithoutRun(t *testing.T) {
	srv := newServer(t, "127.0.0.1:0")
	if err := srv.Listen(); err != nil {
		t.Fatal(err)
	}
	srv.Close()
}
