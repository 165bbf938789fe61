package pool

import (
	"bytes"
	"fmt"
	"sync"
	"testing"

	"github.com/pgjay/pgjay/proxy/reactor"
	"github.com/pgjay/pgjay/proxy/wire"
)

// realContention has sessions on two loops compete for three backends of a real
// server, as fast as they can. Each must get the answers to its own questions.
func realContention(t *testing.T, s *testServer) {
	contend(t, s.url())
}

func contend(t *testing.T, url string) {
	w := newRealWorld(t, url, func(o *Options) {
		withPassword(o)
		o.Config.Size, o.Config.Overflow = 2, 1
	})
	var running sync.WaitGroup
	for i := range 8 {
		running.Add(1)
		c := &competitor{client: w.client(ann, i%2), name: i, left: 300, done: running.Done}
		c.waiter.Lessee = c
		c.waiter.Loop.Post(reactor.Func(c.next))
	}
	running.Wait()
}

// competitor is a client that asks one question after the other. All of it runs
// on its loop.
type competitor struct {
	*client
	name, left int
	done       func()
}

func (c *competitor) next() {
	if c.left--; c.left < 0 {
		c.done()
		return
	}
	if b := c.pool.Lease(&c.waiter); b != nil {
		c.Leased(b)
	}
}

func (c *competitor) Leased(b *Backend) {
	c.b, c.data = b, c.data[:0]
	b.conn.Write(wire.AppendQuery(nil, fmt.Sprintf("SELECT 'client %d question %d'", c.name, c.left)))
}

func (c *competitor) BackendData(p []byte) {
	c.data = append(c.data, p...)
	if !bytes.HasSuffix(c.data, []byte{'Z', 0, 0, 0, 5, 'I'}) {
		return
	}
	if want := fmt.Sprintf("client %d question %d", c.name, c.left); !bytes.Contains(c.data, []byte(want)) {
		c.t.Errorf("%s was answered with %q", want, c.data)
	}
	b := c.b
	c.b = nil
	b.Release()
	if c.left%2 == 0 {
		c.next()
	} else {
		c.waiter.Loop.Post(reactor.Func(c.next))
	}
}

func (c *competitor) LeaseFailed(err error)   { c.t.Error(err); c.done() }
func (c *competitor) BackendClosed(err error) { c.t.Error(err); c.done() }
