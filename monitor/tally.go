package monitor

import (
	"cmp"
	"slices"
)

// Tally is what has happened in one database since the start. All of it only grows.
type Tally struct {
	Database string

	Logins, Queries, Transactions uint64
	Leases                        uint64 // of backends
	Received, Sent                uint64 // bytes, from and to clients
	TransactionNS                 uint64 // in transactions
	BackendNS                     uint64 // that PostgreSQL took for exchanges
	WaitNS                        uint64 // that clients have waited for backends
	ClientParses, ServerParses    uint64
	Binds                         uint64
}

// Tallies returns what has happened in each database, sorted by name.
func (m *Monitor) Tallies() []Tally {
	traffics, databases := m.totals()
	byName := make(map[string]*Tally)
	for w, t := range traffics {
		sum := byName[w.database]
		if sum == nil {
			sum = &Tally{Database: w.database}
			byName[w.database] = sum
		}
		sum.add(t)
	}
	for _, s := range m.pools() {
		if sum := byName[m.pairs.databases.admit(s.Key.Database)]; sum != nil {
			sum.Leases += uint64(s.Leases)
		}
	}
	all := make([]Tally, 0, len(byName))
	for name, sum := range byName {
		if d := databases[name]; d != nil {
			sum.TransactionNS, sum.BackendNS = d.sum(slotTransaction), d.sum(slotBackend)
		}
		all = append(all, *sum)
	}
	slices.SortFunc(all, func(a, b Tally) int { return cmp.Compare(a.Database, b.Database) })
	return all
}

func (sum *Tally) add(t *trafficTotal) {
	for _, n := range t.cells[cellQueries : cellQueries+seriesCount] {
		sum.Queries += n
	}
	for _, n := range t.cells[cellTransactions : cellTransactions+int(transactionResultCount)] {
		sum.Transactions += n
	}
	sum.Logins += t.cells[cellLogins]
	sum.Received += t.cells[cellClientReceived]
	sum.Sent += t.cells[cellClientSent]
	sum.WaitNS += t.wait.sum
	sum.ClientParses += t.cells[cellClientParses]
	sum.ServerParses += t.cells[cellServerParses]
	sum.Binds += t.cells[cellBinds]
}

// sum returns the nanoseconds that one of the histograms has added up.
func (d *databaseTotal) sum(slot int) uint64 {
	if d.histograms[slot] == nil {
		return 0
	}
	return d.histograms[slot].sum
}
