package proxy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy/reactor"
	"github.com/pgjay/pgjay/proxy/wire"
)

// dial makes a backend with a server process of its own.
func (m *sim) dial(_ context.Context, to pool.Target) (*pool.Login, error) {
	if m.faults && m.rng.IntN(10) == 0 {
		return nil, fmt.Errorf("connection refused")
	}
	name := to.Params["application_name"]
	b := &simBackend{sim: m, server: newSimServer(name), pid: uint32(len(m.backends) + 1)}
	m.bus.join(b.server)
	b.server.pid, b.server.schema, b.server.rows = b.pid, &m.schema, m.rows
	if m.cancels > 0 {
		b.server.slow = func() bool { return m.rng.IntN(4) == 0 }
	}
	b.late = m.rows != nil && m.rng.IntN(2) == 0
	m.backends = append(m.backends, b)
	params := pool.Params{}.With("application_name", name).With("server_version", "15").With("client_encoding", "UTF8")
	return &pool.Login{Socket: simSocket{b}, PID: b.pid, Params: params, Cancel: b.cancel}, nil
}

// probe says that a backend which was killed was meant, or that the server has
// been restarted.
func (m *sim) probe(context.Context, pool.Target) (string, time.Duration, error) {
	if m.rng.IntN(2) == 0 {
		return "", 0, errors.New("the database system is shutting down")
	}
	return "", time.Duration(m.now), nil
}

// simSocket is a backend's socket before the pool has it.
type simSocket struct{ b *simBackend }

func (s simSocket) Attach(l *reactor.Loop, b *pool.Backend) (pool.Conn, error) {
	s.b.loop, s.b.handler = l, b
	return s.b, nil
}

func (s simSocket) Close() error {
	s.b.closed = true
	return nil
}

// simBackend is a backend's socket and the server process behind it.
type simBackend struct {
	sim     *sim
	server  *simServer
	pid     uint32
	handler *pool.Backend
	loop    *reactor.Loop
	pending []byte // written by the proxy, not yet taken by the server
	paused  bool
	closed  bool
	eof     bool // the server closed; seen by the proxy when out is read
	late    bool // what the server says takes its time
}

func (b *simBackend) Write(p []byte) {
	if b.closed {
		b.sim.t.Error("write to a closed backend")
	}
	b.pending = append(b.pending, p...)
}
func (b *simBackend) Flush()               {}
func (b *simBackend) Pause()               { b.paused = true }
func (b *simBackend) Resume()              { b.paused = false }
func (b *simBackend) Close()               { b.closed = true }
func (b *simBackend) Buffered() int        { return 0 }
func (b *simBackend) Move(l *reactor.Loop) { b.loop = l }

// cancel is a cancel request.
func (b *simBackend) cancel(context.Context) error {
	b.server.cancel()
	return nil
}

// step moves bytes between a backend's socket and its server process.
func (b *simBackend) step() bool {
	m := b.sim
	switch {
	case b.closed:
		return false
	case b.handler == nil:
		return false
	case m.faults && !b.eof && m.rng.IntN(400) == 0:
		m.say("backend %d is killed", b.pid)
		b.server.dead, b.eof = true, true
		if m.rng.IntN(2) == 0 {
			b.server.out = (&wire.Error{Severity: "FATAL", Code: "57P01", Message: "killed"}).Append(b.server.out)
		} else {
			b.server.out = nil
		}
		return true
	case len(b.pending) > 0 && !b.eof && m.rng.IntN(2) == 0:
		n := m.cut(len(b.pending))
		b.server.feed(b.pending[:n])
		b.pending = b.pending[n:]
		b.eof = b.eof || b.server.dead
		return true
	case b.server.busy && !b.eof && m.rng.IntN(8) == 0:
		b.server.wake()
		b.eof = b.eof || b.server.dead
		return true
	case b.server.rests() && !b.eof && len(b.server.inbox) > 0 && m.rng.IntN(16) == 0 && b.server.tell():
		return true
	}
	return b.deliver()
}

// deliver gives some of the server's output to whoever holds the backend.
func (b *simBackend) deliver() bool {
	m := b.sim
	if b.late && m.steps>>9%4 != 0 {
		return false
	}
	if b.paused || len(b.server.out) == 0 && !b.eof || !b.handler.Enter(b.loop) {
		return false
	}
	b.loop.Step(m.now)
	if b.closed || b.paused || !b.handler.Enter(b.loop) {
		return true
	}
	if len(b.server.out) == 0 {
		b.closed = true
		b.handler.Closed(io.EOF)
		return true
	}
	n := m.cut(len(b.server.out))
	p := bytes.Clone(b.server.out[:n])
	b.server.out = b.server.out[n:]
	b.handler.Data(p)
	for i := range p {
		p[i] = 0xee
	}
	for _, c := range m.clients {
		c.mayBlock()
	}
	return true
}
