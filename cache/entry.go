package cache

import (
	"slices"
	"sync/atomic"
	"time"
	"unsafe"
)

// An Answer is what NewEntry makes an Entry of.
type Answer struct {
	// Core is the backend's frames RowDescription (if there was one), DataRow
	// and CommandComplete. It stays the caller's.
	Core []byte
	// Stamp was taken before the query was forwarded.
	Stamp Stamp
	// Fresh, Stale and OnError are points in monotonic time. Up to Fresh the
	// answer is served, up to Stale it is served while somebody refreshes it, and
	// up to OnError only where PostgreSQL does not answer. Each is at least the
	// one before, or counts as that.
	Fresh, Stale, OnError int64
	// Made is when the query was forwarded, or later.
	Made int64
	// Cost is how long PostgreSQL took, in nanoseconds.
	Cost int64
	// Rows is the number of DataRows.
	Rows int64
	// MaxEntry is in place of the configuration's if a rule has one.
	MaxEntry Bytes
	// Shape is the statement shape that the answer belongs to.
	Shape *Shape
}

// An Entry is a remembered answer. It never changes, apart from who refreshes it, and
// that it has been served. Its bytes stay valid for as long as somebody has it, also
// when the cache has dropped it.
type Entry struct {
	facts
	core   []byte
	packed bool // core is compressed

	refreshed atomic.Int64 // when somebody was last told to refresh it
	served    atomic.Bool
}

// facts are what is known of an answer.
type facts struct {
	stamp Stamp
	shape *Shape

	made                  int64
	fresh, stale, onError int64
	cost, rows            int64
	limit                 Bytes
	size                  int // of the frames
}

// entryOverhead is what an entry takes in memory apart from its core: itself, and
// its places in ristretto's maps.
const entryOverhead = int64(unsafe.Sizeof(Entry{})) + 160

// refreshPatience is how long Get waits for who was told to refresh an entry
// before it tells another.
const refreshPatience = int64(10 * time.Second)

// NewEntry returns an entry of the answer, with a copy of its frames. Frames over
// compress_over are kept compressed if that saves 30 %: this takes some four
// milliseconds for a megabyte, and a quarter of that to unpack.
func (c *Cache) NewEntry(a Answer) *Entry {
	cfg := c.cfg.Load()
	e := &Entry{facts: facts{
		stamp: a.Stamp, shape: a.Shape, made: a.Made,
		fresh: a.Fresh, stale: max(a.Stale, a.Fresh), onError: max(a.OnError, a.Stale, a.Fresh),
		cost: a.Cost, rows: a.Rows, limit: a.MaxEntry, size: len(a.Core),
	}}
	if e.limit <= 0 {
		e.limit = cfg.MaxEntry
	}
	if over := cfg.CompressOver; over > 0 && Bytes(e.size) > over && Bytes(e.size) <= e.limit {
		e.core = pack(a.Core)
	}
	if e.packed = e.core != nil; e.packed {
		c.packedIn.Add(int64(e.size))
		c.packedOut.Add(int64(len(e.core)))
	} else {
		e.core = slices.Clone(a.Core)
	}
	return e
}

// Core returns the frames without a copy, not to be changed; false if they are
// compressed.
func (e *Entry) Core() ([]byte, bool) { return e.core, !e.packed }

// AppendTo appends the frames to dst.
func (e *Entry) AppendTo(dst []byte) []byte {
	if !e.packed {
		return append(dst, e.core...)
	}
	return appendUnpacked(dst, e.core, e.size)
}

// Shape is the statement shape that the answer belongs to.
func (e *Entry) Shape() *Shape { return e.shape }

// Size is the length of the frames.
func (e *Entry) Size() int { return e.size }

// Rows is the number of DataRows.
func (e *Entry) Rows() int64 { return e.rows }

// Cost is how long PostgreSQL took for the answer, in nanoseconds.
func (e *Entry) Cost() int64 { return e.cost }

// Serve notes that the entry is served. Get does, for what it returns.
func (e *Entry) Serve() {
	if !e.served.Load() { // so that loops do not write to it each time
		e.served.Store(true)
	}
}

// Current reports whether nothing that the answer depends on has changed since
// its query was forwarded: to look again when an answer has turned out to be
// different from PostgreSQL's.
func (e *Entry) Current() bool { return e.stamp.Current() }

// memory is what the entry takes.
func (e *Entry) memory() int64 {
	return entryOverhead + int64(cap(e.core)) + int64(cap(e.stamp.more))*int64(unsafe.Sizeof(dep{}))
}

// check says whether the entry may be served as far as time goes.
func (e *Entry) check(now int64) Outcome {
	switch {
	case now < e.fresh:
		return Hit
	case now >= e.stale:
		return Expired
	case e.claim(now):
		return Refresh
	}
	return Stale
}

// claim reports whether the caller has to refresh the entry: one caller, and
// another if nothing has come of it for long.
func (e *Entry) claim(now int64) bool {
	last := e.refreshed.Load()
	if last != 0 && now-last < refreshPatience {
		return false
	}
	return e.refreshed.CompareAndSwap(last, now)
}
