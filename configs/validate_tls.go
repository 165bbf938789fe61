package configs

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"os"
	"strings"
)

var tlsModes = []string{"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}

// verifies reports whether a tls.mode asks for client certificates.
func verifies(mode string) bool { return strings.HasPrefix(mode, "verify-") }

func (c check) tls() {
	t := c.cfg.TLS
	if c.errs.under("tls.mode") || !c.oneOf("tls.mode", t.Mode, tlsModes) || t.Mode == "disable" {
		return
	}
	why := "tls.mode " + t.Mode + " needs it"
	cert := c.pem("tls.cert_file", t.CertFile, why, "the server certificate, with the chain below it")
	key := c.pem("tls.key_file", t.KeyFile, why, "its private key")
	if cert != nil && key != nil {
		c.pair(cert, key)
	}
	if t.CAFile == "" && !verifies(t.Mode) {
		return
	}
	ca := c.pem("tls.ca_file", t.CAFile, why, "the certificates that sign client certificates")
	if ca != nil && !x509.NewCertPool().AppendCertsFromPEM(ca) {
		c.wrong("tls.ca_file", "no certificate in this file", "give a PEM file with -----BEGIN CERTIFICATE-----")
	}
}

// pem reads the file that path names, or reports why it cannot and returns nil.
func (c check) pem(path, name, why, what string) []byte {
	if c.errs.under(path) {
		return nil
	}
	if name == "" {
		c.missing(path, "missing: "+why, "give the PEM file of "+what, "tls.mode")
		return nil
	}
	text, err := os.ReadFile(name)
	if err == nil {
		return append(text, '\n') // never nil, even if the file is empty
	}
	fix := "give the path of the PEM file; a relative one starts where pgjay was started"
	if errors.Is(err, fs.ErrPermission) {
		fix = "make it readable for the user pgjay runs as"
	}
	c.wrong(path, "cannot read "+c.quote(path, name)+": "+cause(err), fix)
	return nil
}

// pair checks that cert and key are what they should be and belong together.
func (c check) pair(cert, key []byte) {
	_, err := tls.X509KeyPair(cert, key)
	if err == nil {
		return
	}
	text := strings.TrimPrefix(err.Error(), "tls: ")
	switch {
	case strings.Contains(text, "does not match"):
		c.wrong("tls.key_file", "the key is not the one of the certificate in tls.cert_file", "give the key that the certificate was made with; if the files were renewed, renew both")
	case strings.Contains(text, "key") && !strings.Contains(text, "certificate input"):
		c.wrong("tls.key_file", text, "give a PEM file with an unencrypted private key")
	default:
		c.wrong("tls.cert_file", text, "give a PEM file with -----BEGIN CERTIFICATE-----")
	}
}
