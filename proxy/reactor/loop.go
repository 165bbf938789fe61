package reactor

import (
	"sync"
	"sync/atomic"
	"time"
)

const (
	// BufferSize is the capacity in bytes of the buffers of a loop's free list.
	BufferSize = 16 << 10
	// scratchSize is how much one read can bring.
	scratchSize = 64 << 10
	// maxFree bounds a loop's free list.
	maxFree = 256
)

// Task is work for a loop. What is posted often is a struct that was made
// before, so that posting allocates nothing.
type Task interface{ Run() }

// Func is a function as a Task.
type Func func()

// Run calls f.
func (f Func) Run() { f() }

// Loop is an event loop. Unless a method says otherwise it may be called by the
// loop's own goroutine only, which runs handlers, tasks and timers.
type Loop struct {
	balance
	index int
	group *Group // nil: a manual loop
	poll  poller // nil: a manual loop
	conns atomic.Int64

	// owned by the loop
	now     int64
	timers  timerHeap
	free    [][]byte
	dirty   []*Conn // to be flushed when the event is over
	again   []*Conn // with bytes that were read already
	scratch []byte
	plain   []byte // decrypted
	usage   usage

	// mailbox
	mu     sync.Mutex
	inbox  []Task // guarded by mu
	spare  []Task // owned by the loop
	asleep atomic.Bool
	closed bool // owned by the loop: it is to end
}

// poller waits for what happens to sockets.
type poller interface {
	// wait handles what has happened, and waits for it until the timeout in
	// nanoseconds ends (negative: for ever) or wake is called.
	wait(timeout int64)
	wake()
	close()
}

// NewManual returns a loop without sockets that runs only when it is told to,
// for simulations. Its time is what Step says.
func NewManual(index int) *Loop { return &Loop{index: index} }

// Index returns the loop's number in its group.
func (l *Loop) Index() int { return l.index }

// Now returns the time in nanoseconds on a clock that only goes forward. It was
// read when the event began.
func (l *Loop) Now() int64 { return l.now }

// Clock reads the clock of Now.
func (l *Loop) Clock() int64 {
	if l.poll == nil {
		return l.now
	}
	return Monotonic()
}

// Load returns how many Conns are attached. Any goroutine may call it.
func (l *Loop) Load() int { return int(l.conns.Load()) }

// Post makes the loop run t soon, after what the same goroutine has posted
// before. Any goroutine may call it.
func (l *Loop) Post(t Task) {
	l.mu.Lock()
	l.inbox = append(l.inbox, t)
	l.mu.Unlock()
	// Either the loop sees the task when it looks into the mailbox before it
	// sleeps, or we see that it sleeps: it says so before it looks.
	if l.asleep.Load() && l.asleep.CompareAndSwap(true, false) {
		l.poll.wake()
	}
}

// Step sets the time of a manual loop and runs the tasks and timers that are
// due. It reports whether there were any.
func (l *Loop) Step(now int64) bool {
	l.now = now
	ran := l.runTasks()
	return l.runTimers() || ran
}

// runTasks runs what was posted.
func (l *Loop) runTasks() bool {
	l.mu.Lock()
	tasks := l.inbox
	l.inbox = l.spare[:0]
	l.mu.Unlock()
	for i, t := range tasks {
		t.Run()
		tasks[i] = nil
		l.settle()
	}
	l.spare = tasks[:0]
	return len(tasks) > 0
}

// runTimers runs the timers that are due; those that are scheduled meanwhile,
// for now or before, do not keep it from the sockets.
func (l *Loop) runTimers() bool {
	ran := false
	for n := len(l.timers); n > 0 && len(l.timers) > 0 && l.timers[0].at <= l.now; n-- {
		t := l.timers[0]
		l.Stop(t)
		t.Task.Run()
		l.settle()
		ran = true
	}
	return ran
}

// settle ends an event: what was written goes out, what was read and not yet
// used is used.
func (l *Loop) settle() {
	for len(l.dirty) > 0 || len(l.again) > 0 {
		for i := 0; i < len(l.dirty); i++ {
			l.dirty[i].settle(l)
			l.dirty[i] = nil
		}
		l.dirty = l.dirty[:0]
		if n := len(l.again); n > 0 {
			c := l.again[n-1]
			l.again = l.again[:n-1]
			c.readAgain(l)
		}
	}
}

// run is the loop's goroutine.
func (l *Loop) run() {
	for !l.closed {
		l.poll.wait(l.prepareSleep())
		l.asleep.Store(false)
		l.now = Monotonic()
		l.usage.sample(l)
		l.runTasks()
		l.runTimers()
	}
}

// prepareSleep returns how long the loop may sleep. From here on Post wakes it.
func (l *Loop) prepareSleep() int64 {
	l.asleep.Store(true)
	l.mu.Lock()
	waiting := len(l.inbox) > 0
	l.mu.Unlock()
	if waiting {
		return 0
	}
	if len(l.timers) == 0 {
		return -1
	}
	return max(0, l.timers[0].at-Monotonic())
}

// Buffer returns an empty buffer of BufferSize bytes from the free list.
func (l *Loop) Buffer() []byte {
	if n := len(l.free); n > 0 {
		b := l.free[n-1]
		l.free = l.free[:n-1]
		return b
	}
	return make([]byte, 0, BufferSize)
}

// Recycle gives a buffer of Buffer back; nobody may use it any more.
func (l *Loop) Recycle(b []byte) {
	if cap(b) == BufferSize && len(l.free) < maxFree {
		l.free = append(l.free, b[:0])
	}
}

var epoch = time.Now()

// Monotonic reads the clock of Now, in nanoseconds. It is never 0. It may be called on
// any goroutine.
func Monotonic() int64 { return int64(time.Since(epoch)) + 1 }
