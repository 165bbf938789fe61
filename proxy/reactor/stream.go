package reactor

import (
	"net"
	"time"
)

// Stream is a net.Conn with two lives. First it blocks, as every net.Conn, for
// a login or a TLS handshake in a goroutine. When a loop has taken it over it
// never blocks: Read returns what the loop has read, or a temporary error,
// which crypto/tls passes up without giving up the connection (conn.go,
// readRecordOrCCS); Write collects.
type Stream struct {
	nc   net.Conn
	pre  []byte // to be read before anything from nc
	conn *Conn  // the second life
	in   []byte // ciphertext that was read and not yet taken
}

// NewStream wraps nc for a blocking phase.
func NewStream(nc net.Conn) *Stream { return &Stream{nc: nc} }

// errDry is the temporary error of a Stream on a loop with nothing to read.
var errDry net.Error = dryError{}

type dryError struct{}

func (dryError) Error() string   { return "reactor: nothing to read now" }
func (dryError) Timeout() bool   { return true }
func (dryError) Temporary() bool { return true }

// Read implements net.Conn.
func (s *Stream) Read(p []byte) (int, error) {
	if s.conn != nil {
		if len(s.in) == 0 {
			return 0, errDry
		}
		n := copy(p, s.in)
		s.in = s.in[n:]
		return n, nil
	}
	if len(s.pre) > 0 {
		n := copy(p, s.pre)
		s.pre = s.pre[n:]
		return n, nil
	}
	return s.nc.Read(p)
}

// Write implements net.Conn.
func (s *Stream) Write(p []byte) (int, error) {
	if s.conn != nil {
		if s.conn.is(stClosed) {
			return 0, net.ErrClosed
		}
		s.conn.writeRaw(p)
		return len(p), nil
	}
	return s.nc.Write(p)
}

// Close implements net.Conn. On a loop it does nothing: the Conn closes.
func (s *Stream) Close() error {
	if s.conn != nil {
		return nil
	}
	return s.nc.Close()
}

// LocalAddr implements net.Conn.
func (s *Stream) LocalAddr() net.Addr { return s.nc.LocalAddr() }

// RemoteAddr implements net.Conn.
func (s *Stream) RemoteAddr() net.Addr { return s.nc.RemoteAddr() }

// SetDeadline implements net.Conn. On a loop there are no deadlines.
func (s *Stream) SetDeadline(t time.Time) error {
	if s.conn != nil {
		return nil
	}
	return s.nc.SetDeadline(t)
}

// SetReadDeadline implements net.Conn.
func (s *Stream) SetReadDeadline(t time.Time) error {
	if s.conn != nil {
		return nil
	}
	return s.nc.SetReadDeadline(t)
}

// SetWriteDeadline implements net.Conn.
func (s *Stream) SetWriteDeadline(t time.Time) error {
	if s.conn != nil {
		return nil
	}
	return s.nc.SetWriteDeadline(t)
}
