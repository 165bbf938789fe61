package proxy_test

import (
	"testing"

	"github.com/pgjay/pgjay/pool/embedded"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// plain returns the address of the PostgreSQL that the tests share.
func plain(t testing.TB) string { return pgtest.Server(t).Address() }

// newPostgres starts a server of a test's own, to be stopped and killed. What
// it has committed survives a crash of its processes.
func newPostgres(t testing.TB) *embedded.Server {
	return pgtest.NewServer(t, embedded.Options{Settings: map[string]string{"synchronous_commit": "on"}})
}
