package digest

import (
	"cmp"
	"slices"
	"time"
)

// Counts are the sums of a shape since it was first seen, or since Reset.
type Counts struct {
	Calls, Errors, Rows, Bytes uint64
	Sources                    [sourceCount]uint64 // calls by where the answer came from
	Rewritten                  uint64              // calls that another text was sent for
	Parts                      uint64              // of calls whose rows were taken in parts, those but the first
	Slow                       uint64              // records that were slow
	Literal                    uint64              // calls of PostgreSQL with values in the text
	Conflicts                  uint64              // serialization failures and deadlocks
	Storm                      uint64              // the most of them in StormTime
	// Streaks counts rows of StreakMark executions without another statement between,
	// SameStreaks those in which the parameters were the same too.
	Streaks, SameStreaks uint64
	// Total is the time as clients saw it. Its parts are Wait for a backend, Backend
	// (PostgreSQL and the way to it) and Proxy.
	Total, Wait, Backend, Proxy, Max time.Duration
	// FirstRow is the part of Backend until first rows came, Stalled that in which clients
	// did not take what there was for them.
	FirstRow, Stalled time.Duration
	LastError         string // SQLSTATE; empty: there was none
}

// CacheShare is the part of the calls that PostgreSQL was not asked for, from 0 to 1.
func (c *Counts) CacheShare() float64 {
	return share(c.Sources[SourceCache]+c.Sources[SourceCoalesced], c.Calls)
}

// RewriteShare is the part of the calls that another text was sent for, from 0 to 1.
func (c *Counts) RewriteShare() float64 { return share(c.Rewritten, c.Calls) }

func share(n, of uint64) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}

// Stat is a copy of what is known of a shape.
type Stat struct {
	ID             ID
	Text           string // without literals
	Mixed          bool   // as of its Shape
	Database, User string
	Counts
	Histogram   Histogram // of the time as clients saw it
	First, Last time.Time
	Plans       []PlanUse // oldest first
}

// Quantile returns the duration that this part of the calls stay below.
func (s *Stat) Quantile(q float64) time.Duration { return min(s.Histogram.Quantile(q), s.Max) }

// Mean is the average duration.
func (s *Stat) Mean() time.Duration {
	if s.Calls == 0 {
		return 0
	}
	return s.Total / time.Duration(s.Calls)
}

// PlanUse is a plan that a shape was seen with.
type PlanUse struct {
	Plan        string // its fingerprint: plan.Plan.ID
	First, Last time.Time
	Seen        int     // how often it was explained with this plan
	Cost        float64 // the planner's, the last time
	// Calls and Histogram are of what ran from when this was the plan seen until it was seen for
	// the last time before another; of the last one, until now.
	Calls     uint64
	Histogram Histogram
	start     Histogram // the shape's up to which they count
	calls     uint64
}

// Snapshot returns all shapes that were run, those that took most time first. What has
// just ended is part of it.
func (t *Table) Snapshot() []Stat {
	stats, _ := t.SnapshotSum()
	return stats
}

// Sum is what was counted of all shapes, with those that were forgotten.
type Sum struct {
	Calls uint64
	Total time.Duration
}

// SnapshotSum is Snapshot with the sum as of the same moment.
func (t *Table) SnapshotSum() ([]Stat, Sum) {
	t.collect()
	shapes := t.registry.all()
	stats := make([]Stat, 0, len(shapes))
	t.mu.Lock()
	sum := t.sum
	for _, sh := range shapes {
		if sh.stat.histogram != nil {
			stats = append(stats, sh.snapshot())
		}
	}
	t.mu.Unlock()
	slices.SortFunc(stats, func(a, b Stat) int { return cmp.Or(cmp.Compare(b.Total, a.Total), cmp.Compare(a.ID, b.ID)) })
	return stats, sum
}

// Find returns one shape.
func (t *Table) Find(id ID) (Stat, bool) {
	t.collect()
	for _, sh := range t.registry.all() {
		if sh.id != id {
			continue
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		if sh.stat.histogram == nil {
			return Stat{}, false
		}
		return sh.snapshot(), true
	}
	return Stat{}, false
}

// snapshot copies what is known. The caller holds the table's mu.
func (sh *Shape) snapshot() Stat {
	s := Stat{
		ID: sh.id, Text: sh.text, Mixed: sh.mixed, Database: sh.owner.Database, User: sh.owner.User,
		Counts: sh.stat.counts, Histogram: *sh.stat.histogram, First: sh.stat.first, Last: sh.stat.last,
		Plans: slices.Clone(sh.stat.plans),
	}
	if n := len(s.Plans); n > 0 {
		s.Plans[n-1].close(&sh.stat)
	}
	return s
}

// Totals says what became of the records.
type Totals struct {
	Shapes  int       // in the table
	Max     int       // that may be
	Dropped uint64    // records for which a ring had no room
	Lost    uint64    // records of shapes that had just been forgotten
	Pruned  uint64    // shapes that were forgotten
	Slow    uint64    // slow statements
	Since   time.Time // the start, or the last Reset
}

// Totals returns them.
func (t *Table) Totals() Totals {
	t.collect()
	t.mu.Lock()
	s := Totals{Lost: t.lost, Pruned: t.pruned, Slow: t.slow.count, Since: t.started}
	t.mu.Unlock()
	for _, r := range t.recorders {
		s.Dropped += r.ring.dropped.Load()
	}
	t.registry.mu.Lock()
	s.Shapes, s.Max = len(t.registry.shapes), t.registry.max
	t.registry.mu.Unlock()
	return s
}

// Reset begins anew: all shapes, numbers and slow statements are forgotten.
func (t *Table) Reset() {
	t.collect()
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, sh := range t.registry.all() {
		sh.stat = tally{}
	}
	t.slow, t.started = slowRing{}, t.now()
	t.lost, t.pruned, t.sum = 0, 0, Sum{}
}
