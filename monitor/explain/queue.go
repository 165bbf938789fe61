package explain

import (
	"time"

	"github.com/pgjay/pgjay/monitor/digest"
)

// maxQueued bounds the statements that wait to be explained.
const maxQueued = 64

// queue has the slow statements that are to be explained: one of each shape, the slowest
// first. Its owner locks.
type queue struct {
	waiting map[digest.ID]*Request
	running *Request                // the one that was taken, until its shape cools; nil: none
	after   map[digest.ID]time.Time // not before; bounded by forget
	tokens  float64
	filled  time.Time
}

// maxCooling bounds the shapes whose cool-down is remembered.
const maxCooling = 10_000

func newQueue() queue {
	return queue{waiting: make(map[digest.ID]*Request), after: make(map[digest.ID]time.Time)}
}

// skips says why a statement of this shape that took so long would not be queued;
// empty: it would.
func (q *queue) skips(id digest.ID, took time.Duration, now time.Time) Skip {
	if until, cooling := q.after[id]; cooling && now.Before(until) {
		return SkipCooldown
	}
	if q.running != nil && q.running.Shape.ID() == id {
		return SkipCooldown
	}
	if known := q.waiting[id]; known != nil {
		if took > known.Observed {
			return ""
		}
		return SkipCooldown
	}
	if len(q.waiting) >= maxQueued && took <= q.fastest().Observed {
		return SkipQueue
	}
	return ""
}

// put queues a statement. It reports whether a faster one had to go.
func (q *queue) put(r *Request) (dropped bool) {
	id := r.Shape.ID()
	if q.waiting[id] == nil && len(q.waiting) >= maxQueued {
		delete(q.waiting, q.fastest().Shape.ID())
		dropped = true
	}
	q.waiting[id] = r
	return dropped
}

func (q *queue) fastest() (least *Request) {
	for _, r := range q.waiting {
		if least == nil || r.Observed < least.Observed {
			least = r
		}
	}
	return least
}

// take returns the slowest statement, if the rate allows one; else how long to wait, 0
// if there is none.
func (q *queue) take(now time.Time, perMinute int) (r *Request, wait time.Duration) {
	for _, w := range q.waiting {
		if r == nil || w.Observed > r.Observed {
			r = w
		}
	}
	if r == nil {
		return nil, 0
	}
	most := float64(max(perMinute, 1))
	if q.filled.IsZero() {
		q.tokens = most
	} else {
		q.tokens = min(q.tokens+most*now.Sub(q.filled).Minutes(), most)
	}
	q.filled = now
	if q.tokens < 1 {
		return nil, max(time.Duration((1-q.tokens)/most*float64(time.Minute)), time.Millisecond)
	}
	q.tokens--
	q.running = r
	delete(q.waiting, r.Shape.ID())
	return r, 0
}

// cool leaves a shape alone for a while.
func (q *queue) cool(id digest.ID, now time.Time, d time.Duration) {
	if q.running != nil && q.running.Shape.ID() == id {
		q.running = nil
	}
	if len(q.after) >= maxCooling {
		for id, until := range q.after {
			if now.After(until) {
				delete(q.after, id)
			}
		}
		if len(q.after) >= maxCooling {
			clear(q.after)
		}
	}
	q.after[id] = now.Add(d)
}
