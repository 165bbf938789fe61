package wire

import (
	"encoding/binary"
	"strconv"
	"strings"
)

// Request codes in the place of a protocol version.
const (
	cancelRequestCode = 80877102
	sslRequestCode    = 80877103
	gssRequestCode    = 80877104
)

// Protocol versions as in StartupMessage: major << 16 | minor.
const (
	Version30 = 3 << 16
	Version32 = 3<<16 | 2
)

// StartupKind says which of the packets without a type byte it is.
type StartupKind uint8

// The start-up packets.
const (
	StartupMessage StartupKind = iota
	SSLRequest
	GSSENCRequest
	CancelRequest
)

// Param is one name and value of a StartupMessage.
type Param struct{ Name, Value string }

// Startup is a start-up packet, copied out of the wire bytes.
type Startup struct {
	Kind    StartupKind
	Version uint32  // StartupMessage: as the client asked
	Params  []Param // StartupMessage: in order, the _pq_. options left out
	Options []string
	PID     uint32 // CancelRequest
	Secret  []byte // CancelRequest
}

// StartupLen returns the length of the start-up packet that p begins with. ok
// is false while p is shorter than its length field. It returns -1 for a
// length that no start-up packet has or that is above max.
func StartupLen(p []byte, max int) (n int, ok bool) {
	if len(p) < 4 {
		return 0, false
	}
	l := binary.BigEndian.Uint32(p)
	if l < 8 || l > uint32(max) {
		return -1, true
	}
	return int(l), true
}

// ParseStartup reads a whole start-up packet.
func ParseStartup(p []byte) (*Startup, error) {
	code := binary.BigEndian.Uint32(p[4:])
	body := p[8:]
	switch code {
	case sslRequestCode, gssRequestCode:
		if len(body) != 0 {
			return nil, protocolError("invalid length of startup packet")
		}
		if code == sslRequestCode {
			return &Startup{Kind: SSLRequest}, nil
		}
		return &Startup{Kind: GSSENCRequest}, nil
	case cancelRequestCode:
		return parseCancel(body)
	}
	return parseStartupMessage(code, body)
}

func parseCancel(body []byte) (*Startup, error) {
	if len(body) < 8 || len(body) > 4+256 {
		return nil, protocolError("invalid length of cancel request")
	}
	return &Startup{
		Kind:   CancelRequest,
		PID:    binary.BigEndian.Uint32(body),
		Secret: append([]byte(nil), body[4:]...),
	}, nil
}

func parseStartupMessage(version uint32, body []byte) (*Startup, error) {
	if version>>16 != 3 {
		return nil, &Error{Severity: "FATAL", Code: "0A000", Message: "unsupported frontend protocol " +
			strconv.Itoa(int(version>>16)) + "." + strconv.Itoa(int(version&0xffff)) + ": server supports 3.0 to 3.2"}
	}
	s := &Startup{Version: version}
	for {
		name, rest, ok := CString(body)
		if !ok {
			return nil, protocolError("invalid startup packet layout: expected terminator as last byte")
		}
		if len(name) == 0 {
			if len(rest) != 0 {
				return nil, protocolError("invalid startup packet layout: expected terminator as last byte")
			}
			return s, nil
		}
		value, rest, ok := CString(rest)
		if !ok {
			return nil, protocolError("invalid startup packet layout: expected terminator as last byte")
		}
		if strings.HasPrefix(string(name), "_pq_.") {
			s.Options = append(s.Options, string(name))
		} else {
			s.Params = append(s.Params, Param{Name: string(name), Value: string(value)})
		}
		body = rest
	}
}

// Get returns the last value given for a parameter.
func (s *Startup) Get(name string) (value string, ok bool) {
	for _, p := range s.Params {
		if p.Name == name {
			value, ok = p.Value, true
		}
	}
	return value, ok
}

func protocolError(message string) *Error {
	return &Error{Severity: "FATAL", Code: "08P01", Message: message}
}
