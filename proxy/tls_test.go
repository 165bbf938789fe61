package proxy

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTLSModes(t *testing.T) {
	cert := makeCert(t, named("localhost"), nil, nil)
	ca := makeCert(t, x509.Certificate{IsCA: true}, nil, nil)
	for mode, want := range map[string]struct{ offered, required, verified bool }{
		"":            {},
		"disable":     {},
		"allow":       {offered: true},
		"prefer":      {offered: true},
		"require":     {offered: true, required: true},
		"verify-ca":   {true, true, true},
		"verify-full": {true, true, true},
	} {
		s := cert.settings(t, mode, ca)
		if (s != nil) != want.offered || (s.certificate() != nil) != want.offered {
			t.Errorf("%s: settings %v", mode, s)
		}
		if s == nil {
			continue
		}
		verified := s.config.ClientAuth == tls.RequireAndVerifyClientCert && s.config.ClientCAs != nil
		asked := s.config.ClientAuth != tls.NoClientCert
		if s.required != want.required || verified != want.verified || asked != want.verified || !s.certificate().Equal(cert.cert) {
			t.Errorf("%s: required %v, verified %v", mode, s.required, verified)
		}
	}
}

func TestTLSErrors(t *testing.T) {
	cert, key := makeCert(t, named("a"), nil, nil).files(t)
	otherCert, otherKey := makeCert(t, named("b"), nil, nil).files(t)
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		cfg  TLSConfig
		want []string
		is   error
	}{
		{TLSConfig{Mode: "on"}, []string{`tls.mode "on"`, "verify-full"}, nil},
		{TLSConfig{Mode: "require"}, []string{"tls.cert_file is missing", "give the PEM file"}, nil},
		{TLSConfig{Mode: "require", CertFile: cert}, []string{"tls.key_file is missing", "give the PEM file"}, nil},
		{TLSConfig{Mode: "require", CertFile: "/nowhere/cert.pem", KeyFile: key}, []string{"tls.cert_file", "/nowhere/cert.pem", "give"}, fs.ErrNotExist},
		{TLSConfig{Mode: "require", CertFile: cert, KeyFile: "/nowhere/key.pem"}, []string{"tls.key_file", "/nowhere/key.pem", "give"}, fs.ErrNotExist},
		{TLSConfig{Mode: "require", CertFile: cert, KeyFile: otherKey}, []string{cert, otherKey, "match", "give"}, nil},
		{TLSConfig{Mode: "require", CertFile: otherKey, KeyFile: otherKey}, []string{"tls.cert_file", otherKey, "give"}, nil},
		{TLSConfig{Mode: "verify-ca", CertFile: cert, KeyFile: key}, []string{"tls.ca_file is missing", "give"}, nil},
		{TLSConfig{Mode: "verify-ca", CertFile: cert, KeyFile: key, CAFile: "/nowhere/ca.pem"}, []string{"tls.ca_file", "/nowhere/ca.pem", "give"}, fs.ErrNotExist},
		{TLSConfig{Mode: "verify-full", CertFile: otherCert, KeyFile: otherKey, CAFile: empty}, []string{"tls.ca_file", empty, "give"}, nil},
	} {
		s, err := loadTLS(test.cfg)
		if s != nil || err == nil || test.is != nil && !errors.Is(err, test.is) {
			t.Errorf("%+v: %v, %v", test.cfg, s, err)
			continue
		}
		for _, part := range test.want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%+v: %q is not in %v", test.cfg, part, err)
			}
		}
	}
}

// TestALPN shakes hands with clients that offer protocols.
func TestALPN(t *testing.T) {
	s := makeCert(t, named("localhost"), nil, nil).settings(t, "prefer", nil)
	for _, test := range []struct {
		offer            []string
		version          uint16
		connects, direct bool
	}{
		{[]string{"postgresql"}, tls.VersionTLS13, true, true},
		{[]string{"h2", "postgresql"}, tls.VersionTLS12, true, true},
		{nil, tls.VersionTLS13, true, false},
		{[]string{"h2"}, tls.VersionTLS13, false, false},
		{[]string{"postgresql"}, tls.VersionTLS11, false, false},
	} {
		state, err := handshake(t, s, &tls.Config{NextProtos: test.offer, InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: test.version})
		if (err == nil) != test.connects {
			t.Errorf("%v: handshake: %v", test.offer, err)
		}
		if err != nil {
			continue
		}
		err = requireALPN(state)
		if (err == nil) != test.direct {
			t.Errorf("%v: direct TLS: %v", test.offer, err)
		}
		if err != nil && err.Error() != "FATAL: received direct SSL connection request without ALPN protocol negotiation extension (SQLSTATE 08P01)" {
			t.Errorf("%v: %v", test.offer, err)
		}
	}
	if requireALPN(nil) == nil {
		t.Error("direct TLS without TLS")
	}
}

// handshake connects a client and returns what the server found out.
func handshake(t *testing.T, s *tlsSettings, client *tls.Config) (*tls.ConnectionState, error) {
	t.Helper()
	there, here := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		c := tls.Client(there, client)
		_ = c.Handshake()
		_, _ = c.Read(make([]byte, 1)) // TLS 1.3: tickets come after the handshake
		_ = there.Close()
	}()
	server := tls.Server(here, s.config)
	err := server.Handshake()
	_ = here.Close()
	<-done
	state := server.ConnectionState()
	return &state, err
}
