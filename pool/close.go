package pool

import (
	"errors"
	"strings"

	"github.com/pgjay/pgjay/proxy/wire"
)

// ErrClosed is what waiters get when the set is closed.
var ErrClosed = errors.New("pgjay: the pool is closed")

// Why backends are closed: reasons of the pool's own.
const (
	reasonServer    = "server_closed"
	reasonProtocol  = "protocol_violation_idle"
	reasonCheck     = "check_failed"
	reasonOverflow  = "idle_overflow"
	reasonRecycle   = "recycled"
	reasonReload    = "reconfigured"
	reasonSize      = "pool_shrunk"
	reasonShare     = "share"
	reasonDedicated = "dedicated_released"
	reasonShutdown  = "shutdown"
	reasonListen    = "listener_broken"
	reasonPaused    = "paused"
)

// Destroy closes the backend: its state is unknown, or it is not wanted any
// more. It is called on the lessee's loop.
func (b *Backend) Destroy(reason string) {
	defer unbroken()
	b.lessee = nil
	if b.drop(reason) {
		b.conn.Close()
		b.gone(reason)
	}
}

// drop takes a backend whose socket is closed, or will be by the caller, out
// of the pool. It returns false if that has been done.
func (b *Backend) drop(reason string) bool {
	p := b.Pool
	p.mu.Lock()
	if b.state() == stateClosed {
		p.mu.Unlock()
		return false
	}
	p.removeLocked(b)
	p.usage.counters.count(reason)
	p.coverLocked()
	p.unlock()
	return true
}

// gone ends the account of a backend whose socket is closed.
func (b *Backend) gone(reason string) {
	set := b.Pool.set
	b.Pool.mu.Lock()
	b.Pool.halt.closing--
	b.Pool.mu.Unlock()
	set.changes.happened()
	if hook := set.options.Hooks.Closed; hook != nil {
		hook(b.Pool.key, reason)
	}
	set.working.done()
}

// discardLocked closes a backend that the pool owns and that is in no stack.
// The socket is closed by its loop.
func (p *Pool) discardLocked(b *Backend, reason string) {
	p.removeLocked(b)
	p.usage.counters.count(reason)
	b.reason = reason
	p.later.closing = append(p.later.closing, b)
	p.coverLocked()
}

// discardIdleLocked closes an idle backend.
func (p *Pool) discardIdleLocked(b *Backend, reason string) {
	p.idle[b.loop.Index()].remove(b)
	p.discardLocked(b, reason)
}

// retireLocked closes a backend as soon as no session has it.
func (p *Pool) retireLocked(b *Backend, reason string) {
	switch b.state() {
	case stateIdle:
		p.discardIdleLocked(b, reason)
	case stateChecking:
		p.discardLocked(b, reason)
	default:
		b.retired, b.reason = true, reason
	}
}

// goodbye is a closed backend as the task that closes its socket.
type goodbye Backend

// Run says Terminate and closes the socket.
func (g *goodbye) Run() {
	b := (*Backend)(g)
	var terminate [wire.HeaderLen]byte
	b.conn.Write(wire.AppendEmpty(terminate[:0], wire.Terminate))
	b.conn.Close()
	b.gone(b.reason)
}

// ServerClosed is why a backend is closed that has said, with this SQLSTATE,
// that it ends.
func ServerClosed(sqlstate string) string { return reasonServer + "_" + strings.ToLower(sqlstate) }
