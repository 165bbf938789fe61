package proxy

import (
	"crypto/tls"

	"github.com/pgjay/pgjay/proxy/reactor"
	"github.com/pgjay/pgjay/proxy/wire"
)

// tlsRecord is the first byte of a TLS handshake: a client that speaks TLS
// from the first byte (PostgreSQL 17's sslnegotiation=direct).
const tlsRecord = 0x16

// login is what a session needs until it is ready.
type login struct {
	address   string       // of the client, without the port; empty for a unix socket
	requests  int          // SSLRequests and GSSENCRequests so far
	direct    bool         // TLS from the first byte
	offer     *tlsSettings // what the TLS handshake is done with; nil: none was
	tls       *tls.ConnectionState
	startup   *wire.Startup
	user      string
	auth      *authConversation
	asked     int64  // when the proof of identity began
	refusal   error  // what is wrong with the start-up parameters
	replicate string // value of the parameter replication
}

// maxRequests bounds how often a client may ask for encryption.
const maxRequests = 4

// startupPacket handles the packets before authentication and returns how many
// bytes of p it took.
func (s *session) startupPacket(p []byte) int {
	if p[0] == tlsRecord && s.login.tls == nil && s.login.requests == 0 {
		return s.directTLS(p)
	}
	n, ok := wire.StartupLen(p, s.settings().limits.MaxStartupPacket)
	if ok && n < 0 {
		s.fail(&wire.Error{Code: "08P01", Message: "invalid length of startup packet"})
	}
	if !ok || n < 0 || n > len(p) {
		return 0
	}
	packet, err := wire.ParseStartup(p[:n])
	if err != nil {
		s.fail(startupError(err))
		return 0
	}
	return s.handleStartup(packet, p, n)
}

func (s *session) handleStartup(packet *wire.Startup, p []byte, n int) int {
	switch packet.Kind {
	case wire.CancelRequest:
		s.forwardCancel(packet.PID, packet.Secret)
	case wire.StartupMessage:
		s.beginLogin(packet)
	case wire.SSLRequest, wire.GSSENCRequest:
		return s.encryptionRequest(packet.Kind, p, n)
	}
	return n
}

// encryptionRequest answers an SSLRequest or GSSENCRequest.
func (s *session) encryptionRequest(kind wire.StartupKind, p []byte, n int) int {
	if s.login.requests++; s.login.requests > maxRequests {
		s.fail(&wire.Error{Code: "08P01", Message: "too many encryption requests"})
		return 0
	}
	offer := s.settings().tls
	if kind == wire.GSSENCRequest || s.login.tls != nil || offer == nil || s.login.address == "" {
		s.toClient([]byte{'N'})
		return n
	}
	// Whatever follows the request was sent in the clear, by the client or by
	// somebody in between, and must not be taken as encrypted (CVE-2021-23214).
	if len(p) > n {
		s.fail(&wire.Error{Code: "08P01", Message: "received unencrypted data after SSL request"})
		return 0
	}
	s.toClient([]byte{'S'})
	s.beginTLS(offer, nil)
	return n
}

// directTLS begins TLS with the bytes that have come already.
func (s *session) directTLS(p []byte) int {
	offer := s.settings().tls
	if offer == nil || s.login.address == "" {
		s.fail(&wire.Error{Code: "08P01", Message: "pgjay: TLS is not switched on",
			Hint: "Set tls.mode, or connect with sslmode=disable."})
		return 0
	}
	s.login.direct = true
	s.beginTLS(offer, p)
	return len(p)
}

// beginTLS begins the handshake. What it offers holds for this client to the
// end of its login, whatever a reload brings meanwhile.
func (s *session) beginTLS(offer *tlsSettings, already []byte) {
	s.login.offer = offer
	s.setState(stateTLS)
	s.upgrade(s, already)
}

// encrypted continues a login when the TLS handshake is done.
func (s *session) encrypted(conn clientConn) {
	s.client.conn = conn
	if s.login.direct {
		if err := requireALPN(s.login.tls); err != nil {
			s.fail(startupError(err))
		}
	}
}

// handshakeFailed ends a session whose TLS handshake failed: there is nobody
// to talk to.
func (s *session) handshakeFailed(err error) {
	s.log.Info("TLS handshake failed", "client", s.login.address, "error", err)
	s.monitor.ClientRejected("tls")
	s.client.conn = closedConn{}
	s.leave(closedByError)
}

// closedConn stands for a client whose socket is closed.
type closedConn struct{}

func (closedConn) Write([]byte)       {}
func (closedConn) Buffered() int      { return 0 }
func (closedConn) Pause()             {}
func (closedConn) Resume()            {}
func (closedConn) CloseAfterFlush()   {}
func (closedConn) Move(*reactor.Loop) {}
func (closedConn) Spool()             {}
func (closedConn) Spooling() bool     { return false }
