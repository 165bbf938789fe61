package digest

import (
	"encoding/binary"
	"hash/fnv"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// ID names a shape in the console, the dashboard and logs. It is the same after a
// restart, and on every PgJay.
type ID uint64

// String returns 16 hexadecimal digits.
func (id ID) String() string {
	const digits = 16
	s := strconv.FormatUint(uint64(id), 16)
	return strings.Repeat("0", digits-len(s)) + s
}

// ParseID reads what String has written.
func ParseID(s string) (id ID, ok bool) {
	n, err := strconv.ParseUint(s, 16, 64)
	return ID(n), err == nil
}

// Owner is who statements are counted for: a user in a database, as the client names
// them. Any goroutine may use it.
type Owner struct {
	Database, User string
	salt           uint64       // of the keys of its shapes
	slow           atomic.Int64 // ns; 0: nothing is slow
	explain        atomic.Int64 // ns; 0: nothing is explained
}

// Slow is from which duration in ns on a statement is logged; 0: never.
func (o *Owner) Slow() int64 { return o.slow.Load() }

// Explain is from which time in ns on, of the backend's, a statement is explained; 0:
// never.
func (o *Owner) Explain() int64 { return o.explain.Load() }

// Shape is a statement without its literals, of one owner.
type Shape struct {
	id   ID
	text string
	// literal is set when the text has placeholders, where there may be parameters: they stand
	// for literals, if it comes with a Query.
	literal bool
	// mixed is set when it stands for different statements, of which nothing is known but
	// their number and time.
	mixed  bool
	owner  *Owner
	key    uint64      // in the registry; 0: it is not there
	serial uint64      // the later it was made the higher
	gone   atomic.Bool // it has been forgotten: what is recorded for it is lost

	stat tally // guarded by the table's mu
}

// ID names the shape.
func (sh *Shape) ID() ID { return sh.id }

// Text is the shape for people, with $1 and so on in the place of literals.
func (sh *Shape) Text() string { return sh.text }

// Mixed reports whether it stands for statements that could not be told from each other: one
// after the other they are no row of equal ones, nor do their plans compare.
func (sh *Shape) Mixed() bool { return sh.mixed }

// Owner is whose statement it is.
func (sh *Shape) Owner() *Owner { return sh.owner }

// Current reports whether the shape is that of an owner, and not forgotten yet. A nil
// one is not.
func (sh *Shape) Current(o *Owner) bool { return sh != nil && sh.owner == o && !sh.gone.Load() }

func newShape(o *Owner, key uint64, text string, mixed bool) *Shape {
	h := fnv.New64a()
	if mixed {
		_, _ = h.Write([]byte("mixed"))
	}
	for _, part := range []string{o.Database, o.User, text} {
		_ = binary.Write(h, binary.LittleEndian, uint32(len(part))) // a hash returns no error
		_, _ = h.Write([]byte(part))
	}
	return &Shape{id: ID(h.Sum64()), text: text, literal: strings.Contains(text, "$1") && takesParameters(text), mixed: mixed, owner: o, key: key}
}

// takesParameters reports whether a text may have parameters: utility statements may not.
func takesParameters(text string) bool {
	if strings.HasPrefix(text, "with ") { // its command may be far behind
		return true
	}
	switch sqlparse.Classify([]byte(text[:min(len(text), maxVerb)])).First {
	case sqlparse.CommandSelect, sqlparse.CommandValues, sqlparse.CommandInsert, sqlparse.CommandUpdate, sqlparse.CommandDelete, sqlparse.CommandMerge:
		return true
	}
	return false
}

// tally is what is counted of a shape.
type tally struct {
	counts    Counts
	histogram *Histogram // nil: nothing has been recorded
	first     time.Time
	last      time.Time
	plans     []PlanUse
	changes   changes // of the plan
	storm     storm
}

// StormTime is for how long conflicts are counted together.
const StormTime = 10 * time.Second

// storm is how many conflicts there were since its beginning.
type storm struct {
	from time.Time
	n    uint64
}

// next counts a conflict, and returns how many there are now in StormTime.
func (s *storm) next(now time.Time) uint64 {
	if now.Sub(s.from) > StormTime {
		*s = storm{from: now}
	}
	s.n++
	return s.n
}
