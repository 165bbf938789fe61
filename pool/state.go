package pool

import "github.com/pgjay/pgjay/proxy/reactor"

// state is where a backend is in its life.
type state uint8

const (
	stateConnecting state = iota // logged in, but not yet in the pool
	stateIdle                    // in an idle stack
	stateChecking                // its loop handles an event or a ping on it
	stateHanded                  // promised to a waiter whose loop has not taken it yet
	stateLeased                  // the lessee's
	stateClosed                  // terminal
	states
)

// transitions has a bit for each state that a state may be followed by.
var transitions = [states]uint8{
	stateConnecting: 1<<stateIdle | 1<<stateHanded | 1<<stateLeased | 1<<stateClosed,
	stateIdle:       1<<stateChecking | 1<<stateLeased | 1<<stateClosed,
	stateChecking:   1<<stateIdle | 1<<stateHanded | 1<<stateClosed,
	stateHanded:     1 << stateLeased,
	stateLeased:     1<<stateIdle | 1<<stateHanded | 1<<stateClosed,
	stateClosed:     0,
}

// place is a backend's state and the loop that its socket belongs to, in one
// word that can be read without the lock.
func place(s state, loop *reactor.Loop) uint32 { return uint32(s) | uint32(loop.Index())<<8 }

// state returns the state. Without Pool.mu it may be out of date at once.
func (b *Backend) state() state { return state(b.place.Load()) }

// setStateLocked is the one door between states. loop is where the socket
// belongs from now on.
func (b *Backend) setStateLocked(to state, loop *reactor.Loop) {
	from := b.state()
	if transitions[from]&(1<<to) == 0 {
		panic("pool: illegal backend state transition")
	}
	b.loop = loop
	b.place.Store(place(to, loop))
	if !b.dedicated {
		b.Pool.count[from]--
		b.Pool.count[to]++
	}
}

// Enter is asked by the reactor on loop l before each event of the socket.
// False means that another loop has the socket by now, or is about to.
func (b *Backend) Enter(l *reactor.Loop) bool {
	at := b.place.Load()
	if at == place(stateLeased, l) || at == place(stateChecking, l) {
		return true // only l itself moves the socket now
	}
	return at == place(stateIdle, l) && b.beginEvent(l)
}

// beginEvent takes an idle backend out of its stack so that nobody can lease
// it while its loop handles an event.
func (b *Backend) beginEvent(l *reactor.Loop) bool {
	p := b.Pool
	p.mu.Lock()
	defer p.mu.Unlock()
	if b.place.Load() != place(stateIdle, l) {
		return false
	}
	p.checkLocked(b)
	b.endEventLocked()
	return true
}

// checkLocked takes an idle backend out of its stack.
func (p *Pool) checkLocked(b *Backend) {
	p.idle[b.loop.Index()].remove(b)
	b.setStateLocked(stateChecking, b.loop)
	b.since = p.set.clock.Load()
}

// endEventLocked has the end of the event handled after it. There is never
// more than one such task, and it is the only way from checking back into the
// pool: so the backend cannot be elsewhere when it runs.
func (b *Backend) endEventLocked() {
	if !b.ending {
		b.ending = true
		b.loop.Post((*endEvent)(b))
	}
}

// endEvent is a backend as the task that ends an event on it.
type endEvent Backend

// Run gives the backend back to the pool, unless it has been closed, is being
// pinged, or only a part of a message has come.
func (e *endEvent) Run() {
	b := (*Backend)(e)
	p := b.Pool
	p.mu.Lock()
	b.ending = false
	if b.state() == stateChecking && !b.pinging && b.partial == nil {
		p.offerLocked(b)
	}
	p.unlock()
}
