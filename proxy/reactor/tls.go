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
	more   bool // there may be something to decrypt, here or in crypto/tls
}

// feed takes ciphertext in and decrypts.
func (t *tlsLink) feed(c *Conn, l *Loop, ciphertext []byte) {
	if len(t.stream.in) > 0 {
		t.stream.in = append(t.stream.in, ciphertext...)
	} else {
		t.stream.in, t.owned = ciphertext, false
	}
	t.drain(c, l)
}

// drain decrypts what fits and hands it to the handler; the rest follows when
// what the handler wrote has gone out. crypto/tls may write as well: an answer
// to a change of keys, an alert.
func (t *tlsLink) drain(c *Conn, l *Loop) {
	if l.plain == nil {
		l.plain = make([]byte, scratchSize)
	}
	n, err := t.fill(l.plain)
	more := !errors.Is(err, errDry)
	t.more = more
	t.keep()
	c.Flush() // a handler that gives c up must find nothing Buffered
	switch {
	case n > 0:
		c.handler.Data(l.plain[:n]) // c may be another loop's now
		if more {
			l.again = append(l.again, c)
		}
	case errors.Is(err, io.EOF): // the peer has said that it ends, or has
		if t.more = false; !c.staysOpen() {
			c.fail(io.EOF)
		}
	case more:
		c.fail(err)
	}
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
	if len(t.stream.in) == 0 {
		t.stream.in = nil
	} else if !t.owned {
		t.stream.in, t.owned = append([]byte(nil), t.stream.in...), true
	}
}

// readSoon has what was read already, and not yet decrypted, handled when the
// event is over.
func (c *Conn) readSoon() {
	if c.tls != nil && c.tls.more {
		l := c.loop.Load()
		l.again = append(l.again, c)
	}
}

// readAgain handles bytes that were read already.
func (c *Conn) readAgain(l *Loop) {
	switch {
	case c.tls == nil:
	case !c.enter(l):
		c.revisit(l)
	case c.tls.more && !c.is(stClosed|stClosing|stPaused):
		c.tls.drain(c, l)
	}
}
