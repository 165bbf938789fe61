package reactor

import "fmt"

// Spooler is a Handler of a Conn that is spooled.
type Spooler interface {
	// Unspooled says that the peer has taken all that was kept for it.
	Unspooled()
}

// backlog is what the peer of a Conn has not taken, from the time that the kernel takes
// no more until the peer has taken all. It is sent in this order: the Conn's out; ahead;
// the slots of the file; writing; tail.
type backlog struct {
	spool  *Spool
	limits *SpoolLimits
	file   *slotFile // nil: none yet

	ahead   []byte // was read from the file
	slots   []int  // that are written and not yet read
	writing []byte // on its way into the file; nil: nothing is
	tail    []byte

	read, write slotJob
	reading     bool
	broken      bool  // nothing goes into the file any more
	full        bool  // the handler was told
	held        int64 // bytes that are counted in spool.memory
	spare       [][]byte
}

// maxSpare is how many buffers of a chunk a backlog keeps for use again.
const maxSpare = 3

// Spool has what the peer does not take kept, as far as the group's Spool has room.
// Blocked says then that there is none, and Drained that there is some again.
func (c *Conn) Spool() { c.state |= stSpools }

// Spooling reports whether something is kept for the peer.
func (c *Conn) Spooling() bool { return c.backlog != nil }

// Spool returns what keeps bytes for the group's Conns.
func (g *Group) Spool() *Spool { return g.spool }

// spools begins a backlog if there may be one.
func (c *Conn) spools() bool {
	if !c.is(stSpools) || c.is(stClosing) {
		return false
	}
	spool := c.loop.Load().group.spool
	limits := spool.limits.Load()
	if limits.Memory <= 0 {
		return false
	}
	c.backlog = &backlog{spool: spool, limits: limits}
	c.backlog.account(c)
	spool.conns.Add(1)
	spool.total.Add(uint64(c.Buffered()))
	return true
}

// size returns how many bytes follow out.
func (b *backlog) size() int {
	return len(b.ahead) + len(b.slots)*b.spool.chunk + len(b.writing) + len(b.tail)
}

// add takes what is written to c. What out has sent is not given back before all of
// it is sent, so its whole length counts.
func (b *backlog) add(c *Conn, p []byte) {
	b.spool.total.Add(uint64(len(p)))
	if b.size() == 0 && int64(len(c.out)+len(p)) <= b.limits.Memory {
		c.out = append(c.out, p...)
		return
	}
	if b.tail == nil {
		b.tail = b.buffer()
	}
	b.tail = append(b.tail, p...)
}

// buffer returns one with room for a chunk and what comes while it is complete.
func (b *backlog) buffer() []byte {
	if n := len(b.spare); n > 0 {
		p := b.spare[n-1]
		b.spare = b.spare[:n-1]
		return p
	}
	return make([]byte, 0, b.spool.chunk+scratchSize)
}

// recycle takes back what buffer has returned; others are the loop's.
func (b *backlog) recycle(p []byte) {
	if cap(p) >= b.spool.chunk+scratchSize && len(b.spare) < maxSpare {
		b.spare = append(b.spare, p[:0])
	}
}

// advance does what can be done now, and tells the handler if it must stop writing, or
// may go on. c may be another loop's when it returns.
func (b *backlog) advance(c *Conn) {
	b.writeOn(c)
	b.readOn(c)
	b.account(c)
	full := len(b.tail) >= b.spool.chunk
	if full == b.full {
		return
	}
	if b.full = full; full {
		c.handler.Blocked()
	} else {
		c.handler.Drained()
	}
}

// writeOn has the next chunk written.
func (b *backlog) writeOn(c *Conn) {
	chunk := b.spool.chunk
	if b.writing != nil || len(b.tail) < chunk {
		return
	}
	slot, ok := b.slot()
	if !ok {
		return
	}
	rest := b.tail[chunk:]
	b.writing, b.tail = b.tail[:chunk], append(b.buffer(), rest...)
	b.write = slotJob{backlog: b, conn: c, file: b.file, slot: slot, p: b.writing}
	b.file.begin()
	b.spool.submit(&b.write)
}

// slot returns one to write to.
func (b *backlog) slot() (slot int, ok bool) {
	f := b.file
	if b.broken {
		return 0, false
	}
	if f != nil && len(f.free) > 0 {
		n := len(f.free) - 1
		slot, f.free = f.free[n], f.free[:n]
		return slot, true
	}
	if !b.spool.reserve(b.limits.Size) {
		return 0, false
	}
	if f == nil {
		f = &slotFile{spool: b.spool, limits: b.limits}
		b.file = f
	}
	f.slots++
	return f.slots - 1, true
}

// readOn has the oldest slot read when out comes to its end.
func (b *backlog) readOn(c *Conn) {
	chunk := b.spool.chunk
	if b.reading || b.ahead != nil || len(b.slots) == 0 || len(c.out)-c.outAt >= chunk {
		return
	}
	b.reading = true
	b.read = slotJob{backlog: b, conn: c, file: b.file, slot: b.slots[0], p: b.buffer()[:chunk], reads: true}
	b.file.begin()
	b.spool.submit(&b.read)
}

// Run is what follows a read or write, on the loop.
func (j *slotJob) Run() {
	c, b := j.conn, j.backlog
	switch {
	case c.backlog != b: // closed meanwhile
		return
	case j.reads && j.err != nil:
		c.fail(fmt.Errorf("what was kept for the peer cannot be read: %w", j.err))
		return
	case j.reads:
		b.reading, b.ahead, b.slots = false, j.p, append(b.slots[:0], b.slots[1:]...)
		b.file.free = append(b.file.free, j.slot)
	case j.err != nil:
		b.writing, b.tail, b.broken = nil, append(b.writing, b.tail...), true
		b.file.free = append(b.file.free, j.slot)
	default:
		b.slots = append(b.slots, j.slot)
		b.recycle(b.writing)
		b.writing = nil
	}
	if c.out == nil {
		c.writable()
	} else {
		b.advance(c)
	}
}

// refill makes what follows the new out, if it is in memory.
func (b *backlog) refill(c *Conn) bool {
	switch {
	case b.ahead != nil:
		c.out, b.ahead = b.ahead, nil
	case len(b.slots) == 0 && b.writing == nil && len(b.tail) > 0:
		c.out, b.tail = b.tail, nil
	default:
		return false
	}
	return true
}

// pushBacklog writes what the kernel takes. It reports whether that was all; else c may
// be another loop's when it returns.
func (c *Conn) pushBacklog() bool {
	b := c.backlog
	for {
		sent := c.out
		if !c.push() {
			break
		}
		b.recycle(sent)
		if b.refill(c) {
			continue
		}
		if b.size() == 0 {
			return true
		}
		break // the file is being read, or written
	}
	if watch := c.out != nil; watch != c.is(stWatchOut) {
		c.state ^= stWatchOut
		c.watch()
	}
	b.advance(c)
	return false
}

// account counts the memory that there is.
func (b *backlog) account(c *Conn) {
	held := int64(len(c.out) - c.outAt + len(b.ahead) + len(b.writing) + len(b.tail))
	b.spool.memory.Add(held - b.held)
	b.held = held
}

// dropBacklog gives everything back.
func (c *Conn) dropBacklog() {
	b := c.backlog
	if b == nil {
		return
	}
	c.backlog = nil
	if b.file != nil {
		b.file.drop()
	}
	b.spool.memory.Add(-b.held)
	b.spool.conns.Add(-1)
}

// drained ends a backlog, all of which the peer has taken, and tells the handler, which
// may give c up.
func (c *Conn) drained() {
	l, b := c.loop.Load(), c.backlog
	c.dropBacklog()
	if b == nil || b.full {
		c.handler.Drained()
	}
	if b == nil || !c.enter(l) || c.is(stClosed) {
		return
	}
	if h, ok := c.handler.(Spooler); ok {
		h.Unspooled()
	}
}
