package reactor

import (
	"context"
	"net"
	"runtime"
	"sync"
	"time"
)

// Config says how many loops there are and how they work.
type Config struct {
	Loops    int  // 0: one for each CPU that Go may use
	Portable bool // a goroutine for each socket, also where there is epoll
}

// Group is a set of running loops.
type Group struct {
	loops     []*Loop
	portable  bool
	table     any // of the sockets; the poller's
	portables connSet
	looping   sync.WaitGroup // the loops
	running   sync.WaitGroup // the goroutines of portable sockets
	closing   chan struct{}
	spool     *Spool
}

// processors is what GOMAXPROCS was at the start, which is how many CPUs Go may
// use.
var processors = runtime.GOMAXPROCS(0)

// extraProcessors is how much higher than the number of loops GOMAXPROCS is: a
// loop that sleeps for a moment keeps its processor.
const extraProcessors = 2

// New starts a group of loops. It raises GOMAXPROCS to two more than there are
// loops, so that they do not keep other goroutines waiting.
func New(cfg Config) (*Group, error) {
	if cfg.Loops <= 0 {
		cfg.Loops = processors
	}
	if n := cfg.Loops + extraProcessors; n > runtime.GOMAXPROCS(0) {
		runtime.GOMAXPROCS(n)
	}
	g := &Group{portable: cfg.Portable || !haveEpoll, closing: make(chan struct{}), spool: newSpool()}
	for i := range cfg.Loops {
		l := &Loop{index: i, group: g, now: Monotonic(), scratch: make([]byte, scratchSize)}
		if err := g.equip(l); err != nil {
			for _, l := range g.loops {
				l.poll.close()
			}
			return nil, err
		}
		g.loops = append(g.loops, l)
	}
	for _, l := range g.loops {
		g.looping.Go(func() {
			runtime.LockOSThread()
			l.run()
		})
	}
	return g, nil
}

// Loops returns the loops, by index.
func (g *Group) Loops() []*Loop { return g.loops }

// Close ends the loops, waits for them, and closes what is attached; the
// handlers get no event of that. Serve must have returned.
func (g *Group) Close() {
	close(g.closing)
	for _, l := range g.loops {
		l.Post(Func(func() { l.closed = true }))
	}
	g.looping.Wait()
	for _, c := range g.attached() {
		c.Close() // no loop has it any more
	}
	g.running.Wait()
	g.spool.working.Wait()
	for _, l := range g.loops {
		l.poll.close()
	}
}

// Serve accepts connections from ln until ctx ends, and has each one given to
// accept on the loop that it is to be attached to. It closes ln.
func (g *Group) Serve(ctx context.Context, ln net.Listener, accept func(l *Loop, nc net.Conn)) {
	stop := context.AfterFunc(ctx, func() { _ = ln.Close() })
	defer stop()
	defer ln.Close()
	g.acceptAll(ctx, ln, func(nc net.Conn) {
		l := g.place()
		l.Post(Func(func() { accept(l, nc) }))
	})
}

// acceptBackoff is how long accepting rests when the process is out of
// descriptors.
const acceptBackoff = 50 * time.Millisecond

// pause waits, but not when the group is closed.
func (g *Group) pause(d time.Duration) bool {
	select {
	case <-g.closing:
		return false
	case <-time.After(d):
		return true
	}
}
