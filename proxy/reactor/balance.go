package reactor

import "sync/atomic"

// usageWindow is how long the load of a loop is averaged, in nanoseconds.
const usageWindow = 100e6

// The share of a CPU, in thousandths, from which on a loop gets no more
// connections and gives some away, and up to which another one takes them.
const (
	fullyBusy  = 700
	hardlyBusy = 350
)

// balance is what a loop knows of its load and does about it.
type balance struct {
	busy   atomic.Uint32 // thousandths of a CPU in the last window
	busyAt atomic.Int64  // when that window ended

	// owned by the loop
	relief  *Loop // where surplus Conns should go
	surplus int
}

// usedAt returns the share of a CPU, in thousandths, that the loop's thread has
// used lately. A loop that sleeps does not measure. Any goroutine may call it.
func (l *Loop) usedAt(now int64) uint32 {
	if now-l.busyAt.Load() > 2*usageWindow {
		return 0
	}
	return l.busy.Load()
}

// place chooses a loop for a new connection: the first that is not busy. Few
// loops with much to do wake up less often than many with little.
func (g *Group) place() *Loop {
	least, now := g.loops[0], Monotonic()
	for _, l := range g.loops {
		if l.usedAt(now) < fullyBusy {
			return l
		}
		if l.Load() < least.Load() {
			least = l
		}
	}
	return least
}

// relieve decides at the end of a window whether the loop has more to do than
// it can. Connections that were idle when they were placed may all become busy
// on one loop.
func (l *Loop) relieve(busy uint32) {
	l.surplus = 0
	if busy < fullyBusy {
		return
	}
	for _, other := range l.group.loops {
		if other.usedAt(l.now) <= hardlyBusy {
			l.relief, l.surplus = other, 1+l.Load()/8
			return
		}
	}
}

// Relief returns the loop that one of this loop's Conns should move to, nil if
// it has no more to do than it can. Each call that returns a loop counts as a
// Conn moved.
func (l *Loop) Relief() *Loop {
	if l.surplus == 0 {
		return nil
	}
	l.surplus--
	return l.relief
}
