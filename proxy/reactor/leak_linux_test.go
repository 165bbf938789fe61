package reactor

import (
	"crypto/tls"
	"io"
	"net"
	"testing"

	"golang.org/x/sys/unix"
)

// withoutDescriptors runs f while the process can open n more descriptors.
func withoutDescriptors(t *testing.T, n int, f func()) {
	t.Helper()
	limit := uint64(0)
	for ; n >= 0; limit++ {
		if _, err := unix.FcntlInt(uintptr(limit), unix.F_GETFD, 0); err != nil {
			n--
		}
	}
	limit-- // the first that is one too many
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: limit, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	f()
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
}

// TestNewFails runs out of descriptors at each step of New.
func TestNewFails(t *testing.T) {
	for n := range 10 {
		before := takeStock(t)
		withoutDescriptors(t, n, func() {
			if g, err := New(Config{Loops: 5}); err == nil {
				t.Errorf("%d descriptors were enough", n)
				g.Close()
			}
		})
		before.compare(t)
	}
}

// TestAttachFails closes what it cannot attach, and nothing else.
func TestAttachFails(t *testing.T) {
	forBoth(t, func(t *testing.T, g *Group) {
		tests := map[string]func(nc net.Conn) net.Conn{
			"no descriptor": func(nc net.Conn) net.Conn { return nowhere{nc} },
			"TLS without a Stream": func(nc net.Conn) net.Conn {
				return tls.Server(nc, &tls.Config{})
			},
			"unread bytes": func(nc net.Conn) net.Conn { return &Stream{nc: nc, pre: []byte("unread")} },
		}
		for name, wrap := range tests {
			if g.portable && name == "no descriptor" {
				continue
			}
			peer, nc := pair(t, "tcp")
			onLoop(g.Loops()[0], func() {
				if _, err := g.Loops()[0].Attach(wrap(nc), newWatcher()); err == nil {
					t.Errorf("%s: attached", name)
				}
			})
			if _, err := peer.Read(make([]byte, 1)); err != io.EOF {
				t.Errorf("%s: %v", name, err)
			}
			if n := g.Loops()[0].Load(); n != 0 {
				t.Errorf("%s: %d sockets", name, n)
			}
			peer.Close()
		}
	})
}

// nowhere is a net.Conn without a descriptor.
type nowhere struct{ net.Conn }

// TestAttachUnwatchable has a descriptor that epoll refuses. It is closed once:
// its number may be another's by then.
func TestAttachUnwatchable(t *testing.T) {
	g, err := New(Config{Loops: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	fd, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	var other int
	l := g.Loops()[0]
	onLoop(l, func() {
		a := &accepted{fd: fd}
		if _, err := l.Attach(a, newWatcher()); err == nil {
			t.Error("attached")
		}
		if other, err = unix.Dup(0); err != nil || other != fd {
			t.Errorf("descriptor %d, was %d: %v", other, fd, err)
		}
		if a.Close() == nil {
			t.Error("closed twice")
		}
	})
	if err := unix.Close(other); err != nil {
		t.Error(err)
	}
}
