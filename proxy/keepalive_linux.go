package proxy

import (
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// control sets the options of a listening socket. Those that it accepts inherit them,
// so that no connection costs a system call for it.
func (c ListenConfig) control(_, _ string, raw syscall.RawConn) error {
	var failed error
	err := raw.Control(func(fd uintptr) {
		for _, o := range c.socketOptions() {
			if err := unix.SetsockoptInt(int(fd), o.level, o.name, o.value); err != nil {
				failed = os.NewSyscallError("setsockopt", err)
			}
		}
	})
	if err != nil {
		return err
	}
	return failed
}

type socketOption struct{ level, name, value int }

func (c ListenConfig) socketOptions() (all []socketOption) {
	if c.KeepAlive > 0 {
		all = append(all,
			socketOption{unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1},
			socketOption{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, wholeSeconds(c.KeepAlive)},
			socketOption{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, wholeSeconds(c.KeepAliveInterval)},
			socketOption{unix.IPPROTO_TCP, unix.TCP_KEEPCNT, max(1, c.KeepAliveCount)})
	}
	if c.UserTimeout > 0 {
		all = append(all, socketOption{unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, max(1, int(c.UserTimeout/time.Millisecond))})
	}
	return all
}

// wholeSeconds rounds up: less than one is none.
func wholeSeconds(d time.Duration) int { return max(1, int((d+time.Second-1)/time.Second)) }
