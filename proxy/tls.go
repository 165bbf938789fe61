package proxy

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// alpnProtocol is the name that PostgreSQL 17 and its clients negotiate.
const alpnProtocol = "postgresql"

// tlsSettings is an immutable snapshot of the TLS files towards clients,
// replaced as a whole by a reload. Nil means that TLS is switched off.
type tlsSettings struct {
	config   *tls.Config
	required bool              // refuse clients without TLS
	leaf     *x509.Certificate // the server certificate
}

// certificate returns the certificate that clients are shown; nil without TLS.
func (s *tlsSettings) certificate() *x509.Certificate {
	if s == nil {
		return nil
	}
	return s.leaf
}

// loadTLS reads the files. It returns nil if the mode is disable.
func loadTLS(cfg TLSConfig) (*tlsSettings, error) {
	s := &tlsSettings{}
	verify := false
	switch cfg.Mode {
	case "", "disable":
		return nil, nil
	case "allow", "prefer":
	case "require":
		s.required = true
	case "verify-ca", "verify-full":
		s.required, verify = true, true
	default:
		return nil, fmt.Errorf("tls.mode %q is unknown; choose disable, allow, prefer, require, verify-ca or verify-full", cfg.Mode)
	}
	pair, err := loadPair(cfg)
	if err != nil {
		return nil, err
	}
	s.leaf = pair.Leaf
	s.config = &tls.Config{
		Certificates: []tls.Certificate{pair},
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{alpnProtocol},
	}
	if !verify {
		return s, nil
	}
	s.config.ClientAuth = tls.RequireAndVerifyClientCert
	if s.config.ClientCAs, err = loadCAs(cfg); err != nil {
		return nil, err
	}
	return s, nil
}

func loadPair(cfg TLSConfig) (pair tls.Certificate, err error) {
	cert, err := readPEM("tls.cert_file", cfg.CertFile, "the server certificate")
	if err != nil {
		return pair, err
	}
	key, err := readPEM("tls.key_file", cfg.KeyFile, "the server certificate's private key")
	if err != nil {
		return pair, err
	}
	if pair, err = tls.X509KeyPair(cert, key); err != nil {
		return pair, fmt.Errorf("tls.cert_file %s and tls.key_file %s: %w; give a certificate and the unencrypted private key it was made with, both in PEM",
			cfg.CertFile, cfg.KeyFile, err)
	}
	if pair.Leaf == nil { // GODEBUG x509keypairleaf=0
		pair.Leaf, err = x509.ParseCertificate(pair.Certificate[0])
	}
	return pair, err
}

func loadCAs(cfg TLSConfig) (*x509.CertPool, error) {
	text, err := readPEM("tls.ca_file", cfg.CAFile, "the certificates that sign client certificates")
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("tls.ca_file %s: no certificate in this file; give a PEM file with -----BEGIN CERTIFICATE-----", cfg.CAFile)
	}
	return pool, nil
}

func readPEM(setting, name, what string) ([]byte, error) {
	if name == "" {
		return nil, fmt.Errorf("%s is missing; give the PEM file of %s", setting, what)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; give the PEM file of %s, readable for the user pgjay runs as", setting, err, what)
	}
	return text, nil
}

// requireALPN checks a client that spoke TLS from the first byte: it must have
// negotiated PostgreSQL's protocol, or a server of another protocol could be
// made to take it for its own client.
func requireALPN(client *tls.ConnectionState) error {
	if client == nil {
		return errors.New("no TLS")
	}
	if client.NegotiatedProtocol != alpnProtocol {
		return violation("received direct SSL connection request without ALPN protocol negotiation extension")
	}
	return nil
}
