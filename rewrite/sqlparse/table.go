package sqlparse

import (
	"hash/maphash"
	"math/bits"
	"sync"
	"sync/atomic"
)

// table remembers values by text, up to a number of bytes. A look-up takes no
// lock; what changes the table does, for about a microsecond. When it is full,
// those go first that have not been looked up for a round of the hand (CLOCK).
type table[V any] struct {
	seed    maphash.Seed
	limit   int
	buckets []atomic.Pointer[node[V]] // a power of two of them

	// guarded by mu
	mu      sync.Mutex
	ring    []*node[V]
	hand    int
	used    int // bytes
	evicted uint64
}

// node is one text with its value. What is not atomic is set before others see
// the node, or guarded by the table's mu.
type node[V any] struct {
	text   string
	hash   uint64
	value  V
	next   atomic.Pointer[node[V]] // in the same bucket
	recent atomic.Bool             // looked up since the hand passed

	at   int // in the ring, -1: evicted
	size int
}

const (
	bytesPerBucket = 512 // a statement with its text and facts takes as much, or more
	// maxSteps bounds how far the hand goes for one eviction, and so how long
	// the lock is held.
	maxSteps = 16
	// sizeOfNode is what a text takes apart from its bytes: node, ring, value.
	sizeOfNode = 400
)

func newTable[V any](limit int) *table[V] {
	n := max(limit/bytesPerBucket, 1)
	return &table[V]{seed: maphash.MakeSeed(), limit: limit, buckets: make([]atomic.Pointer[node[V]], 1<<bits.Len(uint(n-1)))}
}

func (t *table[V]) hash(text []byte) uint64 { return maphash.Bytes(t.seed, text) }

func (t *table[V]) bucket(hash uint64) *atomic.Pointer[node[V]] {
	return &t.buckets[hash&uint64(len(t.buckets)-1)]
}

// get returns the node of a text with this hash, nil if there is none. A node
// that is evicted meanwhile still leads on to those behind it.
func (t *table[V]) get(text []byte, hash uint64) *node[V] {
	for n := t.bucket(hash).Load(); n != nil; n = n.next.Load() {
		if n.hash == hash && n.text == string(text) {
			if !n.recent.Load() { // a store would take the cache line from other loops
				n.recent.Store(true)
			}
			return n
		}
	}
	return nil
}

// put remembers a node and returns it, or the one with its text that was there
// first. A node that is too large to be remembered is returned all the same.
func (t *table[V]) put(n *node[V], text []byte) *node[V] {
	n.at = -1
	n.size += sizeOfNode + len(n.text)
	if n.size > t.limit/8 {
		return n
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if old := t.get(text, n.hash); old != nil {
		return old
	}
	head := t.bucket(n.hash)
	n.next.Store(head.Load())
	head.Store(n)
	n.at = len(t.ring)
	t.ring = append(t.ring, n)
	t.charge(n, n.size)
	return n
}

// grow notes that a node takes more bytes than before.
func (t *table[V]) grow(n *node[V], bytes int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n.at >= 0 {
		n.size += bytes
		t.charge(n, bytes)
	}
}

// charge counts the bytes of a node and evicts others until there is room. mu
// is held.
func (t *table[V]) charge(n *node[V], bytes int) {
	t.used += bytes
	for t.used > t.limit && len(t.ring) > 0 {
		t.evict(t.victim(n))
	}
}

// victim returns the next node that has not been looked up since the hand
// passed, or the one where the hand stops; not the one given, unless there is
// no other. mu is held.
func (t *table[V]) victim(but *node[V]) *node[V] {
	var n *node[V]
	for range maxSteps {
		t.hand++
		if t.hand >= len(t.ring) {
			t.hand = 0
		}
		at := t.ring[t.hand]
		if at == but && len(t.ring) > 1 {
			continue
		}
		n = at
		if !n.recent.Swap(false) {
			break
		}
	}
	return n
}

// evict forgets a node. mu is held.
func (t *table[V]) evict(n *node[V]) {
	link := t.bucket(n.hash)
	for link.Load() != n {
		link = &link.Load().next
	}
	link.Store(n.next.Load())
	last := len(t.ring) - 1
	t.ring[n.at] = t.ring[last]
	t.ring[n.at].at = n.at
	t.ring[last] = nil
	t.ring = t.ring[:last]
	n.at = -1
	t.used -= n.size
	t.evicted++
}

// stat says how much the table holds.
func (t *table[V]) stat() (nodes, bytes int, evicted uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.ring), t.used, t.evicted
}
