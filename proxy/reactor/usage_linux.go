package reactor

import "golang.org/x/sys/unix"

// usage measures how much of a CPU a loop's thread takes.
type usage struct {
	at  int64 // when the window began
	cpu int64 // the thread's CPU time then
}

// sample closes the window if it is over.
func (u *usage) sample(l *Loop) {
	if l.now-u.at < usageWindow {
		return
	}
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts) != nil {
		return
	}
	cpu := ts.Nano()
	if u.at != 0 {
		busy := uint32((cpu - u.cpu) * 1000 / (l.now - u.at))
		l.busy.Store(busy)
		l.busyAt.Store(l.now)
		l.relieve(busy)
	}
	u.at, u.cpu = l.now, cpu
}
