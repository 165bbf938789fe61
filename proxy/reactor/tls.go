package reactor

import (
	"crypto/tls"
	"errors"
	"io"
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

// tlsLink is the encryption of a Conn.
type tlsLink struct {
	conn   *tls.Conn
	stream *Stream
	owned  bool // stream.in is our memory, not the loop's scratch
}

// feed decrypts ciphertext and hands the plain bytes to the handler.
func (t *tlsLink) feed(c *Conn, l *Loop, ciphertext []byte) {
	t.stream.in, t.owned = ciphertext, false
	t.drain(c, l)
}

// drain decrypts as long as there is something and somebody wants it. When the
// handler has been called, c may be another loop's: so all that is there is
// decrypted first, and the Gate is asked before anything else is done.
func (t *tlsLink) drain(c *Conn, l *Loop) {
	if l.plain == nil {
		l.plain = make([]byte, scratchSize)
	}
	for !c.is(stClosed | stPaused) {
		n, err := t.fill(l.plain)
		dry := errors.Is(err, errDry)
		if dry {
			t.stream.in = nil
		} else {
			t.keep()
		}
		gate := c.gate
		if n > 0 {
			c.handler.Data(l.plain[:n])
			if dry || gate != nil && !gate.Enter(l) {
				return
			}
		}
		if dry || c.is(stClosed) {
			return
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = io.EOF
			}
			c.fail(err)
			return
		}
	}
	t.keep()
}

// fill decrypts until p is full, or nothing is left, or an error.
func (t *tlsLink) fill(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var m int
		m, err = t.conn.Read(p[n:])
		n += m
	}
	return n, err
}

// keep copies ciphertext that is in the loop's memory.
func (t *tlsLink) keep() {
	if !t.owned && len(t.stream.in) > 0 {
		t.stream.in, t.owned = append([]byte(nil), t.stream.in...), true
	}
}

// readSoon has the bytes that were read already handled when the event is over.
func (c *Conn) readSoon() {
	if !c.is(stAgain) {
		l := c.loop.Load()
		c.state |= stAgain
		l.again = append(l.again, c)
	}
}

// readAgain handles bytes that were read already.
func (c *Conn) readAgain(l *Loop) {
	c.state &^= stAgain
	if c.loop.Load() != l || c.is(stClosed) || c.gate != nil && !c.gate.Enter(l) {
		return
	}
	c.tls.drain(c, l)
}

// Attach puts a socket on the loop: a *net.TCPConn, a *net.UnixConn, what Serve
// has accepted, a *Stream, or a *tls.Conn over a *Stream whose handshake is
// done. It is the loop's from then on, also if Attach fails. No event comes
// before Attach has returned.
func (l *Loop) Attach(nc net.Conn, h Handler) (*Conn, error) {
	c := &Conn{handler: h}
	c.gate, _ = h.(Gate)
	c.loop.Store(l)
	raw := nc
	if encrypted, ok := nc.(*tls.Conn); ok {
		raw = encrypted.NetConn()
		stream, ok := raw.(*Stream)
		if !ok {
			_ = nc.Close()
			return nil, errors.New("reactor: TLS over something else than a Stream")
		}
		c.tls = &tlsLink{conn: encrypted, stream: stream, owned: true}
	}
	var pre []byte
	if stream, ok := raw.(*Stream); ok {
		raw, pre = stream.nc, stream.pre
	}
	if err := l.adopt(c, raw); err != nil {
		_ = raw.Close()
		return nil, err
	}
	l.conns.Add(1)
	if c.tls != nil {
		c.tls.stream.conn, c.tls.stream.in, c.tls.stream.pre = c, pre, nil
		c.readSoon() // what came with the handshake is inside crypto/tls
		c.markDirty(l)
	}
	return c, nil
}

// Detach takes c off its loop, for a TLS handshake in a goroutine. already has
// bytes that were read and must be read again. No event follows. If the socket
// is broken the Stream's methods say so.
func (c *Conn) Detach(already []byte) *Stream {
	l := c.loop.Load()
	c.state |= stClosed
	l.conns.Add(-1)
	nc, err := c.sock.detach(c)
	if err != nil {
		nc = brokenConn{err}
	}
	return &Stream{nc: nc, pre: append([]byte(nil), already...)}
}

// brokenConn is a net.Conn that has failed.
type brokenConn struct{ err error }

func (b brokenConn) Read([]byte) (int, error)         { return 0, b.err }
func (b brokenConn) Write([]byte) (int, error)        { return 0, b.err }
func (b brokenConn) Close() error                     { return nil }
func (b brokenConn) LocalAddr() net.Addr              { return nil }
func (b brokenConn) RemoteAddr() net.Addr             { return nil }
func (b brokenConn) SetDeadline(time.Time) error      { return nil }
func (b brokenConn) SetReadDeadline(time.Time) error  { return nil }
func (b brokenConn) SetWriteDeadline(time.Time) error { return nil }
