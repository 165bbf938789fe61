//go:build !linux

package reactor

import (
	"context"
	"net"
)

const haveEpoll = false

func (g *Group) equip(l *Loop) error {
	l.poll = newPortablePoller(l)
	return nil
}

func (g *Group) acceptAll(ctx context.Context, ln net.Listener, give func(net.Conn)) {
	g.acceptNet(ln, give)
}

func (g *Group) attached() []*Conn { return g.portables.all() }

func (l *Loop) adopt(c *Conn, nc net.Conn) error { return l.adoptPortable(c, nc) }

// usage measures how much of a CPU a loop takes; not here.
type usage struct{}

func (*usage) sample(*Loop) {}
