package reactor

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// portableSocket is a net.Conn with a goroutine that reads and one that writes.
// Both end when it is closed. It is the Task that its reader posts.
type portableSocket struct {
	nc    net.Conn
	conn  *Conn
	group *Group
	taken chan struct{} // holds one token: data was used, read again
	done  chan struct{} // closed with the socket
	wrote sync.Cond

	mu       sync.Mutex
	target   *Loop  // where the task was posted to
	data     []byte // read and not yet used
	err      error  // what follows data
	queue    []byte // to be written
	wantRoom bool   // the loop waits for room in queue
	shutting bool
	ending   bool
}

// portableQueue is how many bytes a socket takes before it says that it is
// blocked.
const portableQueue = 64 << 10

func (l *Loop) adoptPortable(c *Conn, nc net.Conn) error {
	s := &portableSocket{
		nc: nc, conn: c, group: l.group,
		taken: make(chan struct{}, 1), done: make(chan struct{}),
	}
	s.wrote.L = &s.mu
	c.sock = s
	l.group.portables.add(c)
	l.group.running.Go(s.reader)
	l.group.running.Go(s.writer)
	return nil
}

func (s *portableSocket) reader() {
	buf := make([]byte, scratchSize)
	for {
		n, err := s.nc.Read(buf)
		s.mu.Lock()
		s.data, s.err = buf[:n], err
		s.mu.Unlock()
		s.post()
		if err != nil {
			return
		}
		select {
		case <-s.taken:
		case <-s.done:
			return
		}
	}
}

// post has Run called on the loop that owns the socket.
func (s *portableSocket) post() {
	l := s.conn.loop.Load()
	s.mu.Lock()
	s.target = l
	s.mu.Unlock()
	l.Post(s)
}

// Run is the event that there is something to read. If another loop has taken
// the socket, or is about to, the event follows it there.
func (s *portableSocket) Run() {
	c := s.conn
	s.mu.Lock()
	l, ended := s.target, s.err != nil && len(s.data) == 0
	idle := !ended && len(s.data) == 0
	s.mu.Unlock()
	if idle {
		return
	}
	if c.loop.Load() != l || c.gate != nil && !c.gate.Enter(l) {
		if !s.closed() {
			s.post()
		}
		return
	}
	switch {
	case c.is(stClosed):
	case c.is(stPaused) && ended && errors.Is(s.err, io.EOF):
		c.state |= stDisarmed
		c.peerHalfClosed()
	case c.is(stPaused) && ended:
		c.fail(s.err)
	default:
		if l.scratch == nil {
			l.scratch = make([]byte, scratchSize)
		}
		c.readable(l)
	}
}

func (s *portableSocket) closed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ending
}

func (s *portableSocket) read(p []byte) (n int, wait bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.data) == 0 {
		return 0, s.err == nil, s.err
	}
	n = copy(p, s.data)
	s.data = s.data[n:]
	switch {
	case len(s.data) > 0 || s.err != nil:
		s.target = s.conn.loop.Load()
		s.target.Post(s)
	default:
		s.taken <- struct{}{}
	}
	return n, false, nil
}

func (s *portableSocket) write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending {
		return 0, net.ErrClosed
	}
	n := min(len(p), max(0, portableQueue-len(s.queue)))
	s.queue = append(s.queue, p[:n]...)
	s.wrote.Signal()
	return n, nil
}

func (s *portableSocket) writer() {
	var batch []byte
	for {
		s.mu.Lock()
		for len(s.queue) == 0 && !s.shutting && !s.ending {
			s.wrote.Wait()
		}
		if len(s.queue) == 0 {
			s.mu.Unlock()
			s.endWriting()
			return
		}
		batch, s.queue = s.queue, batch[:0]
		s.mu.Unlock()
		_, err := s.nc.Write(batch)
		s.roomAgain()
		if err != nil {
			return // the reader will say so
		}
	}
}

// endWriting closes the write side if that is what was asked for.
func (s *portableSocket) endWriting() {
	if half, ok := s.nc.(interface{ CloseWrite() error }); ok && !s.closed() {
		_ = half.CloseWrite()
	}
}

// roomAgain tells the loop that the queue is empty.
func (s *portableSocket) roomAgain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wantRoom {
		s.wantRoom = false
		s.conn.loop.Load().Post((*roomTask)(s))
	}
}

// roomTask is the event that there is room to write.
type roomTask portableSocket

// Run continues a flush that was blocked.
func (t *roomTask) Run() {
	c := t.conn
	if !c.is(stClosed) && c.is(stWatchOut) {
		c.writable()
	}
}

func (s *portableSocket) watch(_ *Conn, in, out bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if out && len(s.queue) < portableQueue {
		s.conn.loop.Load().Post((*roomTask)(s))
	} else {
		s.wantRoom = out
	}
	if in && (len(s.data) > 0 || s.err != nil) {
		s.target = s.conn.loop.Load()
		s.target.Post(s)
	}
}

func (s *portableSocket) move(*Conn, *Loop, *Loop) {}

func (s *portableSocket) shut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shutting = true
	s.wrote.Signal()
}

func (s *portableSocket) close(c *Conn) {
	s.mu.Lock()
	s.ending = true
	left := s.queue
	s.queue = nil
	s.wrote.Signal()
	s.mu.Unlock()
	if len(left) > 0 {
		_ = s.nc.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
		_, _ = s.nc.Write(left)
	}
	close(s.done)
	s.group.portables.remove(c)
	_ = s.nc.Close()
}

// detach ends the goroutines and gives the net.Conn back.
func (s *portableSocket) detach(c *Conn) (net.Conn, error) {
	_ = s.nc.SetReadDeadline(time.Unix(1, 0))
	s.mu.Lock()
	left := s.queue
	s.queue, s.ending = nil, true
	s.wrote.Signal()
	s.mu.Unlock()
	close(s.done)
	s.group.portables.remove(c)
	if len(left) > 0 {
		_, _ = s.nc.Write(left)
	}
	f, ok := s.nc.(interface{ File() (*os.File, error) })
	if !ok {
		return nil, os.ErrInvalid
	}
	file, err := f.File()
	if err != nil {
		return nil, err
	}
	defer file.Close()
	fresh, err := net.FileConn(file)
	_ = s.nc.Close()
	return fresh, err
}

func (s *portableSocket) local() net.Addr  { return s.nc.LocalAddr() }
func (s *portableSocket) remote() net.Addr { return s.nc.RemoteAddr() }
