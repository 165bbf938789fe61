package proxy

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/xdg-go/scram"

	"github.com/pgjay/pgjay/proxy/wire"
)

// checkClientFirst checks the form of
//
//	client-first-message = gs2-header [reserved-mext ","] username "," nonce ["," extensions]
//	gs2-header           = ("n" / "y" / "p=" cb-name) "," [authzid] ","
//
// (RFC 5802, section 7) in the order and with the words of PostgreSQL's
// read_client_first_message. The user name is read and ignored.
func (l *scramLogin) checkClientFirst(text string) error {
	m, err := newSCRAMText(text)
	if err != nil {
		return err
	}
	// 1. The flag for channel binding agrees with the mechanism.
	if err := l.checkBindingFlag(&m); err != nil {
		return err
	}
	// 2. Nobody logs in for somebody else.
	if m.at() == 'a' {
		return scramError("0A000", "client uses authorization identity, but it is not supported", "")
	}
	if m.at() != ',' {
		return malformed(fmt.Sprintf("Unexpected attribute \"%s\" in client-first-message.", printable(m.at())))
	}
	m.rest = m.rest[1:]
	// 3. No extension is mandatory.
	if m.at() == 'm' {
		return scramError("0A000", "client requires an unsupported SCRAM extension", "")
	}
	// 4. The user name and a nonce.
	if _, err := m.value('n'); err != nil {
		return err
	}
	nonce, err := m.value('r')
	if err != nil {
		return err
	}
	if strings.ContainsFunc(nonce, func(r rune) bool { return r < '!' || r > '~' }) {
		return scramError("08P01", "non-printable characters in SCRAM nonce", "")
	}
	// 5. Other extensions are ignored.
	for m.rest != "" {
		if _, _, err := m.any(); err != nil {
			return err
		}
	}
	return nil
}

// checkBindingFlag reads the gs2-cbind-flag and its comma.
func (l *scramLogin) checkBindingFlag(m *scramText) error {
	flag := m.at()
	switch flag {
	case 'n', 'y':
		if l.plus {
			return malformed("The client selected SCRAM-SHA-256-PLUS, but the SCRAM message does not include channel binding data.")
		}
		if flag == 'y' && l.binding.IsSupported() {
			// Somebody in between has taken it out of the offer.
			return scramError("28000", "SCRAM channel binding negotiation error",
				"The client supports SCRAM channel binding but thinks the server does not.  "+
					"However, this server does support channel binding.")
		}
		m.rest = m.rest[1:]
		if m.at() != ',' {
			return malformed(fmt.Sprintf("Comma expected, but found character \"%s\".", printable(m.at())))
		}
		m.rest = m.rest[1:]
		return nil
	case 'p':
		return l.checkBindingType(m)
	}
	return malformed(fmt.Sprintf("Unexpected channel-binding flag \"%s\".", printable(flag)))
}

func (l *scramLogin) checkBindingType(m *scramText) error {
	if !l.plus {
		return malformed("The client selected SCRAM-SHA-256 without channel binding, but the SCRAM message includes channel binding data.")
	}
	kind, err := m.value('p')
	if err != nil {
		return err
	}
	if kind != string(scram.ChannelBindingTLSServerEndpoint) {
		return scramError("08P01", fmt.Sprintf("unsupported SCRAM channel-binding type \"%s\"", sanitize(kind)), "")
	}
	return nil
}

// checkClientFinal checks the form of
//
//	client-final-message = channel-binding "," nonce ["," extensions] "," proof
//
// as PostgreSQL's read_client_final_message does. What the values are is
// checked by package scram.
func checkClientFinal(text string) error {
	m, err := newSCRAMText(text)
	if err != nil {
		return err
	}
	if _, err := m.value('c'); err != nil {
		return err
	}
	if _, err := m.value('r'); err != nil {
		return err
	}
	var attribute byte
	var value string
	for attribute != 'p' {
		if attribute, value, err = m.any(); err != nil {
			return err
		}
	}
	if proof, err := base64.StdEncoding.DecodeString(value); err != nil || len(proof) != sha256.Size {
		return malformed("Malformed proof in client-final-message.")
	}
	if m.rest != "" {
		return malformed("Garbage found at the end of client-final-message.")
	}
	return nil
}

// scramText reads a SCRAM message attribute by attribute.
type scramText struct{ rest string }

func newSCRAMText(text string) (scramText, error) {
	switch {
	case text == "":
		return scramText{}, malformed("The message is empty.")
	case strings.Contains(text, "\x00"):
		return scramText{}, malformed("Message length does not match input length.")
	}
	return scramText{text}, nil
}

// at returns the next character, 0 at the end.
func (m *scramText) at() byte {
	if m.rest == "" {
		return 0
	}
	return m.rest[0]
}

// value reads the attribute of this name and the comma after it.
func (m *scramText) value(attribute byte) (string, error) {
	if m.at() != attribute {
		return "", malformed(fmt.Sprintf("Expected attribute \"%c\" but found \"%s\".", attribute, printable(m.at())))
	}
	_, value, err := m.any()
	return value, err
}

// any reads an attribute and the comma after it.
func (m *scramText) any() (attribute byte, value string, err error) {
	attribute = m.at()
	if attribute == 0 {
		return 0, "", malformed("Attribute expected, but found end of string.")
	}
	if lower := attribute | 0x20; lower < 'a' || lower > 'z' {
		return 0, "", malformed(fmt.Sprintf("Attribute expected, but found invalid character \"%s\".", printable(attribute)))
	}
	rest, ok := strings.CutPrefix(m.rest[1:], "=")
	if !ok {
		return 0, "", malformed(fmt.Sprintf("Expected character \"=\" for attribute \"%c\".", attribute))
	}
	value, m.rest, _ = strings.Cut(rest, ",")
	return attribute, value, nil
}

// malformed is the error for a message that does not follow the grammar.
func malformed(detail string) error { return scramError("08P01", "malformed SCRAM message", detail) }

func scramError(code, message, detail string) error {
	return &wire.Error{Severity: "FATAL", Code: code, Message: message, Detail: detail}
}

// printable shows one byte of a client that is not known yet: anything but
// ASCII could be in whatever encoding.
func printable(c byte) string {
	if c >= '!' && c <= '~' {
		return "'" + string(c) + "'"
	}
	return fmt.Sprintf("0x%02x", c)
}

// sanitize shows at most 30 bytes of such a client.
func sanitize(s string) string {
	b := []byte(s[:min(len(s), 30)])
	for i, c := range b {
		if c < '!' || c > '~' {
			b[i] = '?'
		}
	}
	return string(b)
}
