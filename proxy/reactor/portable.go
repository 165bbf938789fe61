package reactor

import (
	"errors"
	"net"
	"sync"
	"time"
)

// portablePoller waits for the mailbox only: the goroutines of the sockets post
// what happens to them.
type portablePoller struct {
	loop   *Loop
	signal chan struct{} // holds one token
}

func newPortablePoller(l *Loop) poller {
	return &portablePoller{loop: l, signal: make(chan struct{}, 1)}
}

func (p *portablePoller) wake() {
	select {
	case p.signal <- struct{}{}:
	default:
	}
}

func (p *portablePoller) close() {}

func (p *portablePoller) wait(timeout int64) {
	switch {
	case timeout == 0:
	case timeout < 0:
		<-p.signal
	default:
		t := time.NewTimer(time.Duration(timeout))
		defer t.Stop()
		select {
		case <-p.signal:
		case <-t.C:
		}
	}
}

// connSet is the set of the portable sockets' Conns.
type connSet struct {
	mu    sync.Mutex
	conns map[*Conn]struct{} // guarded by mu
}

func (t *connSet) add(c *Conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.conns == nil {
		t.conns = make(map[*Conn]struct{})
	}
	t.conns[c] = struct{}{}
}

func (t *connSet) remove(c *Conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.conns, c)
}

func (t *connSet) all() (conns []*Conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for c := range t.conns {
		conns = append(conns, c)
	}
	return conns
}

// acceptNet accepts with ordinary means until ln is closed.
func (g *Group) acceptNet(ln net.Listener, give func(net.Conn)) {
	for {
		nc, err := ln.Accept()
		switch {
		case err == nil:
			give(nc)
		case errors.Is(err, net.ErrClosed):
			return
		default:
			if !g.pause(acceptBackoff) {
				return
			}
		}
	}
}
