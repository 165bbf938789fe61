package proxy

import (
	"crypto/tls"
	"crypto/x509/pkix"
	"fmt"
)

// certLogin takes the client certificate of the TLS handshake for the proof.
type certLogin struct {
	user   string
	known  bool                 // the user is in auth.users
	client *tls.ConnectionState // nil without TLS
}

func (l certLogin) first() (message []byte, done bool, err error) {
	if l.client == nil || len(l.client.VerifiedChains) == 0 {
		return nil, false, rejected("28000", "connection requires a valid client certificate", "no verified client certificate")
	}
	if reason := l.mismatch(); reason != "" {
		return nil, false, rejected("28000", fmt.Sprintf("certificate authentication failed for user \"%s\"", l.user), reason)
	}
	return nil, true, nil
}

func (l certLogin) next([]byte) ([]byte, bool, error) {
	return nil, false, violation("unexpected password response")
}

// mismatch says why the certificate does not prove that the client is the user;
// it is empty if it does.
func (l certLogin) mismatch() string {
	name, ok := commonName(l.client.VerifiedChains[0][0].Subject)
	switch {
	case !ok:
		return "the client certificate has no common name"
	case name != l.user:
		return fmt.Sprintf("the client certificate is for %q", name)
	case !l.known:
		return "no such user in auth.users"
	}
	return ""
}

// commonName returns the first common name, as OpenSSL and so PostgreSQL do
// (Subject.CommonName is the last).
func commonName(subject pkix.Name) (name string, ok bool) {
	for _, attribute := range subject.Names {
		if attribute.Type.String() == "2.5.4.3" {
			name, ok = attribute.Value.(string)
			return name, ok
		}
	}
	return "", false
}
