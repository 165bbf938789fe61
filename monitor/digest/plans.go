package digest

import (
	"slices"
	"time"
)

// maxPlans bounds the plans that are remembered of a shape.
const maxPlans = 10

// Flip is a change of the plan of a shape.
type Flip struct {
	Before, After PlanUse
	Flaps         bool // it is the third within an hour, at least
}

// changes are when the plan has changed the last times, the oldest first.
type changes [3]time.Time

// next notes a change, and reports whether all of them are of one hour.
func (c *changes) next(now time.Time) bool {
	copy(c[:], c[1:])
	c[len(c)-1] = now
	return now.Sub(c[0]) < time.Hour
}

// SawPlan notes that a shape was explained, with which plan of which cost, and returns the change if
// it is another one than the last time.
func (t *Table) SawPlan(id ID, fingerprint string, cost float64) (flip Flip, flipped bool) {
	t.collect()
	for _, sh := range t.registry.all() {
		if sh.id == id {
			t.mu.Lock()
			defer t.mu.Unlock()
			return sh.stat.sawPlan(fingerprint, cost, t)
		}
	}
	return Flip{}, false
}

func (ta *tally) sawPlan(fingerprint string, cost float64, t *Table) (flip Flip, flipped bool) {
	if ta.histogram == nil {
		ta.histogram, ta.first, ta.last = new(Histogram), t.now(), t.now()
	}
	now, n := t.now(), len(ta.plans)
	if n > 0 && ta.plans[n-1].Plan == fingerprint {
		ta.plans[n-1].close(ta)
		ta.plans[n-1].Seen++
		ta.plans[n-1].Last, ta.plans[n-1].Cost = now, cost
		return Flip{}, false
	}
	use := PlanUse{Plan: fingerprint, First: now}
	if i := slices.IndexFunc(ta.plans, func(p PlanUse) bool { return p.Plan == fingerprint }); i >= 0 {
		use = ta.plans[i]
	}
	if n > 0 { // what ran since the last one was seen may have had either
		use.start, use.calls = *ta.histogram, ta.counts.Calls
		flip.Before, flip.Flaps, flipped = ta.plans[n-1], ta.changes.next(now), true
	}
	use.close(ta)
	use.Seen++
	use.Last, use.Cost = now, cost
	ta.plans = slices.DeleteFunc(ta.plans, func(p PlanUse) bool { return p.Plan == fingerprint })
	if len(ta.plans) >= maxPlans {
		ta.plans = slices.Delete(ta.plans, 0, 1)
	}
	ta.plans = append(ta.plans, use)
	flip.After = use
	return flip, flipped
}

// close adds what ran up to now. The first plan of a shape has all that ran before it was seen.
func (u *PlanUse) close(ta *tally) {
	since := ta.histogram.Minus(&u.start)
	for i, n := range since {
		u.Histogram[i] += n
	}
	u.Calls += ta.counts.Calls - min(u.calls, ta.counts.Calls)
	u.start, u.calls = *ta.histogram, ta.counts.Calls
}
