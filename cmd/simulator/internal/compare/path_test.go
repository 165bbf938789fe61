package compare

import (
	"crypto/tls"
	"net"
	"path/filepath"
	"strings"
	"testing"
)

// TestUnlike wants it said where clients reach PostgreSQL otherwise than they reach PgJay.
func TestUnlike(t *testing.T) {
	for network, want := range map[string]string{"tcp": "", "unix": "a unix socket", "tls": "use TLS"} {
		address, over := "127.0.0.1:0", "tcp"
		if network == "unix" {
			address, over = filepath.Join(t.TempDir(), "s"), network
		}
		listener, err := net.Listen(over, address)
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		conn, err := net.Dial(over, listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if network == "tls" {
			conn = tls.Client(conn, &tls.Config{ServerName: "x"})
		}
		if got := unlikePgJay(conn); !strings.Contains(got, want) || (got == "") != (want == "") {
			t.Errorf("%s: %q", network, got)
		}
	}
}
