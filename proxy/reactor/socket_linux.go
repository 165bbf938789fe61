package reactor

import (
	"io"
	"net"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

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

// interest returns the events to wait for. Errors and hang-ups are always
// among them; without interest in the socket they are reported once, as nobody
// reads them away.
func interest(in, out bool) (events uint32) {
	if in {
		events = unix.EPOLLIN | unix.EPOLLRDHUP
	}
	if out {
		events |= unix.EPOLLOUT
	}
	if events == 0 {
		return unix.EPOLLET
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
	if err := epollCtl(to.poll.(*epollPoller).epfd, unix.EPOLL_CTL_ADD, int(s.fd), events, s.generation); err != nil {
		to.Post(Func(func() { // too many are watched: without events c is lost
			if c.enter(to) {
				c.fail(os.NewSyscallError("epoll_ctl", err))
			}
		}))
	}
}

func (s *fdSocket) unsent() bool {
	n, err := unix.IoctlGetInt(int(s.fd), unix.TIOCOUTQ)
	return err == nil && n > 0
}

func (s *fdSocket) shut() { _ = unix.Shutdown(int(s.fd), unix.SHUT_WR) }

func (s *fdSocket) close(*Conn) {
	s.table.remove(s.fd)
	_ = unix.Close(int(s.fd)) // leaves the epoll set by itself
}

func (s *fdSocket) closed() bool { return s.table.get(s.fd, s.generation) == nil }

func (s *fdSocket) detach(c *Conn) (net.Conn, []byte, error) {
	_ = epollCtl(c.loop.Load().poll.(*epollPoller).epfd, unix.EPOLL_CTL_DEL, int(s.fd), 0, 0)
	s.table.remove(s.fd)
	f := os.NewFile(uintptr(s.fd), "")
	defer f.Close()
	nc, err := net.FileConn(f)
	return nc, nil, err
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
		s.close(c)
		return os.NewSyscallError("epoll_ctl", err)
	}
	return nil
}

// takeDescriptor returns nc's descriptor, non-blocking, or a copy of it; nc is
// closed then.
func takeDescriptor(nc net.Conn) (int, error) {
	if a, ok := nc.(*accepted); ok {
		return a.take(), nil
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
	if err := unix.SetNonblock(fd, true); err != nil {
		_ = unix.Close(fd)
		return -1, os.NewSyscallError("fcntl", err)
	}
	return fd, nil
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
