package reactor

import (
	"context"
	"net"
)

const haveEpoll = true

// equip gives a loop what it waits with.
func (g *Group) equip(l *Loop) (err error) {
	if g.portable {
		l.poll = newPortablePoller(l)
		return nil
	}
	if g.table == nil {
		g.table = new(connTable)
	}
	l.poll, err = newEpollPoller(l, g.table.(*connTable))
	return err
}

func (g *Group) acceptAll(ctx context.Context, ln net.Listener, give func(net.Conn)) {
	if g.portable {
		g.acceptNet(ln, give)
	} else {
		g.acceptFast(ctx, ln, give)
	}
}

// attached returns all Conns of the group.
func (g *Group) attached() []*Conn {
	if g.portable {
		return g.portables.all()
	}
	return g.table.(*connTable).all()
}
