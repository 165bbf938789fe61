package cache

import (
	"sync"
	"sync/atomic"
)

// A Word says whether something that answers depend on is being changed, and
// which version it has: the low 16 bits count the writers in flight, the high 48
// are the version. An answer may be remembered and served only as long as all its
// words are what they were before its query was forwarded.
//
// A writer calls Begin before what makes its change visible is forwarded (the
// COMMIT, or a statement outside of a transaction), and End when the server has
// answered and before the client is told. Any number of goroutines may use a Word.
// Its version has a cache line to itself, as every hit reads it.
type Word struct {
	v atomic.Uint64

	// Writers that the low bits have no room for. Guarded by mu; not 0 only
	// while the low bits are all ones.
	mu   sync.Mutex
	more uint64
	_    [40]byte

	economy ledger // of the answers that depend on it
}

const (
	inFlight    = 1<<16 - 1 // the bits that count writers
	nextVersion = 1 << 16
)

// Begin says that a change is on its way. One End or Release belongs to it.
func (w *Word) Begin() {
	for {
		v := w.v.Load()
		if v&inFlight == inFlight {
			if w.beginMore() {
				return
			}
		} else if w.v.CompareAndSwap(v, v+1) {
			return
		}
	}
}

// beginMore counts a writer beyond the low bits, unless one of them has left.
func (w *Word) beginMore() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.v.Load()&inFlight != inFlight {
		return false
	}
	w.more++
	return true
}

// End ends a Begin and makes a new version, whether the change came about or
// not. Until it is known whether it did, do not call End.
func (w *Word) End() { w.leave(nextVersion) }

// Release ends a Begin without a new version, where it is known that nothing has
// changed: what depends on the word is valid again. It is for a statement that
// might have changed anything and has been asked what it did.
func (w *Word) Release() { w.leave(0) }

// leave takes one writer away and adds to the rest, in one step.
func (w *Word) leave(add uint64) {
	for {
		v := w.v.Load()
		switch v & inFlight {
		case 0:
			panic("cache: End or Release of a Word without Begin")
		case inFlight:
			if w.leaveFull(add) {
				return
			}
		default:
			if w.v.CompareAndSwap(v, v-1+add) {
				return
			}
		}
	}
}

// leaveFull is leave while the low bits are all ones. They become less only
// here, and only when nobody is counted in more.
func (w *Word) leaveFull(add uint64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.more > 0 {
		w.more--
		w.v.Add(add)
		return true
	}
	v := w.v.Load()
	return v&inFlight == inFlight && w.v.CompareAndSwap(v, v-1+add)
}

// Bump makes a new version: for a change of which one hears when it is visible
// already, and for what is to be forgotten.
func (w *Word) Bump() { w.v.Add(nextVersion) }

// Load returns the version, and whether no change is on its way.
func (w *Word) Load() (version uint64, stable bool) {
	v := w.v.Load()
	return v / nextVersion, v&inFlight == 0
}
