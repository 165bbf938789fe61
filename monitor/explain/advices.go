package explain

import (
	"cmp"
	"slices"
	"time"

	"github.com/pgjay/pgjay/monitor/advice"
	"github.com/pgjay/pgjay/monitor/digest"
)

// maxAdvices bounds the advice that is kept: what was seen last stays.
const maxAdvices = 500

// adviceBook has what plans have led to. Its owner locks.
type adviceBook struct {
	known map[string]*advice.Advice // by ID
}

func newAdviceBook() adviceBook { return adviceBook{known: make(map[string]*advice.Advice)} }

// add notes advice, or that there is reason for it again.
func (b *adviceBook) add(a advice.Advice, now time.Time) {
	if known := b.known[a.ID]; known != nil {
		a.First, a.Seen = known.First, known.Seen
	} else {
		a.First = now
	}
	a.Last = now
	a.Seen++
	b.known[a.ID] = &a
	for len(b.known) > maxAdvices {
		oldest := &a
		for _, other := range b.known {
			if other.Last.Before(oldest.Last) {
				oldest = other
			}
		}
		delete(b.known, oldest.ID)
	}
}

// list returns the advice there is, with that which the table of statements leads to.
func (b *adviceBook) list(stats []digest.Stat) []advice.Advice {
	list := advice.OfStatements(stats)
	for _, a := range b.known {
		if a.State != advice.Refuted {
			list = append(list, *a)
		}
	}
	slices.SortFunc(list, func(a, b advice.Advice) int {
		return cmp.Or(cmp.Compare(b.Saved, a.Saved), b.Last.Compare(a.Last), cmp.Compare(a.ID, b.ID))
	})
	return list
}
