package proxy_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/proxy"
	"github.com/pgjay/pgjay/proxy/pgtest"
)

// connectWith logs in through pgconn and asks who it is.
func connectWith(t testing.TB, url string) (user string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), pgtest.Patience)
	defer cancel()
	c, err := pgconn.Connect(ctx, url)
	if err != nil {
		return "", err
	}
	defer c.Close(ctx)
	r := c.ExecParams(ctx, "select current_user", nil, nil, nil, nil).Read()
	if r.Err != nil {
		return "", r.Err
	}
	return string(r.Rows[0][0]), nil
}

// verifierOf has PostgreSQL make the verifier of a password.
func verifierOf(t testing.TB, admin *pgtest.Admin, method, password string) string {
	t.Helper()
	if err := admin.Exec("set password_encryption = '" + method + "'; drop role if exists wire_pw; create role wire_pw password '" + password + "'"); err != nil {
		t.Fatal(err)
	}
	v, err := admin.Ask("select rolpassword from pg_authid where rolname = 'wire_pw'")
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestPasswords(t *testing.T) {
	backend := plain(t)
	admin := observer(t, backend)
	verifier := verifierOf(t, admin, "scram-sha-256", "sesame")
	md5 := verifierOf(t, admin, "md5", "sesame")
	plainText := "sesame"
	for _, c := range []struct {
		name   string
		method proxy.AuthMethod
		stored string
		user   string
		given  string
		ok     bool
	}{
		{"scram, plain", proxy.AuthSCRAM, plainText, "postgres", "sesame", true},
		{"scram, verifier", proxy.AuthSCRAM, verifier, "postgres", "sesame", true},
		{"scram, wrong", proxy.AuthSCRAM, verifier, "postgres", "simsalabim", false},
		{"scram, wrong for plain", proxy.AuthSCRAM, plainText, "postgres", "simsalabim", false},
		{"scram, empty", proxy.AuthSCRAM, plainText, "postgres", "", false},
		{"scram, unknown user", proxy.AuthSCRAM, plainText, "mallory", "sesame", false},
		{"md5, plain", proxy.AuthMD5, plainText, "postgres", "sesame", true},
		{"md5, hash", proxy.AuthMD5, md5, "wire_pw", "sesame", true},
		{"md5, verifier", proxy.AuthMD5, verifier, "postgres", "sesame", true},
		{"md5, wrong for a verifier", proxy.AuthMD5, verifier, "postgres", "simsalabim", false},
		{"md5, unknown user among verifiers", proxy.AuthMD5, verifier, "mallory", "sesame", false},
		{"md5, wrong", proxy.AuthMD5, plainText, "postgres", "simsalabim", false},
		{"md5, unknown user", proxy.AuthMD5, plainText, "mallory", "sesame", false},
		{"trust, unknown to the proxy", proxy.AuthTrust, "", "postgres", "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := startProxy(t, backend, func(cfg *proxy.Config) {
				cfg.Auth.Method = c.method
				if c.stored != "" {
					cfg.Auth.Users = []proxy.User{{Name: "postgres", Password: c.stored, BackendUser: "postgres"},
						{Name: "wire_pw", Password: c.stored, BackendUser: "postgres"}}
				}
			})
			got, err := connectWith(t, "postgres://"+c.user+":"+c.given+"@"+p.addr+"/postgres?sslmode=disable")
			switch {
			case c.ok && (err != nil || got != "postgres"):
				t.Errorf("logged in as %q, %v", got, err)
			case !c.ok && (err == nil || c.given != "" && !strings.Contains(err.Error(), "28P01")):
				t.Errorf("got in as %q with a wrong password: %v", got, err)
			}
		})
	}
}

// A user's own method is instead of the general one.
func TestMethodOfOneUser(t *testing.T) {
	for _, method := range []proxy.AuthMethod{proxy.AuthSCRAM, proxy.AuthMD5} {
		p := startProxy(t, plain(t), func(cfg *proxy.Config) {
			cfg.Auth = proxy.AuthConfig{Method: proxy.AuthTrust, Users: []proxy.User{
				{Name: "careful", Password: "sesame", Method: method, BackendUser: "postgres"},
				{Name: "trusting", BackendUser: "postgres"},
			}}
		})
		for login, ok := range map[string]bool{"careful:sesame": true, "careful:simsalabim": false, "careful:": false, "trusting:": true, "postgres:": true} {
			if got, err := connectWith(t, "postgres://"+login+"@"+p.addr+"/postgres?sslmode=disable"); ok != (err == nil) || ok && got != "postgres" {
				t.Errorf("%s, %s: logged in as %q, %v", method, login, got, err)
			}
		}
		expectMetric(t, p, `client_auth_duration_seconds_count{method="`+string(method)+`"}`, 3)
		expectMetric(t, p, `client_connections_rejected_total{reason="auth"}`, 2)
	}
}

// certificates are files made for one test: an authority, a server's and a
// client's certificate.
type certificates struct{ ca, serverCert, serverKey, clientCert, clientKey string }

func newCertificates(t testing.TB, clientName string) certificates {
	t.Helper()
	dir := t.TempDir()
	ca, caKey := newCertificate(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, nil, nil)
	server, serverKey := newCertificate(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, ca, caKey)
	client, clientKey := newCertificate(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: clientName}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, ca, caKey)
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return certificates{
		ca:         write("ca.crt", "CERTIFICATE", ca.Raw),
		serverCert: write("server.crt", "CERTIFICATE", server.Raw), serverKey: write("server.key", "EC PRIVATE KEY", keyBytes(t, serverKey)),
		clientCert: write("client.crt", "CERTIFICATE", client.Raw), clientKey: write("client.key", "EC PRIVATE KEY", keyBytes(t, clientKey)),
	}
}

func keyBytes(t testing.TB, key *ecdsa.PrivateKey) []byte {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// newCertificate makes a certificate signed by parent, or by itself.
func newCertificate(t testing.TB, template, parent *x509.Certificate, parentKey *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	if parent == nil {
		parent, parentKey = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, parentKey)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

func TestTLS(t *testing.T) {
	backend := plain(t)
	certs := newCertificates(t, "postgres")
	withClientCert := "&sslcert=" + certs.clientCert + "&sslkey=" + certs.clientKey
	for _, c := range []struct {
		name, mode, params string
		ok                 bool
	}{
		{"disabled, disable", "disable", "sslmode=disable", true},
		{"disabled, prefer", "disable", "sslmode=prefer", true},
		{"disabled, require", "disable", "sslmode=require", false},
		{"prefer, disable", "prefer", "sslmode=disable", true},
		{"prefer, prefer", "prefer", "sslmode=prefer", true},
		{"prefer, require", "prefer", "sslmode=require", true},
		{"allow, verify-full", "allow", "sslmode=verify-full&sslrootcert=" + certs.ca, true},
		{"require, disable", "require", "sslmode=disable", false},
		{"require, verify-ca", "require", "sslmode=verify-ca&sslrootcert=" + certs.ca, true},
		{"require, direct", "require", "sslmode=require&sslnegotiation=direct", true},
		{"require, unknown authority", "require", "sslmode=verify-full", false},
		{"verify-ca, no client certificate", "verify-ca", "sslmode=require", false},
		{"verify-ca, client certificate", "verify-ca", "sslmode=require" + withClientCert, true},
		{"verify-full, client certificate", "verify-full", "sslmode=verify-full&sslrootcert=" + certs.ca + withClientCert, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := startProxy(t, backend, func(cfg *proxy.Config) {
				cfg.TLS = proxy.TLSConfig{Mode: c.mode, CertFile: certs.serverCert, KeyFile: certs.serverKey, CAFile: certs.ca}
			})
			if got, err := connectWith(t, p.url(c.params)); (err == nil) != c.ok {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestCertificateAuthentication(t *testing.T) {
	backend := plain(t)
	for name, ok := range map[string]bool{"postgres": true, "somebody_else": false} {
		t.Run(name, func(t *testing.T) {
			certs := newCertificates(t, name)
			p := startProxy(t, backend, func(cfg *proxy.Config) {
				cfg.Auth = proxy.AuthConfig{Method: proxy.AuthCert, Users: []proxy.User{{Name: "postgres"}}}
				cfg.TLS = proxy.TLSConfig{Mode: "verify-full", CertFile: certs.serverCert, KeyFile: certs.serverKey, CAFile: certs.ca}
			})
			got, err := connectWith(t, p.url("sslmode=require&sslcert="+certs.clientCert+"&sslkey="+certs.clientKey))
			if (err == nil) != ok {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestChannelBinding(t *testing.T) {
	backend := plain(t)
	certs := newCertificates(t, "postgres")
	p := startProxy(t, backend, func(cfg *proxy.Config) {
		cfg.Auth = proxy.AuthConfig{Method: proxy.AuthSCRAM, Users: []proxy.User{{Name: "postgres", Password: "sesame"}}}
		cfg.TLS = proxy.TLSConfig{Mode: "require", CertFile: certs.serverCert, KeyFile: certs.serverKey}
	})
	url := "postgres://postgres:sesame@" + p.addr + "/postgres?sslmode=require&channel_binding="
	for _, binding := range []string{"disable", "prefer", "require"} {
		if got, err := connectWith(t, url+binding); err != nil || got != "postgres" {
			t.Errorf("channel_binding=%s: %q, %v", binding, got, err)
		}
	}
}

// TestTLSTraffic sends a lot both ways through TLS.
func TestTLSTraffic(t *testing.T) {
	certs := newCertificates(t, "postgres")
	p := startProxy(t, plain(t), func(cfg *proxy.Config) {
		cfg.TLS = proxy.TLSConfig{Mode: "require", CertFile: certs.serverCert, KeyFile: certs.serverKey}
	})
	ctx, cancel := context.WithTimeout(context.Background(), pgtest.Patience)
	defer cancel()
	c, err := pgconn.Connect(ctx, p.url("sslmode=require"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(ctx)
	param := []byte(strings.Repeat("tls", 300_000))
	r := c.ExecParams(ctx, "select $1::text || repeat('x', 3000000)", [][]byte{param}, nil, nil, nil).Read()
	if r.Err != nil || len(r.Rows) != 1 || len(r.Rows[0][0]) != len(param)+3_000_000 {
		t.Errorf("got %d rows, %v", len(r.Rows), r.Err)
	}
}
