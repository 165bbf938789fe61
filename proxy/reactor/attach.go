package reactor

import (
	"bytes"
	"crypto/tls"
	"errors"
	"net"
	"time"
)

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
		c.tls = &tlsLink{conn: encrypted, stream: stream, owned: true, more: true}
	}
	var pre []byte
	if stream, ok := raw.(*Stream); ok {
		raw, pre = stream.nc, stream.pre
	}
	if c.tls == nil && len(pre) > 0 {
		_ = raw.Close()
		return nil, errors.New("reactor: a Stream with bytes that nobody has read")
	}
	if err := l.adopt(c, raw); err != nil {
		_ = raw.Close()
		return nil, err
	}
	l.conns.Add(1)
	if c.tls != nil {
		c.tls.stream.conn, c.tls.stream.in, c.tls.stream.pre = c, pre, nil
		c.readSoon() // what came with the handshake is inside crypto/tls
	}
	return c, nil
}

// Detach takes c, which is not encrypted, off its loop, for a TLS handshake in a
// goroutine. It sends what it can without waiting. already has bytes that were
// read and must be read again. No event follows. If the socket is broken the
// Stream's methods say so.
func (c *Conn) Detach(already []byte) *Stream {
	l := c.loop.Load()
	c.Flush()
	c.dropOut()
	c.dropBacklog()
	c.state |= stClosed
	l.conns.Add(-1)
	nc, unread, err := c.sock.detach(c)
	if err != nil {
		nc = brokenConn{err}
	}
	return &Stream{nc: nc, pre: append(bytes.Clone(already), unread...)}
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
