package reactor

import (
	"encoding/binary"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// epollPoller waits with epoll, level-triggered. An event names a socket by its
// descriptor and a generation, never by a pointer: one that is stale, because
// the socket was closed or moved in the same batch, finds nothing.
type epollPoller struct {
	loop   *Loop
	epfd   int
	wakefd int
	table  *connTable
	busy   bool // the last sleep was short
	events [256]unix.EpollEvent
}

func newEpollPoller(l *Loop, table *connTable) (poller, error) {
	epfd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	wakefd, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		_ = unix.Close(epfd)
		return nil, os.NewSyscallError("eventfd", err)
	}
	p := &epollPoller{loop: l, epfd: epfd, wakefd: wakefd, table: table}
	if err := epollCtl(epfd, unix.EPOLL_CTL_ADD, wakefd, unix.EPOLLIN, 0); err != nil {
		p.close()
		return nil, os.NewSyscallError("epoll_ctl", err)
	}
	return p, nil
}

func (p *epollPoller) wake() {
	one := [8]byte{}
	binary.NativeEndian.PutUint64(one[:], 1)
	_, _ = rawWrite(p.wakefd, one[:])
}

func (p *epollPoller) close() {
	_ = unix.Close(p.epfd)
	_ = unix.Close(p.wakefd)
}

func (p *epollPoller) wait(timeout int64) {
	n := p.sleep(timeout)
	l := p.loop
	l.asleep.Store(false)
	l.now = monotonic()
	for i := range p.events[:n] {
		ev := &p.events[i]
		if int(ev.Fd) == p.wakefd {
			var drained [8]byte
			_, _ = rawRead(p.wakefd, drained[:])
			continue
		}
		if c := p.table.get(ev.Fd, uint32(ev.Pad)); c != nil && c.loop.Load() == l {
			p.dispatch(c, ev.Events)
			l.settle()
		}
	}
}

// shortSleep is how long a loop sleeps without telling the scheduler.
const shortSleep = 20 * time.Millisecond

// sleep waits for events and returns how many there are.
//
// A goroutine that blocks in a system call of package syscall keeps sysmon, the
// runtime's watchdog, at polling every 20 us, and it takes the processor away and
// gives it to another thread: for one client alone that costs as much as the
// rest of a query. A loop that has just been busy sleeps behind the scheduler's
// back. If nothing happens, sysmon's preemption signal ends that after 10 ms,
// and the loop sleeps in the open; shortSleep is for where there are no such
// signals, and long because a timer that fires soon is one that the CPU must be
// programmed for. Other goroutines have a processor meanwhile: extraProcessors.
func (p *epollPoller) sleep(timeout int64) int {
	if p.busy && (timeout < 0 || timeout > int64(shortSleep)) {
		if n := rawEpollWait(p.epfd, p.events[:], int(shortSleep/time.Millisecond)); n > 0 {
			return n
		}
		p.busy = false
		return 0
	}
	ms := -1
	if timeout >= 0 {
		ms = int((timeout + 999_999) / 1_000_000)
	}
	began := monotonic()
	n, _ := unix.EpollWait(p.epfd, p.events[:], ms)
	p.busy = n > 0 && monotonic()-began < int64(shortSleep)
	return max(0, n)
}

// dispatch handles one socket's event.
func (p *epollPoller) dispatch(c *Conn, events uint32) {
	l := p.loop
	if c.gate != nil && !c.gate.Enter(l) {
		return
	}
	if events&unix.EPOLLOUT != 0 && c.is(stWatchOut) {
		c.writable(l)
	}
	if c.is(stClosed) || c.loop.Load() != l || events&^unix.EPOLLOUT == 0 {
		return
	}
	if c.is(stPaused) {
		if events&(unix.EPOLLERR|unix.EPOLLHUP) != 0 {
			c.fail(unix.ECONNRESET)
			return
		}
		c.readable(l) // disarms
		if events&unix.EPOLLRDHUP != 0 {
			c.peerHalfClosed()
		}
		return
	}
	c.readable(l)
}

// fdSocket is a non-blocking descriptor.
type fdSocket struct {
	fd         int32
	generation uint32
	table      *connTable
}

func (s *fdSocket) read(p []byte) (n int, wait bool, err error) {
	n, errno := rawRead(int(s.fd), p)
	switch {
	case errno == unix.EAGAIN || errno == unix.EINTR:
		return 0, true, nil
	case errno != 0:
		return 0, false, os.NewSyscallError("read", errno)
	case n == 0:
		return 0, false, io.EOF
	}
	return n, false, nil
}

func (s *fdSocket) write(p []byte) (n int, err error) {
	n, errno := rawWrite(int(s.fd), p)
	if errno == unix.EAGAIN || errno == unix.EINTR {
		return 0, nil
	}
	if errno != 0 {
		return 0, errno
	}
	return n, nil
}

func interest(in, out bool) (events uint32) {
	if in {
		events = unix.EPOLLIN | unix.EPOLLRDHUP
	}
	if out {
		events |= unix.EPOLLOUT
	}
	return events
}

func (s *fdSocket) watch(c *Conn, in, out bool) {
	epfd := c.loop.Load().poll.(*epollPoller).epfd
	_ = epollCtl(epfd, unix.EPOLL_CTL_MOD, int(s.fd), interest(in, out), s.generation)
}

func (s *fdSocket) move(c *Conn, from, to *Loop) {
	_ = epollCtl(from.poll.(*epollPoller).epfd, unix.EPOLL_CTL_DEL, int(s.fd), 0, 0)
	events := interest(!c.is(stDisarmed), c.is(stWatchOut))
	_ = epollCtl(to.poll.(*epollPoller).epfd, unix.EPOLL_CTL_ADD, int(s.fd), events, s.generation)
}

func (s *fdSocket) shut() { _ = unix.Shutdown(int(s.fd), unix.SHUT_WR) }

func (s *fdSocket) close(*Conn) {
	s.table.remove(s.fd)
	_ = unix.Close(int(s.fd)) // leaves the epoll set by itself
}

func (s *fdSocket) detach(c *Conn) (net.Conn, error) {
	_ = epollCtl(c.loop.Load().poll.(*epollPoller).epfd, unix.EPOLL_CTL_DEL, int(s.fd), 0, 0)
	s.table.remove(s.fd)
	f := os.NewFile(uintptr(s.fd), "")
	defer f.Close()
	return net.FileConn(f)
}

func (s *fdSocket) local() net.Addr {
	sa, err := unix.Getsockname(int(s.fd))
	if err != nil {
		return nil
	}
	return addrOf(sa)
}

func (s *fdSocket) remote() net.Addr {
	sa, err := unix.Getpeername(int(s.fd))
	if err != nil {
		return nil
	}
	return addrOf(sa)
}

func addrOf(sa unix.Sockaddr) net.Addr {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return &net.TCPAddr{IP: append(net.IP(nil), sa.Addr[:]...), Port: sa.Port}
	case *unix.SockaddrInet6:
		return &net.TCPAddr{IP: append(net.IP(nil), sa.Addr[:]...), Port: sa.Port}
	case *unix.SockaddrUnix:
		return &net.UnixAddr{Name: sa.Name, Net: "unix"}
	}
	return nil
}

// adopt gives c the descriptor of nc.
func (l *Loop) adopt(c *Conn, nc net.Conn) error {
	if l.group.portable {
		return l.adoptPortable(c, nc)
	}
	fd, err := takeDescriptor(nc)
	if err != nil {
		return err
	}
	s := &fdSocket{fd: int32(fd), table: l.group.table.(*connTable)}
	c.sock = s
	s.generation = s.table.put(s.fd, c)
	if err := epollCtl(l.poll.(*epollPoller).epfd, unix.EPOLL_CTL_ADD, fd, interest(true, false), s.generation); err != nil {
		s.table.remove(s.fd)
		_ = unix.Close(fd)
		return os.NewSyscallError("epoll_ctl", err)
	}
	return nil
}

// takeDescriptor returns nc's descriptor, non-blocking, or a copy of it; nc is
// closed then.
func takeDescriptor(nc net.Conn) (int, error) {
	if a, ok := nc.(*accepted); ok {
		return a.fd, nil
	}
	file, ok := nc.(interface{ File() (*os.File, error) })
	if !ok {
		return -1, os.ErrInvalid
	}
	f, err := file.File()
	if err != nil {
		return -1, err
	}
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	_ = f.Close()
	_ = nc.Close()
	if err != nil {
		return -1, os.NewSyscallError("dup", err)
	}
	return fd, unix.SetNonblock(fd, true)
}

// connTable finds a Conn by its descriptor, from any goroutine without a lock.
type connTable struct {
	mu         sync.Mutex
	generation uint32 // guarded by mu
	rows       [1 << 12]atomic.Pointer[[1 << 10]atomic.Pointer[tableEntry]]
}

type tableEntry struct {
	conn       *Conn
	generation uint32
}

func (t *connTable) get(fd int32, generation uint32) *Conn {
	row := t.rows[uint32(fd)>>10&0xfff].Load()
	if row == nil {
		return nil
	}
	if e := row[fd&0x3ff].Load(); e != nil && e.generation == generation {
		return e.conn
	}
	return nil
}

func (t *connTable) put(fd int32, c *Conn) uint32 {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.generation++
	row := &t.rows[uint32(fd)>>10&0xfff]
	if row.Load() == nil {
		row.Store(new([1 << 10]atomic.Pointer[tableEntry]))
	}
	row.Load()[fd&0x3ff].Store(&tableEntry{conn: c, generation: t.generation})
	return t.generation
}

func (t *connTable) remove(fd int32) {
	t.rows[uint32(fd)>>10&0xfff].Load()[fd&0x3ff].Store(nil)
}

// all returns the Conns that there are.
func (t *connTable) all() (conns []*Conn) {
	for i := range t.rows {
		row := t.rows[i].Load()
		if row == nil {
			continue
		}
		for j := range row {
			if e := row[j].Load(); e != nil {
				conns = append(conns, e.conn)
			}
		}
	}
	return conns
}

// The descriptors are non-blocking, so these return at once and the scheduler
// need not know of them.

func rawRead(fd int, p []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall(syscall.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	return int(n), errno
}

func rawWrite(fd int, p []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	return int(n), errno
}

// rawEpollWait returns the number of events, or -1.
func rawEpollWait(epfd int, events []unix.EpollEvent, ms int) int {
	n, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_PWAIT, uintptr(epfd), uintptr(unsafe.Pointer(unsafe.SliceData(events))), uintptr(len(events)), uintptr(ms), 0, 0)
	if errno != 0 {
		return -1
	}
	return int(n)
}

func epollCtl(epfd, op, fd int, events, generation uint32) error {
	ev := unix.EpollEvent{Events: events, Fd: int32(fd), Pad: int32(generation)}
	_, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_CTL, uintptr(epfd), uintptr(op), uintptr(fd), uintptr(unsafe.Pointer(&ev)), 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
