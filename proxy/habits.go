package proxy

import (
	"bytes"
	"hash/maphash"
	"regexp"
	"sync"
	"time"
	"unique"

	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// habits remembers which texts with functions that are not known leave nothing
// behind, so that the backend need not be asked each time. A text is trusted when
// it has left nothing, and no function of the database changes settings: another
// time it might change one that it has left alone this time. Trust is checked
// again, at first soon and then at times. It is safe for concurrent use.
type habits struct {
	mu    sync.RWMutex
	known map[habitKey]*habit // guarded by mu
}

type habitKey struct {
	pool  *pool.Pool
	scope unique.Handle[string]
	hash  uint64
}

type habit struct {
	text []byte // or its pattern

	mu      sync.Mutex
	runs    uint64 // guarded by mu; since it was forgotten last
	checked int64  // guarded by mu; when the backend was asked last
	leaves  bool   // guarded by mu; it has left something once
}

const (
	// maxHabits bounds the memory.
	maxHabits = 10000
	// habitFor is how long a text is trusted.
	habitFor = time.Minute
	// habitRuns is how often it runs at most before it is checked again.
	habitRuns = 1024
)

var habitSeed = maphash.MakeSeed()

// opaque are the reasons of statements that may leave anything, or nothing.
const opaque = sqlparse.Reasons(1<<sqlparse.ReasonFunction | 1<<sqlparse.ReasonDo | 1<<sqlparse.ReasonCall)

// hasHabits reports whether a statement is one that it pays to know.
func hasHabits(class sqlparse.Class) bool {
	return class.Pins != 0 && class.Pins&^opaque == 0 && class.Statements == 1 && !class.Stateful
}

// habitOf returns the key of a text's habit, and what it stands for: the text or
// its pattern. That is valid until the loop's scratch is used again.
func (s *session) habitOf(text []byte) (habitKey, []byte) {
	if !s.hidden.leavers(s.who.pool.Key()) {
		if pattern, ok := sqlparse.AppendPattern(s.scratch[:0], text); ok && !runsTexts(pattern) {
			text = pattern
		}
	}
	return habitKey{s.who.pool, s.who.scope, maphash.Bytes(habitSeed, text)}, text
}

// runsTexts reports whether a pattern may have one of those functions of PostgreSQL
// that run what they are given, or views whose names they are given.
func runsTexts(pattern []byte) bool {
	for _, name := range [...]string{"_to_xml", "ts_stat", "ts_rewrite"} {
		if bytes.Contains(pattern, []byte(name)) {
			return true
		}
	}
	return false
}

// trusts reports whether a text leaves nothing, as far as is known.
func (s *session) trusts(text []byte) bool {
	k, text := s.habitOf(text)
	return s.habits.trusted(k, text, s.loop.Now())
}

// trusted reports whether a text leaves nothing, as far as is known.
func (h *habits) trusted(k habitKey, text []byte, now int64) bool {
	h.mu.RLock()
	known := h.known[k]
	h.mu.RUnlock()
	return known != nil && bytes.Equal(known.text, text) && known.trusted(now)
}

func (h *habit) trusted(now int64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.runs++
	powerOfTwo := h.runs&(h.runs-1) == 0
	return !h.leaves && !powerOfTwo && h.runs%habitRuns != 0 && now-h.checked < int64(habitFor)
}

// learn notes what a run of a text has left.
func (h *habits) learn(k habitKey, text []byte, leaves bool, now int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	known := h.known[k]
	if known == nil || !bytes.Equal(known.text, text) {
		if h.known == nil || len(h.known) >= maxHabits {
			h.known = make(map[habitKey]*habit)
		}
		known = &habit{text: bytes.Clone(text)}
		h.known[k] = known
	}
	known.mu.Lock()
	known.checked, known.leaves = now, known.leaves || leaves
	known.mu.Unlock()
}

// forget is called when the functions of a database may have changed.
func (h *habits) forget(database string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for k := range h.known {
		if k.pool.Key().Database == database {
			delete(h.known, k)
		}
	}
}

// defines reports whether a statement may change what names mean. That of DO and
// CALL is code, and may have none that does.
func (s *session) defines(class sqlparse.Class, text []byte) bool {
	code := class.Statements == 1 && (class.First == sqlparse.CommandDo || class.First == sqlparse.CommandCall)
	return class.Defines && (!code || changesNames.Match(text) || s.hidden.leavers(s.who.pool.Key()))
}

// changesNames finds in a text with code in it what askLeavers finds in the source of
// a function.
var changesNames = regexp.MustCompile(`(?i)\b(?:execute|create|alter|drop|import)\b|_to_xml|ts_stat|ts_rewrite|language`)

// changesSettings finds in a text what askSetters finds in the source of a
// function.
var changesSettings = regexp.MustCompile(`(?i)set_config|(?:^|;|begin|then|else|loop|'|\$)\s*(?:set|reset|discard)\s`)
