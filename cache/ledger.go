package cache

import (
	"math"
	"sync/atomic"
	"time"
)

// A ledger decides whether caching pays for a shape or a table. With O what the
// execution of a statement costs, H what a hit costs and X what a miss costs on
// top of the execution (M - O in other words), of a part r of hits
//
//	r * (O - H)  is won and  (1 - r) * X  is lost:
//
// more is won than lost if r > X / (O + X - H), which is (M - O) / (M - H). The
// ledger keeps the sum itself, as a debt that hits pay off. When it is above the
// limit the cache is off for that shape or table, and costs next to nothing. After a
// while it is tried again: if that is in vain, it takes twice as long until the next
// time. A try may lose a part of the limit for each look that was let pass before it:
// where much is asked for it takes many misses until there are hits. The zero ledger is
// on.
type ledger struct {
	debt atomic.Int64 // nanoseconds, not below 0 for long
	off  atomic.Bool
	// While it is off: when it is looked next whether to try again, and how many looks
	// are still to be let pass; 0 while on, and before the first.
	next atomic.Int64
	wait atomic.Int64
	// pause is how many looks are let pass before the next try.
	pause atomic.Int64
	// seen is what the version was at the last look, at when that was, and pace how much
	// it had grown in a second since the one before: a float64's bits.
	seen, pace atomic.Uint64
	at         atomic.Int64
}

// What may be lost before the cache is off: for one shape, and for all answers
// that depend on a table.
const (
	minLimit    = int64(2 * time.Millisecond)
	limitMisses = 200 // or what this many misses lose
	tableLimit  = 5   // times the limit of one shape
)

const (
	// lookEvery is how often it is looked whether to try again.
	lookEvery = int64(time.Second)
	// maxTry is what a try may lose for each look before it: half a per cent.
	maxTry = lookEvery / 200
	// maxPause is after how many looks it is tried again at the latest.
	maxPause = 30
)

func (l *ledger) lose(ns, limit int64) {
	if l.debt.Add(ns) > limit && !l.off.Load() {
		l.off.Store(true)
	}
}

// win pays off. In the normal case, without a debt, it writes nothing.
func (l *ledger) win(ns, limit int64) {
	if l.debt.Load() <= 0 {
		return
	}
	debt := l.debt.Add(-ns)
	if debt < 0 {
		l.debt.Store(0)
		l.pause.Store(0)
	}
	if debt <= limit/2 && l.off.Load() {
		l.open()
	}
}

// book is win or lose.
func (l *ledger) book(ns, limit int64) {
	if ns >= 0 {
		l.win(ns, limit)
	} else {
		l.lose(-ns, limit)
	}
}

// admit reports whether the cache is on. version is how often the table was written.
func (l *ledger) admit(now, limit int64, version uint64) bool {
	if !l.off.Load() {
		return true
	}
	next := l.next.Load()
	if now < next || !l.next.CompareAndSwap(next, now+lookEvery) {
		return false
	}
	// One caller gets here.
	before := math.Float64frombits(l.pace.Load())
	pace := float64(version-l.seen.Load()) / max(float64(now-l.at.Load())/float64(time.Second), 1e-3)
	l.seen.Store(version)
	l.at.Store(now)
	l.pace.Store(math.Float64bits(pace))
	if next == 0 { // it has been switched off
		l.wait.Store(l.pause.Load())
		return false
	}
	calm := 2*pace < before // half of the writes have gone
	if !calm && l.wait.Add(-1) >= 0 {
		return false
	}
	waited := l.pause.Load()
	if calm {
		waited = max(waited, 4)
	}
	l.pause.Store(min(2*waited+1, maxPause))
	l.debt.Store(limit - min(limit/4, maxTry)*(waited+1))
	l.open()
	return true
}

func (l *ledger) open() {
	l.next.Store(0)
	l.off.Store(false)
}

// A mean follows what it is given, mostly the last 16.
type mean struct{ v atomic.Int64 }

func (m *mean) add(ns int64) {
	old := m.v.Load()
	if old == 0 {
		old = ns
	}
	m.v.Store(old + (ns-old)/16)
}

func (m *mean) load() int64 { return m.v.Load() }

// A floor follows the lowest of what it is given, of some hundred.
type floor struct{ v atomic.Int64 }

func (f *floor) add(ns int64) {
	old := f.v.Load()
	if old == 0 || ns < old {
		f.v.Store(ns)
		return
	}
	f.v.Store(old + (ns-old)/256)
}

func (f *floor) load() int64 { return f.v.Load() }
