package pool

import "github.com/pgjay/pgjay/proxy/reactor"

// Waiter is a session's place in the queue for a backend. It is embedded in
// the session; the session sets the exported fields before Lease. From Lease
// returning nil until the callback begins, or Abandon returns true, it is the
// pool's.
type Waiter struct {
	Lessee Lessee
	Loop   *reactor.Loop
	Label  Label // preferred, not guaranteed
	// Residence is preferred to any label; nil: there is none.
	Residence *Residence

	// Guarded by Pool.mu.

	pool       *Pool
	state      waitState
	backend    *Backend // when served: what it gets, or nil and err; when reserved: that
	err        error
	next, prev *Waiter
	asked      int64 // when it began to wait: in the time of Loop
	queued     int64 // the same as of Set.clock
	since      int64 // when it was put into Pool.waiting
}

// waitState is where a waiter is.
type waitState uint8

const (
	waitNone     waitState = iota // the session's
	waitQueued                    // in Pool.waiting
	waitReserved                  // its home is being checked
	waitParked                    // it is in doubt whether its session goes on
	waitServed                    // posted to its loop
)

// Run delivers the result. It is called by the waiter's loop.
func (w *Waiter) Run() {
	b, move, err := w.pool.collect(w)
	if b == nil {
		w.Lessee.LeaseFailed(err)
		return
	}
	if move {
		b.conn.Move(w.Loop)
	}
	b.lessee = w.Lessee
	w.Lessee.Leased(b)
}

// collect takes the result out of w, which is the session's again afterwards,
// and makes a backend that was handed to it leased. move says that its socket
// is still on another loop.
func (p *Pool) collect(w *Waiter) (b *Backend, move bool, err error) {
	p.mu.Lock()
	b, err = w.backend, w.err
	w.backend, w.err, w.state = nil, nil, waitNone
	if b != nil {
		move = b.loop != w.Loop
		b.setStateLocked(stateLeased, w.Loop)
		p.usage.counters.Leases++
	}
	p.usage.counters.Waits++
	p.usage.counters.WaitNS += w.Loop.Now() - w.asked
	p.mu.Unlock()
	return b, move, err
}

// waitQueue is a queue of waiters, oldest first.
type waitQueue struct {
	first, last *Waiter
	n           int
}

func (q *waitQueue) push(w *Waiter) {
	w.prev, w.next = q.last, nil
	if q.last == nil {
		q.first = w
	} else {
		q.last.next = w
	}
	q.last = w
	q.n++
}

func (q *waitQueue) remove(w *Waiter) {
	if w.prev == nil {
		q.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		q.last = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.next, w.prev = nil, nil
	q.n--
}

// pop takes the oldest waiter out.
func (q *waitQueue) pop() *Waiter {
	w := q.first
	q.remove(w)
	return w
}
