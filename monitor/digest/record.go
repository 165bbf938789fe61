package digest

import (
	"hash/maphash"
	"sync/atomic"

	"golang.org/x/sys/cpu"

	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// Record is an execution that has ended, or several of one statement in one exchange.
type Record struct {
	Shape *Shape
	Calls uint32 // executions
	// GoesOn is set when it is more of executions that were counted before: it is no call.
	GoesOn bool
	// Source is where the answer came from.
	Source Source
	// Rewritten is set when another text was sent in place of the client's.
	Rewritten bool
	// Query is set when its text was sent with it, not prepared before.
	Query    bool
	Code     [5]byte // SQLSTATE of its error; zero: it did not fail
	Duration int64   // ns as the client saw it
	Wait     int64   // ns of it waiting for a backend
	Backend  int64   // ns of it that PostgreSQL and the way to it took
	// Of an execution that was alone in its exchange: FirstRow is the ns of Backend until
	// its first row came, 0 if there was none, and Stalled those in which the client did
	// not take what there was for it.
	FirstRow, Stalled int64
	Rows              uint64 // that were returned or changed
	Bytes             uint64 // of the reply
	// Streak is how often the client has now run this shape without another one
	// between, within a second of the one before, and Same how often of that with the
	// same parameters or literals. They are 0 but at the marks of StreakMark.
	Streak, Same uint32
	Slow         *Slow  // what is logged, if it is slow; nil: it is not
	Trace        *Trace // nil: nobody is told
}

// Source is where an answer came from.
type Source uint8

// The sources.
const (
	SourceBackend   Source = iota
	SourceCache            // remembered
	SourceCoalesced        // another client's, which was asking for the same
	SourceProxy            // PgJay's own
	sourceCount
)

// String names the source as metrics do.
func (s Source) String() string {
	return [...]string{SourceBackend: "backend", SourceCache: "cache", SourceCoalesced: "coalesced", SourceProxy: "proxy"}[s%sourceCount]
}

// StreakMark is at which length a row of equal statements is noted: so many are too
// many. One that goes on is noted again at each multiple.
const StreakMark = 20

// ringSize is how many Records may wait for the collector; a power of two. A loop
// makes 200,000 in a second at the very most, and is never further behind than
// half of them: then it wakes the collector.
const ringSize = 1 << 13

// ring has one writer, the loop, and one reader, who holds the table's mu.
type ring struct {
	slots   [ringSize]Record
	_       cpu.CacheLinePad
	head    atomic.Uint64 // of the writer: slots before it are full
	seen    uint64        // tail as the writer saw it last
	dropped atomic.Uint64
	_       cpu.CacheLinePad
	tail    atomic.Uint64 // of the reader: slots before it are free
	_       cpu.CacheLinePad
}

// Recorder is the end of a Table that one loop writes to. Its methods are for that
// loop only.
type Recorder struct {
	table   *Table
	ring    ring
	known   map[uint64]*Shape // by what Find makes of texts; several may be of one Shape
	scratch []byte
}

// Record hands over an execution. It never blocks: if there is no room, it is dropped.
func (r *Recorder) Record(rec *Record) {
	q := &r.ring
	head := q.head.Load()
	if head-q.seen >= ringSize/2 {
		q.seen = q.tail.Load()
		if head-q.seen >= ringSize/2 {
			r.table.wake()
		}
		if head-q.seen >= ringSize {
			q.dropped.Store(q.dropped.Load() + 1)
			return
		}
	}
	if rec.Trace != nil {
		rec.Trace.Ended = r.table.now()
	}
	q.slots[head%ringSize] = *rec
	q.head.Store(head + 1)
}

// drain calls f for all that waits. The caller holds the table's mu.
func (q *ring) drain(f func(*Record)) {
	head := q.head.Load()
	for tail := q.tail.Load(); tail < head; tail++ {
		rec := &q.slots[tail%ringSize]
		f(rec)
		*rec = Record{} // the garbage collector may have what it refers to
		q.tail.Store(tail + 1)
	}
}

const (
	// maxKnown bounds what a loop remembers. Then it forgets all: what is in use is
	// known again soon.
	maxKnown = 1 << 13
	// maxShaped is the longest text, in bytes, that is told from others of its kind.
	maxShaped = 16 << 10
	// maxVerb is how much of another one is read, for its command.
	maxVerb = 256
)

var keySeed = maphash.MakeSeed()

// Find returns the shape of a text. For one that the loop knows it neither locks nor
// allocates. Texts that only differ in what stands for a value (a string, a number, a
// parameter) have one. Two shapes are taken for one if their keys, of 64 bits, are the same.
func (r *Recorder) Find(o *Owner, text []byte) *Shape {
	shape, ok := []byte(nil), false
	if len(text) <= maxShaped {
		shape, ok = sqlparse.AppendShape(r.scratch[:0], text)
		r.scratch = shape[:0]
	}
	if !ok {
		return r.unreadable(o, text)
	}
	key := maphash.Bytes(keySeed, shape) ^ o.salt
	if sh := r.known[key]; sh.Current(o) {
		return sh
	}
	return r.learn(o, key, sqlparse.ShapeText(shape), false)
}

// unreadable returns the shape of all texts that begin with the same command and are
// too long, or written so that it is not certain what their literals are.
func (r *Recorder) unreadable(o *Owner, text []byte) *Shape {
	command := sqlparse.Classify(text[:min(len(text), maxVerb)]).First
	key := maphash.String(keySeed, command.Label()) ^ o.salt ^ 1
	if sh := r.known[key]; sh.Current(o) {
		return sh
	}
	return r.learn(o, key, command.Label()+" (too long, or not to be read for sure)", true)
}

func (r *Recorder) learn(o *Owner, key uint64, text string, mixed bool) *Shape {
	sh := r.table.shape(o, text, mixed)
	if sh.key == 0 { // for want of room
		return sh
	}
	if len(r.known) >= maxKnown {
		clear(r.known)
	}
	r.known[key] = sh
	return sh
}
