package reactor

import (
	"crypto/tls"
	"errors"
	"io"
)

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
