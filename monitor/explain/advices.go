package explain

import (
	"cmp"
	"slices"
	"time"

	"github.com/pgjay/pgjay/monitor/advice"
	"github.com/pgjay/pgjay/monitor/digest"
	"github.com/pgjay/pgjay/pool"
)

// maxAdvices bounds the advice that is kept: what was seen last stays.
const maxAdvices = 500

// adviceBook has what plans have led to. Its owner locks.
type adviceBook struct {
	known map[string]*entry // by ID
}

// entry is advice, and what is needed to see whether it was followed.
type entry struct {
	advice.Advice
	shape digest.ID
	key   pool.Key          // as whom to look
	index *advice.Candidate // nil: it is none to be made
	table *advice.Table     // of an index that is not needed
	start digest.Histogram  // the shape's when the index was missing for the last time; once Adopted, when that was seen
}

func newAdviceBook() adviceBook { return adviceBook{known: make(map[string]*entry)} }

// add notes advice, or that there is reason for it again.
func (b *adviceBook) add(a *entry, now time.Time) {
	if known := b.known[a.ID]; known != nil {
		a.First, a.Seen = known.First, known.Seen
	} else {
		a.First = now
	}
	a.Last = now
	a.Seen++
	b.known[a.ID] = a
	for len(b.known) > maxAdvices {
		oldest := a
		for _, other := range b.known {
			if other.Last.Before(oldest.Last) {
				oldest = other
			}
		}
		delete(b.known, oldest.ID)
	}
}

// open returns the indexes that are advised and were not there yet.
func (b *adviceBook) open() (list []*entry) {
	for _, a := range b.known {
		if a.index != nil && a.State != advice.Adopted && a.State != advice.Refuted {
			list = append(list, a)
		}
	}
	return list
}

// adopted notes that an index is there now. What its statement ran since it was missing may
// have used it or not, and is of neither side.
func (a *entry) adopted(ran *digest.Stat, now time.Time) {
	a.State, a.Last = advice.Adopted, now
	a.Before = a.start.Quantile(0.5)
	a.start = ran.Histogram
}

// list returns the advice there is, with that which the table of statements leads to.
func (b *adviceBook) list(stats []digest.Stat, t advice.Thresholds) []advice.Advice {
	list := advice.OfStatements(stats, t)
	for _, a := range b.known {
		if a.State == advice.Refuted {
			continue
		}
		told := a.Advice
		if i := slices.IndexFunc(stats, func(s digest.Stat) bool { return s.ID == a.shape }); i >= 0 {
			told = a.with(&stats[i])
		}
		list = append(list, told)
	}
	slices.SortFunc(list, func(a, b advice.Advice) int {
		return cmp.Or(cmp.Compare(b.Saved, a.Saved), b.Last.Compare(a.Last), cmp.Compare(a.ID, b.ID))
	})
	return list
}

// with adds what the statistics of the statement say now.
func (a *entry) with(s *digest.Stat) advice.Advice {
	told := a.Advice
	switch {
	case a.Kind == advice.PlanFlip:
		if worse, why := advice.Worse(s.Plans); worse {
			told.Why += "; " + why
		}
	case a.State == advice.Adopted:
		since := s.Histogram.Minus(&a.start)
		told.After = since.Quantile(0.5)
	case a.index != nil:
		told.Saved = advice.PerHour(s.Backend, s.Last.Sub(s.First))
	}
	return told
}
