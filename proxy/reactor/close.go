package reactor

// fail ends c because of the peer or the network.
func (c *Conn) fail(err error) {
	if c.is(stClosed) {
		return
	}
	h, closing := c.handler, c.is(stClosing)
	c.release()
	if !closing {
		h.Closed(err)
	}
}

// Close sends what it can without waiting and closes. No event follows.
func (c *Conn) Close() {
	if c.is(stClosed) {
		return
	}
	if c.tls != nil && !c.is(stClosing) {
		_ = c.tls.conn.Close() // close_notify
	}
	if !c.is(stBlocked) {
		c.push()
	}
	c.release()
}

// release gives everything back to the operating system and the loop.
func (c *Conn) release() {
	l := c.loop.Load()
	c.state |= stClosed
	l.Stop(&c.linger)
	c.dropOut()
	c.dropBacklog()
	c.sock.close(c)
	l.conns.Add(-1)
}

// dropOut gives the buffer of what was written back.
func (c *Conn) dropOut() {
	if c.out != nil {
		c.loop.Load().Recycle(c.out)
		c.out, c.outAt = nil, 0
	}
}

// lingerTime is how long CloseAfterFlush waits for the peer.
const lingerTime = 5e9

// CloseAfterFlush closes when the peer has got all that was written. If that
// takes longer than this call it waits, as unread input would make the kernel
// throw the rest away, until the peer has closed too; or for 5 seconds. No event
// follows.
func (c *Conn) CloseAfterFlush() {
	if c.is(stClosed | stClosing) {
		return
	}
	if c.Buffered() == 0 && (c.is(stEnded) || !c.sock.unsent()) {
		c.Close()
		return
	}
	if c.tls != nil {
		_ = c.tls.conn.Close()
	}
	l := c.loop.Load()
	c.state |= stClosing
	c.handler = nobody{}
	c.gate = nil
	c.Resume()
	c.linger.Task = Func(func() { c.release() })
	l.Schedule(&c.linger, l.now+lingerTime)
	c.markDirty(l)
}

// nobody is the handler of a Conn that is being closed.
type nobody struct{}

func (nobody) Data([]byte)  {}
func (nobody) Blocked()     {}
func (nobody) Drained()     {}
func (nobody) Closed(error) {}
