package proxy

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"

	"github.com/xdg-go/scram"

	"github.com/pgjay/pgjay/proxy/wire"
)

// The SASL mechanisms.
const (
	mechanismSCRAM     = "SCRAM-SHA-256"
	mechanismSCRAMPlus = "SCRAM-SHA-256-PLUS"
)

// maxSASLMessage is the longest body that PostgreSQL reads
// (PG_MAX_SASL_MESSAGE_LENGTH, which counts the length field).
const maxSASLMessage = 1024 - 4

// scramLogin is a SCRAM-SHA-256 conversation, with or without channel binding.
// What the client's messages look like is checked here, in PostgreSQL's words;
// the cryptography and its order are package scram's.
type scramLogin struct {
	user    string
	cred    *credential
	doomed  string               // why the login cannot succeed; empty if it can
	binding scram.ChannelBinding // none: SCRAM-SHA-256-PLUS is not offered

	plus         bool // the client chose SCRAM-SHA-256-PLUS
	conversation *scram.ServerConversation
	// step handles the client's next message.
	step func(body []byte) (message []byte, done bool, err error)
}

// channelBinding returns the hash of the server certificate that ties a proof
// to this TLS connection (RFC 5929, tls-server-end-point). There is none without
// TLS, or for a certificate whose signature has no hash of its own (Ed25519):
// then the channel-binding mechanism is not offered.
func channelBinding(client *tls.ConnectionState, server *x509.Certificate) scram.ChannelBinding {
	if client == nil || server == nil {
		return scram.ChannelBinding{}
	}
	// The library looks at it from the client's side, where the server is
	// the peer.
	seen := tls.ConnectionState{PeerCertificates: []*x509.Certificate{server}}
	binding, err := scram.NewTLSServerEndpointBinding(&seen)
	if err != nil {
		return scram.ChannelBinding{}
	}
	return binding
}

func (l *scramLogin) first() (message []byte, done bool, err error) {
	l.step = l.initialResponse
	offer := mechanismSCRAM + "\x00\x00"
	if l.binding.IsSupported() {
		offer = mechanismSCRAMPlus + "\x00" + offer
	}
	return wire.AppendAuthentication(nil, authSASL, []byte(offer)), false, nil
}

func (l *scramLogin) next(body []byte) (message []byte, done bool, err error) {
	if len(body) > maxSASLMessage {
		return nil, false, violation("invalid message length")
	}
	return l.step(body)
}

// initialResponse handles a SASLInitialResponse: the mechanism and, as a rule,
// the first message of the conversation.
func (l *scramLogin) initialResponse(body []byte) (message []byte, done bool, err error) {
	mechanism, rest, ok := wire.CString(body)
	if !ok {
		return nil, false, violation("invalid string in message")
	}
	l.plus = string(mechanism) == mechanismSCRAMPlus && l.binding.IsSupported()
	if !l.plus && string(mechanism) != mechanismSCRAM {
		return nil, false, violation("client selected an invalid SASL authentication mechanism")
	}
	if len(rest) < 4 {
		return nil, false, violation("insufficient data left in message")
	}
	n, rest := int32(binary.BigEndian.Uint32(rest)), rest[4:]
	switch {
	case n < -1 || int(n) > len(rest):
		return nil, false, violation("insufficient data left in message")
	case n == -1 && len(rest) > 0 || n >= 0 && int(n) < len(rest):
		return nil, false, violation("invalid message format")
	}
	l.step = l.clientFirst
	if n == -1 {
		return wire.AppendAuthentication(nil, authSASLContinue, nil), false, nil
	}
	return l.clientFirst(rest)
}

// clientFirst handles client-first-message.
func (l *scramLogin) clientFirst(body []byte) (message []byte, done bool, err error) {
	text := string(body)
	if err := l.checkClientFirst(text); err != nil {
		return nil, false, err
	}
	keys, err := l.cred.keys()
	if err != nil {
		return nil, false, rejected("XX000", "pgjay: internal error in authentication", "no SCRAM keys: "+err.Error())
	}
	if err := l.begin(keys); err != nil {
		return nil, false, err
	}
	reply, err := l.conversation.Step(text)
	if err != nil {
		// All that is left after the checks: a user name with an "=" that
		// begins neither "=2C" nor "=3D".
		return nil, false, malformed("The user name in client-first-message is not encoded as RFC 5802 says.")
	}
	l.step = l.clientFinal
	return wire.AppendAuthentication(nil, authSASLContinue, []byte(reply)), false, nil
}

// begin makes the conversation. The user name in the SCRAM messages is ignored,
// as PostgreSQL does: the StartupMessage has said who wants to log in.
func (l *scramLogin) begin(keys scram.StoredCredentials) error {
	server, err := scram.SHA256.NewServer(func(string) (scram.StoredCredentials, error) { return keys, nil })
	if err != nil {
		return rejected("XX000", "pgjay: internal error in authentication", err.Error())
	}
	if l.plus {
		l.conversation = server.NewConversationWithChannelBindingRequired(l.binding)
	} else {
		l.conversation = server.NewConversation()
	}
	return nil
}

// clientFinal handles client-final-message.
func (l *scramLogin) clientFinal(body []byte) (message []byte, done bool, err error) {
	l.step = l.over
	text := string(body)
	if err := checkClientFinal(text); err != nil {
		return nil, false, err
	}
	reply, err := l.conversation.Step(text)
	if err != nil {
		return nil, false, l.finalError(reply)
	}
	if l.doomed != "" || !l.conversation.Valid() {
		return nil, false, wrongPassword(l.user, l.doomed)
	}
	return wire.AppendAuthentication(nil, authSASLFinal, []byte(reply)), true, nil
}

// finalError says in PostgreSQL's words what the library found wrong.
func (l *scramLogin) finalError(found string) error {
	switch {
	case found == scram.ErrChannelBindingsDontMatch && l.plus:
		return rejected("28000", "SCRAM channel binding check failed", "SCRAM channel binding check failed")
	case found == scram.ErrOtherError: // the proof has the right length, so:
		return scramError("08P01", "invalid SCRAM response", "Nonce does not match.")
	case found == scram.ErrInvalidProof:
		return wrongPassword(l.user, l.doomed)
	}
	return violation("unexpected SCRAM channel-binding attribute in client-final-message")
}

// over refuses what comes after the end.
func (l *scramLogin) over([]byte) ([]byte, bool, error) {
	return nil, false, violation("unexpected SASL response")
}
