package proxy

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/pgjay/pgjay/proxy/wire"
)

// Codes of the Authentication messages.
const (
	authMD5Password  = 5
	authSASL         = 10
	authSASLContinue = 11
	authSASLFinal    = 12
)

// proof is one way to prove who a client is: a conversation that the server
// begins.
type proof interface {
	first() (message []byte, done bool, err error)
	next(body []byte) (message []byte, done bool, err error)
}

// authConversation is one client's proof of identity. It does no I/O. A step
// may take a millisecond of CPU, so the session runs it in a goroutine; the
// steps of one conversation never overlap.
type authConversation struct {
	method AuthMethod
	creds  *credentials
	user   string
	client *tls.ConnectionState // nil without TLS
	server *x509.Certificate    // that the client saw; nil without TLS
	proof  proof                // from first on
}

// newAuthConversation begins nothing yet. client is what the TLS handshake
// found out about the client, nil without TLS; server is the certificate that
// was shown to it.
func newAuthConversation(method AuthMethod, creds *credentials, user string, client *tls.ConnectionState, server *x509.Certificate) *authConversation {
	return &authConversation{method: method, creds: creds, user: user, client: client, server: server}
}

// first returns the frames that ask the client for its proof, or done if there
// is nothing to ask. AuthenticationOk is left to the session.
func (a *authConversation) first() (message []byte, done bool, err error) {
	if a.proof = a.choose(); a.proof == nil {
		return nil, false, rejected("28000", "pgjay: no authentication method", "auth.method "+string(a.method)+" is unknown")
	}
	return a.proof.first()
}

// next takes the body of a 'p' message and returns the frames that answer it.
// body may be used by others once next has returned.
func (a *authConversation) next(body []byte) (message []byte, done bool, err error) {
	if a.proof == nil {
		return nil, false, violation("unexpected password response")
	}
	return a.proof.next(body)
}

// choose picks the proof by method, and under md5 by the user's secret too, as
// PostgreSQL does.
func (a *authConversation) choose() proof {
	switch a.method {
	case AuthTrust:
		return trustLogin{}
	case AuthCert:
		_, known := a.creds.find(a.user)
		return certLogin{user: a.user, known: known, client: a.client}
	case AuthMD5:
		cred, doomed := a.secret(secretPlain, secretMD5, secretSCRAM)
		if cred.kind != secretSCRAM {
			return &md5Login{user: a.user, cred: cred, doomed: doomed}
		}
		return a.newSCRAM(cred, doomed)
	case AuthSCRAM:
		return a.newSCRAM(a.secret(secretPlain, secretSCRAM))
	}
	return nil
}

func (a *authConversation) newSCRAM(cred *credential, doomed string) *scramLogin {
	return &scramLogin{user: a.user, cred: cred, doomed: doomed, binding: channelBinding(a.client, a.server)}
}

// secret returns what the proof is checked against, if it is of one of these
// kinds. Otherwise it returns a stranger's, and says why the login cannot
// succeed: for the log, the client must not be able to tell.
func (a *authConversation) secret(kinds ...secretKind) (cred *credential, doomed string) {
	cred, known := a.creds.find(a.user)
	if known {
		for _, kind := range kinds {
			if cred.kind == kind {
				return cred, ""
			}
		}
	}
	switch {
	case !known:
		doomed = "no such user in auth.users"
	case cred.kind == secretNone:
		doomed = "the user has no password in auth.users"
	default:
		doomed = "the user has only an md5 hash in auth.users, and auth.method is " + string(a.method)
	}
	return a.creds.strangers.get(a.user, a.creds.typical), doomed
}

// trustLogin asks for nothing.
type trustLogin struct{}

func (trustLogin) first() ([]byte, bool, error) { return nil, true, nil }

func (trustLogin) next([]byte) ([]byte, bool, error) {
	return nil, false, violation("unexpected password response")
}

// authError says that a client could not prove who it is. The reason is for the
// log: the client must not learn whether the user exists.
type authError struct {
	client *wire.Error
	reason string
}

// Error returns what the client is told.
func (e *authError) Error() string { return e.client.Error() }

// Unwrap returns what the client is told.
func (e *authError) Unwrap() error { return e.client }

// authReason returns what the log is told about a failed login.
func authReason(err error) string {
	var auth *authError
	if errors.As(err, &auth) {
		return auth.reason
	}
	var told *wire.Error
	switch {
	case !errors.As(err, &told):
		return err.Error()
	case told.Detail == "":
		return told.Message
	}
	return told.Message + ": " + told.Detail
}

func rejected(code, message, reason string) error {
	return &authError{client: &wire.Error{Severity: "FATAL", Code: code, Message: message}, reason: reason}
}

// wrongPassword is the error for every password that is not accepted, whatever
// the reason.
func wrongPassword(user, reason string) error {
	if reason == "" {
		reason = "wrong password"
	}
	return rejected("28P01", fmt.Sprintf("password authentication failed for user \"%s\"", user), reason)
}

// violation is the error for a message that the protocol does not allow here.
func violation(message string) error {
	return &wire.Error{Severity: "FATAL", Code: "08P01", Message: message}
}
