package cache

import (
	"sync/atomic"
	"weak"
)

// A Shape is what is known of all statements with the same text, apart from
// literals and comments, or of one prepared statement: what became of them and
// what they cost. Any number of goroutines may use it.
type Shape struct {
	name  string
	total *stripe

	outcomes [outcomes]atomic.Int64
	refused  [reasons]atomic.Int64
	saved    atomic.Int64 // nanoseconds of execution
	entries  atomic.Int64
	bytes    atomic.Int64
	why      atomic.Pointer[string]

	tables  atomic.Pointer[[]*Word]
	economy ledger
	// Nanoseconds of an execution, a hit, and what a miss takes on top of an execution:
	// where all processors are busy somebody else runs in between, so that the mean of
	// something so short says nothing.
	originNS               mean
	bestNS, hitNS, extraNS floor
}

// A stripe has counters for some of the shapes, so that they are not all in the
// cache line that all loops write to.
type stripe struct {
	outcomes             [outcomes]atomic.Int64
	refused              [reasons]atomic.Int64
	saved                atomic.Int64
	verified, mismatches atomic.Int64
	bypassed             [bypasses]atomic.Int64
	_                    [64]byte
}

const stripes = 16

type weakShape = weak.Pointer[Shape]

// NewShape returns a shape that is listed under this name, its normalised text,
// for as long as somebody has it or one of its entries.
func (c *Cache) NewShape(name string) *Shape {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &Shape{name: name, total: &c.stripes[len(c.shapes)%stripes]}
	if len(c.shapes) == cap(c.shapes) {
		c.dropShapes()
	}
	c.shapes = append(c.shapes, weak.Make(s))
	return s
}

// dropShapes takes those that nobody has out of the list. Caller holds mu.
func (c *Cache) dropShapes() {
	kept := c.shapes[:0]
	for _, w := range c.shapes {
		if w.Value() != nil {
			kept = append(kept, w)
		}
	}
	c.shapes = kept
}

// count counts an outcome and returns which one of its kind it is, in the stripe.
func (s *Shape) count(o Outcome) int64 {
	s.outcomes[o].Add(1)
	return s.total.outcomes[o].Add(1)
}

// Absent counts that nothing was remembered for a statement of this shape.
func (s *Shape) Absent() { s.count(Absent) }

// Name is the normalised text.
func (s *Shape) Name() string { return s.name }

// Refuse counts that a statement of this shape was neither looked up nor put into
// the cache, or only the latter.
func (s *Shape) Refuse(r Reason) {
	s.refused[r].Add(1)
	s.total.refused[r].Add(1)
}

// SetWhy says in a sentence why statements of this shape are never cached, for
// those who ask; empty if they may be.
func (s *Shape) SetWhy(sentence string) { s.why.Store(&sentence) }
