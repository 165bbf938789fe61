package wire

import "encoding/binary"

// HeaderLen is the length of a frame's type byte and length field.
const HeaderLen = 5

// Frontend message types (sent by the client).
const (
	Bind         = 'B'
	Close        = 'C'
	CopyData     = 'd'
	CopyDone     = 'c'
	CopyFail     = 'f'
	Describe     = 'D'
	Execute      = 'E'
	Flush        = 'H'
	FunctionCall = 'F'
	Parse        = 'P'
	Password     = 'p' // PasswordMessage, SASLInitialResponse, SASLResponse, GSSResponse
	Query        = 'Q'
	Sync         = 'S'
	Terminate    = 'X'
)

// Backend message types (sent by PostgreSQL). CopyData and CopyDone are shared
// with the frontend.
const (
	Authentication       = 'R'
	BackendKeyData       = 'K'
	BindComplete         = '2'
	CloseComplete        = '3'
	CommandComplete      = 'C'
	CopyInResponse       = 'G'
	CopyOutResponse      = 'H'
	CopyBothResponse     = 'W'
	DataRow              = 'D'
	EmptyQueryResponse   = 'I'
	ErrorResponse        = 'E'
	FunctionCallResponse = 'V'
	NegotiateVersion     = 'v'
	NoData               = 'n'
	NoticeResponse       = 'N'
	NotificationResponse = 'A'
	ParameterDescription = 't'
	ParameterStatus      = 'S'
	ParseComplete        = '1'
	PortalSuspended      = 's'
	ReadyForQuery        = 'Z'
	RowDescription       = 'T'
)

// Transaction status bytes of ReadyForQuery.
const (
	StatusIdle        = 'I'
	StatusTransaction = 'T'
	StatusError       = 'E'
)

// FrameLen returns the whole length (type byte included) of the frame that p
// begins with. ok is false while p is shorter than a header. A length field
// below four is returned as -1: the stream is garbage from here on.
func FrameLen(p []byte) (n int, ok bool) {
	if len(p) < HeaderLen {
		return 0, false
	}
	l := binary.BigEndian.Uint32(p[1:5])
	if l < 4 || l > 1<<30+1<<20 {
		return -1, true
	}
	return int(l) + 1, true
}

// IsFrontend reports whether t is a message type a client may send after
// start-up.
func IsFrontend(t byte) bool { return frontendTypes[t] }

// IsBackend reports whether t is a message type PostgreSQL may send after
// start-up.
func IsBackend(t byte) bool { return backendTypes[t] }

var (
	frontendTypes = typeSet("BCcdDEFfHPpQSX")
	backendTypes  = typeSet("RK23CGHWdcDIEVvnNAtS1sZT")
)

func typeSet(s string) (set [256]bool) {
	for i := range len(s) {
		set[s[i]] = true
	}
	return set
}

// CString splits p at its first NUL. ok is false if there is none.
func CString(p []byte) (s, rest []byte, ok bool) {
	for i, c := range p {
		if c == 0 {
			return p[:i], p[i+1:], true
		}
	}
	return nil, p, false
}
