package load

import (
	"math/rand/v2"
	"slices"

	"github.com/pgjay/pgjay/cmd/simulator/internal/crm"
)

// Workload knows every query. It is safe for concurrent use.
type Workload struct {
	data       *crm.Data
	importText string
	until      []int // sum of the weights up to each pattern
	apart      int   // whose imports these are
}

// Query is one that is asked.
type Query struct {
	Pattern Pattern
	Tenant  int
	SQL     string
	Args    []any
}

// New returns the mix of all patterns, or of those named only.
func New(data *crm.Data, only ...Pattern) *Workload {
	w := &Workload{data: data, until: make([]int, len(patterns))}
	w.importText = data.Contacts().Insert(importSize) + " on conflict (id) do nothing"
	sum := 0
	for p := range patterns {
		if len(only) == 0 || slices.Contains(only, Pattern(p)) {
			sum += patterns[p].weight
		}
		w.until[p] = sum
	}
	return w
}

// Apart is the same with imports of other contacts, for each n others: who writes to a
// database to which others have written the same has his rows to write too.
func (w *Workload) Apart(n int) *Workload {
	other := *w
	other.apart = n
	return &other
}

// Query is the query with the number i.
func (w *Workload) Query(i int) Query {
	r := rand.New(rand.NewPCG(w.data.Seed, uint64(i)))
	tenant := w.data.TenantOf(r)
	p := w.pattern(r.IntN(w.until[len(w.until)-1]))
	sql, args := patterns[p].query(w, r, tenant, i)
	return Query{p, tenant, sql, args}
}

// Tenant is whose query the one with the number i is.
func (w *Workload) Tenant(i int) int {
	return w.data.TenantOf(rand.New(rand.NewPCG(w.data.Seed, uint64(i))))
}

func (w *Workload) pattern(at int) Pattern {
	for p, until := range w.until {
		if at < until {
			return Pattern(p)
		}
	}
	panic("load: a number above all weights")
}
