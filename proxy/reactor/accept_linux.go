package reactor

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// accepted is a descriptor that Serve has accepted and that a loop is to
// attach. It is a net.Conn in name only.
type accepted struct {
	brokenConn
	fd     int // -1: taken or closed
	remote net.Addr
}

func (a *accepted) RemoteAddr() net.Addr { return a.remote }

// Close closes the descriptor unless it was taken.
func (a *accepted) Close() error {
	if fd := a.take(); fd >= 0 {
		return unix.Close(fd)
	}
	return net.ErrClosed
}

// take returns the descriptor, which is the caller's.
func (a *accepted) take() (fd int) {
	fd, a.fd = a.fd, -1
	return fd
}

// acceptFast accepts from ln until ctx ends. It works on a copy of ln's
// descriptor, because Go lets nobody else accept from the original; without a
// copy it accepts as everybody does.
func (g *Group) acceptFast(ctx context.Context, ln net.Listener, give func(net.Conn)) {
	file, raw, err := copyListener(ln)
	if err != nil {
		g.acceptNet(ln, give)
		return
	}
	defer file.Close()
	stop := context.AfterFunc(ctx, func() { _ = file.Close() })
	defer stop()
	for {
		nc, err := acceptOne(raw)
		switch {
		case err == nil:
			give(nc)
		case errors.Is(err, os.ErrClosed):
			return
		case errors.Is(err, unix.ECONNABORTED), errors.Is(err, unix.EINTR):
		default: // out of descriptors or memory: wait for some to come back
			if !g.pause(acceptBackoff) {
				return
			}
		}
	}
}

func copyListener(ln net.Listener) (*os.File, syscall.RawConn, error) {
	l, ok := ln.(interface{ File() (*os.File, error) })
	if !ok {
		return nil, nil, os.ErrInvalid
	}
	file, err := l.File()
	if err != nil {
		return nil, nil, err
	}
	raw, err := file.SyscallConn()
	if err != nil {
		_ = file.Close()
	}
	return file, raw, err
}

func acceptOne(raw syscall.RawConn) (net.Conn, error) {
	var fd int
	var sa unix.Sockaddr
	var errno error
	err := raw.Read(func(listener uintptr) bool {
		fd, sa, errno = unix.Accept4(int(listener), unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		return errno != unix.EAGAIN
	})
	if err != nil {
		return nil, errors.Join(os.ErrClosed, err)
	}
	if errno != nil {
		return nil, os.NewSyscallError("accept4", errno)
	}
	if _, unixSocket := sa.(*unix.SockaddrUnix); !unixSocket {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	}
	return &accepted{fd: fd, remote: addrOf(sa), brokenConn: brokenConn{os.ErrInvalid}}, nil
}
