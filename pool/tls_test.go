package pool

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestPostgresTLS(t *testing.T) {
	s := startServer(t)
	onAllReactors(t, func(t *testing.T) { encrypted(t, s) })
}

func encrypted(t *testing.T, s *testServer) {
	for _, mode := range []string{"sslmode=require", "sslmode=prefer", "sslmode=verify-full&sslrootcert=" + s.Certificate(), "sslmode=require&channel_binding=require"} {
		t.Run(mode, func(t *testing.T) {
			w := newRealWorld(t, "postgres://"+s.Address()+"?"+mode, withPassword)
			c := w.client(ann, 0).lease()
			if c.query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()") != "t" {
				t.Error("not encrypted")
			}
			if n := len(c.query("SELECT repeat('jay', 500000)")); n != 1500000 {
				t.Errorf("length %d", n)
			}
			c.release()
			cancelSleep(w, w.client(ann, 1).lease())
		})
	}
	t.Run("contention", func(t *testing.T) {
		contend(t, "postgres://"+s.Address()+"?sslmode=require")
	})
	t.Run("unknown authority", func(t *testing.T) {
		ca := filepath.Join(t.TempDir(), "ca.crt")
		if err := os.WriteFile(ca, foreignAuthority(t), 0o600); err != nil {
			t.Fatal(err)
		}
		w := newRealWorld(t, "postgres://"+s.Address()+"?sslmode=verify-ca&sslrootcert="+ca, withPassword)
		var e x509.UnknownAuthorityError
		if err := w.client(ann, 0).fails(); !errors.As(err, &e) {
			t.Error(err)
		}
	})
}

// foreignAuthority makes a certificate that has signed nothing.
func foreignAuthority(t *testing.T) []byte {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "foreign"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
