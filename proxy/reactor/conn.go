package reactor

import (
	"crypto/tls"
	"io"
	"net"
	"sync/atomic"
)

// Handler gets the events of a Conn, on its loop, one at a time.
type Handler interface {
	// Data brings bytes from the peer. p is valid until it returns.
	Data(p []byte)
	// Blocked says that the kernel has not taken all of what was written; the
	// rest waits in the Conn. It is called once until Drained. Of a Conn that is
	// spooled it says that the Spool takes no more either.
	Blocked()
	// Drained says that all of it has been taken since, or that the Spool takes more.
	Drained()
	// Closed says that the peer has closed (io.EOF) or that the socket has
	// failed. It is the last event. After Close there is none.
	Closed(err error)
}

// HalfCloser is a Handler that wants to know when the peer will send nothing more:
// it has closed, or its half of the connection only.
type HalfCloser interface {
	// HalfClosed says that of the peer of a paused Conn, which reading would have
	// shown.
	HalfClosed()
	// Ended says that all that the peer has sent has been handed on. If it returns
	// true the Conn stays for what is written to it; otherwise Closed follows. What
	// is encrypted does not end in halves.
	Ended() bool
}

// Gate is a Handler whose Conn may be taken by another loop at any time, with
// Move. Enter is asked before each event; false means that the event is not
// this loop's any more, or not yet. A Conn is given up with nothing Buffered
// and not paused.
type Gate interface{ Enter(l *Loop) bool }

// Conn is a socket on a loop. Its methods are for the goroutine of the loop
// that owns it.
type Conn struct {
	loop    atomic.Pointer[Loop]
	handler Handler
	gate    Gate // nil: nobody takes it
	sock    socket
	tls     *tlsLink // nil: plain
	out     []byte   // what was written and not yet sent, from outAt on
	outAt   int
	backlog *backlog // what follows out; nil: nothing is spooled
	state   connState
	linger  Timer
}

// connState is a set of facts about a Conn.
type connState uint16

const (
	stPaused   connState = 1 << iota // is not read
	stDisarmed                       // its readability is not watched
	stWatchOut                       // its writability is watched
	stBlocked                        // the kernel takes no more
	stDirty                          // in loop.dirty
	stClosed
	stClosing // close when out is empty
	stHalf    // HalfClosed was called
	stEnded   // Ended has returned true: there is nothing to read any more
	stSpools  // what the peer does not take is kept
)

// socket is what the operating system knows of a Conn.
type socket interface {
	// read reads into p; wait means that there is nothing.
	read(p []byte) (n int, wait bool, err error)
	write(p []byte) (n int, err error) // n < len(p) without an error: blocked
	watch(c *Conn, in, out bool)
	move(c *Conn, from, to *Loop)
	// shut sends what end of file is to the peer.
	shut()
	close(c *Conn)
	// closed reports whether close or detach was called. Any goroutine may call
	// it.
	closed() bool
	// unsent reports whether what was written may not have reached the peer.
	unsent() bool
	// detach gives the socket back, and what was read from it and not used.
	detach(c *Conn) (nc net.Conn, unread []byte, err error)
	local() net.Addr
	remote() net.Addr
}

// enter reports whether l may touch c. Without it c may only be touched by a
// handler that knows to have it.
func (c *Conn) enter(l *Loop) bool {
	return c.loop.Load() == l && (c.gate == nil || c.gate.Enter(l))
}

// revisit has l do later what it could not do because the Gate was closed. If
// another loop has taken c by then, Move has seen to it.
func (c *Conn) revisit(l *Loop) {
	if c.loop.Load() == l && !c.sock.closed() {
		l.Post(Func(func() {
			c.settle(l)
			c.readAgain(l)
		}))
	}
}

func (c *Conn) is(s connState) bool { return c.state&s != 0 }

// Loop returns the loop that owns c.
func (c *Conn) Loop() *Loop { return c.loop.Load() }

// LocalAddr returns the address of this side.
func (c *Conn) LocalAddr() net.Addr { return c.sock.local() }

// RemoteAddr returns the address of the peer.
func (c *Conn) RemoteAddr() net.Addr { return c.sock.remote() }

// TLS returns the state of the encryption; nil if there is none.
func (c *Conn) TLS() *tls.ConnectionState {
	if c.tls == nil {
		return nil
	}
	state := c.tls.conn.ConnectionState()
	return &state
}

// Write sends p when the event is over, or before if it is much. p is the
// caller's again when Write returns.
func (c *Conn) Write(p []byte) {
	if c.is(stClosed | stClosing) {
		return
	}
	if c.tls != nil {
		_, _ = c.tls.conn.Write(p) // comes back to writeRaw; an error means that it was closed
		return
	}
	c.writeRaw(p)
}

// writeRaw queues bytes for the socket.
func (c *Conn) writeRaw(p []byte) {
	l := c.loop.Load()
	c.markDirty(l)
	if c.backlog != nil {
		c.backlog.add(c, p)
		return
	}
	if c.out != nil && !c.is(stBlocked) && len(c.out)+len(p) > cap(c.out) {
		c.push()
	}
	if c.out == nil && len(p) > BufferSize {
		n, err := c.sock.write(p)
		if err != nil {
			return // the next read says why
		}
		p = p[n:]
	}
	if len(p) == 0 {
		return
	}
	if c.out == nil {
		c.out = l.Buffer()
	}
	c.out = append(c.out, p...)
}

func (c *Conn) markDirty(l *Loop) {
	if !c.is(stDirty) {
		c.state |= stDirty
		l.dirty = append(l.dirty, c)
	}
}

// push writes what the kernel takes. It reports whether that was all.
func (c *Conn) push() bool {
	if c.out == nil {
		return true
	}
	n, err := c.sock.write(c.out[c.outAt:])
	if err != nil {
		n = len(c.out) - c.outAt // nobody will read it; the next read says why
	}
	c.outAt += n
	if c.outAt < len(c.out) {
		return false
	}
	c.dropOut()
	return true
}

// settle ends an event for c: it flushes, and says if that did not work.
func (c *Conn) settle(l *Loop) {
	if !c.enter(l) {
		c.revisit(l)
		return
	}
	c.state &^= stDirty
	switch {
	case c.is(stClosed):
	case c.backlog != nil:
		c.backlog.advance(c)
	case c.is(stBlocked):
	case !c.push():
		c.state |= stBlocked | stWatchOut
		c.watch()
		if !c.spools() {
			c.handler.Blocked()
		}
	case c.is(stClosing):
		c.shut()
	}
}

// shut sends what end of file is to the peer. If the peer has done that there is
// nothing to wait for.
func (c *Conn) shut() {
	if c.is(stEnded) {
		c.release()
		return
	}
	c.sock.shut()
}

// writable continues a flush that was blocked. c may be another loop's when it
// returns.
func (c *Conn) writable() {
	if c.backlog != nil {
		if !c.pushBacklog() {
			return
		}
	} else if !c.push() {
		return
	}
	c.state &^= stWatchOut | stBlocked
	c.watch()
	if c.is(stClosing) {
		c.dropBacklog()
		c.shut()
		return
	}
	c.drained()
}

func (c *Conn) watch() { c.sock.watch(c, !c.is(stDisarmed), c.is(stWatchOut)) }

// Flush sends now what was written in this event.
func (c *Conn) Flush() {
	if !c.is(stClosed | stBlocked) {
		c.push()
	}
}

// Buffered returns how many bytes wait to be taken by the kernel.
func (c *Conn) Buffered() int {
	n := len(c.out) - c.outAt
	if c.backlog != nil {
		n += c.backlog.size()
	}
	return n
}

// Pause stops reading. That costs nothing until the peer sends something.
func (c *Conn) Pause() { c.state |= stPaused }

// Resume ends Pause.
func (c *Conn) Resume() {
	if !c.is(stPaused) || c.is(stClosed) {
		return
	}
	c.state &^= stPaused
	if c.is(stEnded) {
		return
	}
	if c.is(stDisarmed) {
		c.state &^= stDisarmed
		c.watch()
	}
	c.readSoon()
}

// readable reads once and hands the bytes on. c may be another loop's when it
// returns.
func (c *Conn) readable(l *Loop) {
	if c.is(stPaused) {
		if !c.is(stDisarmed) {
			c.state |= stDisarmed
			c.watch()
		}
		return
	}
	if c.is(stEnded) {
		return
	}
	n, wait, err := c.sock.read(l.scratch)
	switch {
	case wait:
	case err == io.EOF && c.staysOpen():
	case err != nil:
		c.fail(err)
	case c.is(stClosing): // nobody wants it
	case c.tls != nil:
		c.tls.feed(c, l, l.scratch[:n])
	default:
		c.handler.Data(l.scratch[:n])
	}
}

// staysOpen handles the peer's end of file, and reports whether the handler has
// more to say.
func (c *Conn) staysOpen() bool {
	h, ok := c.handler.(HalfCloser)
	if !ok || c.is(stClosing) || !h.Ended() {
		return false
	}
	if !c.is(stClosed) {
		c.state |= stEnded | stDisarmed
		c.watch()
	}
	return true
}

// peerHalfClosed handles the peer's end of file on a paused Conn.
func (c *Conn) peerHalfClosed() {
	if h, ok := c.handler.(HalfCloser); ok && !c.is(stHalf) {
		c.state |= stHalf
		h.HalfClosed()
	}
}

// Move hands c over to the loop whose goroutine calls it. The loop that had it
// must be kept from it by the handler's Gate: from before this call on Enter
// returns false to it. What can be read, also what is decrypted in part, is
// read by the new loop when its event is over. A Conn that is being closed
// stays where it is.
func (c *Conn) Move(to *Loop) {
	from := c.loop.Load()
	if from == to || c.is(stClosed|stClosing) {
		return
	}
	c.loop.Store(to)
	c.sock.move(c, from, to)
	from.conns.Add(-1)
	to.conns.Add(1)
	c.state &^= stDirty
	if c.out != nil {
		c.markDirty(to)
	}
	c.readSoon()
}
