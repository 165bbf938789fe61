package pool

import (
	"io"
	"net"
	"strings"
	"testing"
)

// TestDialErrorNamesEachReasonOnce dials nobody: TLS is preferred, so pgconn
// tries twice.
func TestDialErrorNamesEachReasonOnce(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	target := Target{Key: Key{"crm", "zoe"}, URL: "postgres://" + l.Addr().String(), Database: "crm", User: "zoe"}
	_, err = Dial(t.Context(), target)
	text := (&DialError{Key: target.Key, User: target.User, Err: err}).Error()
	if strings.Count(text, "connection refused") != 1 || strings.Count(text, "zoe") != 1 || strings.ContainsAny(text, "\n\t") {
		t.Error(text)
	}
}

// TestServerWithoutTLS is a server that says N, as one without certificates.
func TestServerWithoutTLS(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if _, err := io.ReadFull(c, make([]byte, 8)); err == nil {
				_, _ = c.Write([]byte("N"))
			}
			_ = c.Close()
		}
	}()
	for mode, want := range map[string]bool{"require": true, "prefer": false} {
		_, err := Dial(t.Context(), Target{URL: "postgres://" + l.Addr().String() + "?sslmode=" + mode, User: "ann", Database: "crm"})
		if got := final(&DialError{Err: err}); got != want {
			t.Errorf("sslmode=%s is final: %v (%v)", mode, got, err)
		}
	}
}
