package cache

import (
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
// limit the cache is off for that shape or table. Then executions pay it off, with
// a small part of what they take: so trying costs never more than that part. What
// is on and what is off begins half a limit away from the change, so it does not
// flap. The zero ledger is on.
type ledger struct {
	debt  atomic.Int64 // nanoseconds, not below 0 for long
	since atomic.Int64 // when Admit first said no, 0 while on
	off   atomic.Bool
}

// What may be lost before the cache is off: for one shape, and for all answers
// that depend on a table.
const (
	minLimit    = int64(2 * time.Millisecond)
	limitMisses = 200 // or what this many misses lose
	tableLimit  = 5   // times the limit of one shape
)

const (
	// tryingCosts is the part of the executions' time that may be lost by trying.
	tryingCosts = 50 // 2 %
	// tryAgain is after how long it is tried again at the latest, with a quarter
	// of the limit.
	tryAgain = int64(30 * time.Second)
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

// executed pays off what was lost, while the cache is off.
func (l *ledger) executed(ns, limit int64) {
	if l.off.Load() {
		l.win(ns/tryingCosts, limit)
	}
}

// admit reports whether the cache is on.
func (l *ledger) admit(now, limit int64) bool {
	if !l.off.Load() {
		return true
	}
	since := l.since.Load()
	if since == 0 {
		l.since.CompareAndSwap(0, now)
		return false
	}
	if now-since < tryAgain || !l.since.CompareAndSwap(since, 0) {
		return false
	}
	l.debt.Store(limit - limit/4)
	l.open()
	return true
}

func (l *ledger) open() {
	l.since.Store(0)
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
