package monitor

import (
	"cmp"
	"slices"
	"time"

	"github.com/pgjay/pgjay/monitor/advice"
)

// Advice returns what there is to be done, what saves most first: about statements, and
// about how databases are used.
func (m *Monitor) Advice() []advice.Advice {
	list := append(m.inquiry.explainer.Advice(), advice.OfUsage(m.usage(), *m.inquiry.thresholds.Load())...)
	slices.SortStableFunc(list, func(a, b advice.Advice) int { return cmp.Compare(b.Saved, a.Saved) })
	return list
}

// LongLock reports whether an advisory lock that was held for so many ns is told of.
func (m *Monitor) LongLock(ns int64) bool {
	return float64(ns) >= m.inquiry.thresholds.Load().LockSeconds*float64(time.Second)
}

// usage adds up what users do.
func (m *Monitor) usage() (all []advice.Usage) {
	traffics, _ := m.totals()
	for w, t := range traffics {
		u := advice.Usage{
			Database: w.database, User: w.user, Since: m.started, Logins: t.cells[cellLogins],
			Blocks: t.cells[cellBlocks], BlockExchanges: t.cells[cellBlockExchanges],
			BlockTime: time.Duration(t.cells[cellBlockNS]), BlockIdle: time.Duration(t.cells[cellBlockIdleNS]),
			Prepared: t.cells[cellPreparedMisses], Evicted: t.cells[cellPreparedDrops],
			LongLocks: t.cells[cellLongLocks], LockTime: time.Duration(t.cells[cellLongLockNS]),
		}
		for result := range transactionResultCount {
			u.Transactions += t.cells[cellTransactions+int(result)]
		}
		all = append(all, u)
	}
	slices.SortFunc(all, func(a, b advice.Usage) int {
		return cmp.Or(cmp.Compare(a.Database, b.Database), cmp.Compare(a.User, b.User))
	})
	return all
}
