package digest

import "slices"

// maxPlans bounds the plans that are remembered of a shape.
const maxPlans = 10

// Flip is a change of the plan of a shape.
type Flip struct{ Before, After PlanUse }

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
		ta.plans[n-1].Seen++
		ta.plans[n-1].Last, ta.plans[n-1].Cost = now, cost
		return Flip{}, false
	}
	use := PlanUse{Plan: fingerprint, First: now}
	if i := slices.IndexFunc(ta.plans, func(p PlanUse) bool { return p.Plan == fingerprint }); i >= 0 {
		use = ta.plans[i]
	}
	if n > 0 {
		ta.plans[n-1].close(ta)
		flip.Before, flipped = ta.plans[n-1], true
	}
	use.Seen++
	use.Cost = cost
	use.Last, use.start, use.calls = now, *ta.histogram, ta.counts.Calls
	ta.plans = slices.DeleteFunc(ta.plans, func(p PlanUse) bool { return p.Plan == fingerprint })
	if len(ta.plans) >= maxPlans {
		ta.plans = slices.Delete(ta.plans, 0, 1)
	}
	ta.plans = append(ta.plans, use)
	flip.After = use
	return flip, flipped
}

// close adds what ran while the plan was the last one seen.
func (u *PlanUse) close(ta *tally) {
	since := ta.histogram.Minus(&u.start)
	for i, n := range since {
		u.Histogram[i] += n
	}
	u.Calls += ta.counts.Calls - min(u.calls, ta.counts.Calls)
	u.start, u.calls = *ta.histogram, ta.counts.Calls
}
