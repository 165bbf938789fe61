package monitor

// trafficTotal is the sum of the Traffics of all loops for one pair of labels.
type trafficTotal struct {
	cells [trafficCells]uint64
	wait  distribution
	held  distribution
}

// clients returns how many clients are in a state. The loops go on while they
// are read, so a client may be seen in two states or none: hence no gauge is
// below 0.
func (t *trafficTotal) clients(state ClientState) int64 {
	n := int64(t.cells[cellClients+int(state)])
	if state == ClientIdle {
		for s := range clientStateCount {
			n -= int64(t.cells[cellClients+int(s)])
		}
	}
	return max(n, 0)
}

// databaseTotal is the sum of the dbTraffics of all loops for one database.
type databaseTotal struct {
	errors     [classCount]uint64
	rows       [commandCount]uint64
	histograms [databaseSlots]*distribution // nil: nothing was observed
}

// totals adds up what all loops have counted.
func (m *Monitor) totals() (map[who]*trafficTotal, map[string]*databaseTotal) {
	traffics, databases := make(map[who]*trafficTotal), make(map[string]*databaseTotal)
	for _, r := range m.recorders {
		ts, ds := r.contents()
		for _, t := range ts {
			if traffics[t.who] == nil {
				traffics[t.who] = new(trafficTotal)
			}
			traffics[t.who].add(t)
		}
		for _, d := range ds {
			if databases[d.name] == nil {
				databases[d.name] = new(databaseTotal)
			}
			databases[d.name].add(d)
		}
	}
	return traffics, databases
}

func (t *trafficTotal) add(from *Traffic) {
	for i := range from.cells {
		t.cells[i] += from.cells[i].load()
	}
	from.wait.addTo(&t.wait)
	from.held.addTo(&t.held)
}

func (d *databaseTotal) add(from *dbTraffic) {
	for i := range from.errors {
		d.errors[i] += from.errors[i].load()
	}
	for i := range from.rows {
		d.rows[i] += from.rows[i].load()
	}
	for i := range from.histograms {
		if from.histograms[i].made.Load() == nil {
			continue
		}
		if d.histograms[i] == nil {
			d.histograms[i] = new(distribution)
		}
		from.histograms[i].addTo(d.histograms[i])
	}
}
