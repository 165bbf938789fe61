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
	fd     int
	remote net.Addr
}

func (a *accepted) RemoteAddr() net.Addr { return a.remote }
func (a *accepted) Close() error         { return unix.Close(a.fd) }

// acceptFast accepts from ln until ctx ends. It works on a copy of ln's
// descriptor, because Go lets nobody else accept from the original.
func (g *Group) acceptFast(ctx context.Context, ln net.Listener, give func(net.Conn)) {
	file, err := ln.(interface{ File() (*os.File, error) }).File()
	if err != nil {
		return
	}
	stop := context.AfterFunc(ctx, func() { _ = file.Close() })
	defer stop()
	raw, err := file.SyscallConn()
	if err != nil {
		return
	}
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
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
	}
	return &accepted{fd: fd, remote: addrOf(sa), brokenConn: brokenConn{os.ErrInvalid}}, nil
}
