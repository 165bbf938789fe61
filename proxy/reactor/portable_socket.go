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
// Both end when it is closed or detached.
type portableSocket struct {
	nc      net.Conn
	conn    *Conn
	group   *Group
	taken   chan struct{} // holds one token: data was used, read again
	done    chan struct{} // closed with the socket
	wrote   sync.Cond
	running sync.WaitGroup // its goroutines

	mu       sync.Mutex
	event    *socketEvent // what was posted last
	data     []byte       // read and not yet used
	err      error        // what follows data
	queue    []byte       // to be written
	writing  bool         // the writer has taken bytes and not yet written them
	broken   bool         // nothing can be written any more
	wantRoom bool         // the loop waits for room in queue
	shutting bool         // send end of file after queue
	ending   bool         // end after queue
	detached bool         // leave nc open at the end
}

const (
	// portableQueue is how many bytes a socket takes before it says that it is
	// blocked.
	portableQueue = 64 << 10
	// portableFlush is how long a socket that was closed tries to write what it
	// has taken.
	portableFlush = 100 * time.Millisecond
)

func (l *Loop) adoptPortable(c *Conn, nc net.Conn) error {
	s := &portableSocket{
		nc: nc, conn: c, group: l.group,
		taken: make(chan struct{}, 1), done: make(chan struct{}),
	}
	s.wrote.L = &s.mu
	c.sock = s
	l.group.portables.add(c)
	for _, f := range []func(){s.reader, s.writer} {
		s.running.Add(1)
		l.group.running.Go(func() {
			defer s.running.Done()
			f()
		})
	}
	return nil
}

func (s *portableSocket) reader() {
	buf := make([]byte, scratchSize)
	for {
		n, err := s.nc.Read(buf)
		s.mu.Lock()
		s.data, s.err = buf[:n], err
		s.postLocked()
		s.mu.Unlock()
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

// socketEvent is the event that something can be read or written, on its way to
// a loop.
type socketEvent struct {
	socket *portableSocket
	loop   *Loop
}

// postLocked has the loop that owns the socket look at it.
func (s *portableSocket) postLocked() {
	l := s.conn.loop.Load()
	if s.event == nil || s.event.loop != l {
		s.event = &socketEvent{socket: s, loop: l}
	}
	l.Post(s.event)
}

// Run handles the event. If another loop has taken the socket, or is about to,
// the event follows it there.
func (e *socketEvent) Run() {
	s, c := e.socket, e.socket.conn
	room, readable := s.ready()
	if room && c.enter(e.loop) {
		c.writable()
	}
	if !room && !readable {
		return
	}
	if c.enter(e.loop) {
		if !c.is(stClosed) {
			s.readOn(e.loop)
		}
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ending {
		s.postLocked()
	}
}

// ready reports what the loop could do.
func (s *portableSocket) ready() (room, readable bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wantRoom && s.hasRoomLocked(), len(s.data) > 0 || s.err != nil
}

func (s *portableSocket) hasRoomLocked() bool {
	return s.broken || len(s.queue) < portableQueue
}

// readOn hands on what was read.
func (s *portableSocket) readOn(l *Loop) {
	c := s.conn
	s.mu.Lock()
	err, ended := s.err, s.err != nil && len(s.data) == 0
	s.mu.Unlock()
	switch {
	case c.is(stPaused) && ended && errors.Is(err, io.EOF):
		c.state |= stDisarmed
		c.peerHalfClosed()
	case c.is(stPaused) && ended:
		c.fail(err)
	default:
		c.readable(l)
	}
}

func (s *portableSocket) closed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ending
}

func (s *portableSocket) unsent() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writing || len(s.queue) > 0
}

func (s *portableSocket) read(p []byte) (n int, wait bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.data) == 0 {
		return 0, s.err == nil, s.err
	}
	n = copy(p, s.data)
	s.data = s.data[n:]
	if len(s.data) > 0 || s.err != nil {
		s.postLocked()
	} else {
		s.taken <- struct{}{}
	}
	return n, false, nil
}

func (s *portableSocket) write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending || s.broken {
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
		var more bool
		if batch, more = s.next(batch); !more {
			break
		}
		_, err := s.nc.Write(batch)
		s.written(err)
	}
	if !s.detached {
		_ = s.nc.Close()
	}
}

// next waits for bytes to write. The writer gives the batch before back.
func (s *portableSocket) next(batch []byte) (_ []byte, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.queue) == 0 && !s.ending {
		if half, ok := s.nc.(interface{ CloseWrite() error }); ok && s.shutting {
			_ = half.CloseWrite()
			s.shutting = false
		}
		s.wrote.Wait()
	}
	s.writing = len(s.queue) > 0
	batch, s.queue = s.queue, batch[:0]
	return batch, s.writing
}

// written tells the loop that there is room. After an error there always is:
// what follows is thrown away, and the next read says why.
func (s *portableSocket) written(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writing = false
	if err != nil {
		s.broken, s.queue = true, nil
	}
	if s.wantRoom {
		s.postLocked()
	}
}

func (s *portableSocket) watch(_ *Conn, in, out bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wantRoom = out
	if out && s.hasRoomLocked() || in && (len(s.data) > 0 || s.err != nil) {
		s.postLocked()
	}
}

func (s *portableSocket) move(*Conn, *Loop, *Loop) {}

func (s *portableSocket) shut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shutting = true
	s.wrote.Signal()
}

func (s *portableSocket) close(c *Conn) { s.end(c, false) }

// end has the goroutines end when what was taken is written.
func (s *portableSocket) end(c *Conn, detached bool) {
	s.mu.Lock()
	s.ending, s.detached = true, detached
	s.wrote.Signal()
	s.mu.Unlock()
	_ = s.nc.SetReadDeadline(time.Unix(1, 0))
	_ = s.nc.SetWriteDeadline(time.Now().Add(portableFlush))
	close(s.done)
	s.group.portables.remove(c)
}

// detach ends the goroutines and gives the net.Conn back.
func (s *portableSocket) detach(c *Conn) (_ net.Conn, unread []byte, err error) {
	s.end(c, true)
	s.running.Wait()
	defer s.nc.Close()
	f, ok := s.nc.(interface{ File() (*os.File, error) })
	if !ok || s.broken {
		return nil, nil, os.ErrInvalid
	}
	file, err := f.File()
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	fresh, err := net.FileConn(file)
	return fresh, s.data, err
}

func (s *portableSocket) local() net.Addr  { return s.nc.LocalAddr() }
func (s *portableSocket) remote() net.Addr { return s.nc.RemoteAddr() }
