package proxy

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pgjay/pgjay/proxy/wire"
)

// authServer speaks just enough of the protocol to log a client in, one
// conversation after the other.
type authServer struct {
	method AuthMethod
	creds  *credentials
	tls    *tlsSettings
}

// authPatience bounds a login on a busy machine.
const authPatience = 20 * time.Second

// serve handles one client and returns why it was refused.
func (srv *authServer) serve(nc net.Conn) error {
	defer func() { _ = nc.Close() }()
	_ = nc.SetDeadline(time.Now().Add(authPatience))
	user, encrypted, client, err := srv.startup(nc)
	if err != nil {
		return err
	}
	nc = encrypted
	a := newAuthConversation(srv.method, srv.creds, user, client, srv.tls.certificate())
	if err := converse(nc, a); err != nil {
		var told *wire.Error
		if !errors.As(err, &told) {
			return err
		}
		_, _ = nc.Write(told.Append(nil))
		return err
	}
	hello := wire.AppendAuthentication(nil, 0, nil)
	hello = wire.AppendParameterStatus(hello, "server_version", "15.0")
	hello = wire.AppendParameterStatus(hello, "client_encoding", "UTF8")
	hello = wire.AppendBackendKeyData(hello, 1, []byte("abcd"))
	if _, err := nc.Write(wire.AppendReadyForQuery(hello, wire.StatusIdle)); err != nil {
		return err
	}
	for {
		typ, _, err := readFrame(nc)
		if err != nil || typ != wire.Query {
			return nil
		}
		if _, err := nc.Write(wire.AppendReadyForQuery(wire.AppendEmpty(nil, wire.EmptyQueryResponse), wire.StatusIdle)); err != nil {
			return err
		}
	}
}

// startup reads start-up packets until the StartupMessage.
func (srv *authServer) startup(nc net.Conn) (string, net.Conn, *tls.ConnectionState, error) {
	var client *tls.ConnectionState
	for {
		packet, err := readStartup(nc)
		if err != nil {
			return "", nil, nil, err
		}
		switch packet.Kind {
		case wire.SSLRequest:
			if srv.tls == nil {
				_, err = nc.Write([]byte("N"))
				break
			}
			_, _ = nc.Write([]byte("S"))
			encrypted := tls.Server(nc, srv.tls.config)
			err = encrypted.Handshake()
			state := encrypted.ConnectionState()
			nc, client = encrypted, &state
		case wire.GSSENCRequest:
			_, err = nc.Write([]byte("N"))
		case wire.StartupMessage:
			user, _ := packet.Get("user")
			return user, nc, client, nil
		}
		if err != nil {
			return "", nil, nil, err
		}
	}
}

func converse(nc net.Conn, a *authConversation) error {
	message, done, err := a.first()
	for err == nil {
		if _, werr := nc.Write(message); werr != nil {
			return werr
		}
		if done {
			return nil
		}
		typ, body, rerr := readFrame(nc)
		if rerr != nil || typ != wire.Password {
			return errors.Join(errors.New("no password message"), rerr)
		}
		message, done, err = a.next(body)
	}
	return err
}

func readStartup(r io.Reader) (*wire.Startup, error) {
	p := make([]byte, 4)
	if _, err := io.ReadFull(r, p); err != nil {
		return nil, err
	}
	p = append(p, make([]byte, binary.BigEndian.Uint32(p)-4)...)
	if _, err := io.ReadFull(r, p[4:]); err != nil {
		return nil, err
	}
	return wire.ParseStartup(p)
}

func readFrame(r io.Reader) (typ byte, body []byte, err error) {
	var header [wire.HeaderLen]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return 0, nil, err
	}
	body = make([]byte, binary.BigEndian.Uint32(header[1:])-4)
	_, err = io.ReadFull(r, body)
	return header[0], body, err
}

// listen serves clients on a TCP port until the test ends. Why each was refused
// (nil if it was not) comes out of the channel.
func (srv *authServer) listen(t *testing.T) (port string, results <-chan error) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 16)
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			ended <- srv.serve(nc)
		}
	}()
	t.Cleanup(func() { _ = ln.Close(); <-finished })
	_, port, _ = net.SplitHostPort(ln.Addr().String())
	return port, ended
}

// testCert makes a certificate, signed by itself or by another one.
type testCert struct {
	cert *x509.Certificate
	der  []byte
	key  crypto.Signer
}

func makeCert(t *testing.T, template x509.Certificate, key crypto.Signer, signer *testCert) *testCert {
	t.Helper()
	if key == nil {
		var err error
		if key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.NotBefore = time.Now().Add(-time.Hour)
	template.NotAfter = time.Now().Add(time.Hour)
	template.BasicConstraintsValid = true
	parent, signingKey := &template, key
	if signer != nil {
		parent, signingKey = signer.cert, signer.key
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, parent, key.Public(), signingKey)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &testCert{cert, der, key}
}

func named(name string) x509.Certificate {
	return x509.Certificate{Subject: pkix.Name{CommonName: name}, DNSNames: []string{"localhost"}}
}

// files writes the certificate and its key.
func (c *testCert) files(t *testing.T) (cert, key string) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(c.key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writePEM(t, cert, "CERTIFICATE", c.der)
	writePEM(t, key, "PRIVATE KEY", der)
	return cert, key
}

func writePEM(t *testing.T, name, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// settings loads TLS settings that use the certificate.
func (c *testCert) settings(t *testing.T, mode string, ca *testCert) *tlsSettings {
	t.Helper()
	cfg := TLSConfig{Mode: mode}
	cfg.CertFile, cfg.KeyFile = c.files(t)
	if ca != nil {
		cfg.CAFile, _ = ca.files(t)
	}
	s, err := loadTLS(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustCredentials(t testing.TB, users ...User) *credentials {
	t.Helper()
	c, err := newCredentials(AuthConfig{Users: users})
	if err != nil {
		t.Fatal(err)
	}
	return c
}
