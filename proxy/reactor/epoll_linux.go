package reactor

import (
	"encoding/binary"
	"io"
	"math"
	"os"
	"time"

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
	l.now = Monotonic()
	for i := range p.events[:n] {
		ev := &p.events[i]
		if int(ev.Fd) == p.wakefd {
			var drained [8]byte
			_, _ = rawRead(p.wakefd, drained[:])
			continue
		}
		if c := p.table.get(ev.Fd, uint32(ev.Pad)); c != nil {
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
		ms = int(min((timeout+999_999)/1_000_000, math.MaxInt32))
	}
	began := Monotonic()
	n, _ := unix.EpollWait(p.epfd, p.events[:], ms)
	p.busy = n > 0 && Monotonic()-began < int64(shortSleep)
	return max(0, n)
}

// dispatch handles one socket's event.
func (p *epollPoller) dispatch(c *Conn, events uint32) {
	l := p.loop
	if !c.enter(l) {
		return
	}
	if events&unix.EPOLLOUT != 0 && c.is(stWatchOut) {
		c.writable()
		if events&^unix.EPOLLOUT == 0 || !c.enter(l) || c.is(stClosed) {
			return
		}
	}
	switch {
	case c.is(stEnded) && events&(unix.EPOLLERR|unix.EPOLLHUP) != 0:
		c.fail(io.EOF)
	case !c.is(stPaused):
		c.readable(l)
	case events&unix.EPOLLERR != 0:
		c.fail(unix.ECONNRESET)
	default:
		c.readable(l) // disarms
		if events&unix.EPOLLRDHUP != 0 {
			c.peerHalfClosed()
		}
	}
}
