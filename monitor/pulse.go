package monitor

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/pgjay/pgjay/pool"
)

const (
	pulseEvery = time.Second
	// pulseLength is how much of the past is kept, in moments.
	pulseLength = 15 * 60
	// averagedOver is how long ago Earlier goes back, in moments: what PgBouncer's
	// stats_period is by default.
	averagedOver = 60
)

// Moment says what happened in one second. Durations are in seconds; those of
// quantiles are 0 where nothing happened.
type Moment struct {
	At           int64   `json:"at"` // ms, Unix time
	Queries      float64 `json:"queries"`
	Hits         float64 `json:"hits"` // of them, those that the cache has answered
	Errors       float64 `json:"errors"`
	Transactions float64 `json:"transactions"`
	P50          float64 `json:"p50"`
	P95          float64 `json:"p95"`
	P99          float64 `json:"p99"`
	Overhead     float64 `json:"overhead"` // p99 of PgJay's own part
	Received     float64 `json:"received"` // bytes from clients
	Sent         float64 `json:"sent"`
	Clients      int64   `json:"clients"`
	Waiting      int     `json:"waiting"`
	Active       int     `json:"active"` // backends
	Idle         int     `json:"idle"`
	Wait         float64 `json:"wait"`  // of the client that has waited for longest
	Saved        float64 `json:"saved"` // by the cache
}

// pulse samples the counters once a second, for what shows how they change.
type pulse struct {
	mu       sync.Mutex
	moments  []Moment // guarded by mu; the oldest first, up to pulseLength
	earlier  []tallied
	last     reading
	watchers map[chan Moment]struct{} // guarded by mu
}

// tallied is a Tally of each database, and when it was made.
type tallied struct {
	at  time.Time
	all []Tally
}

// reading is the sum of what is counted, at some time.
type reading struct {
	at                         time.Time
	queries, hits, errors, txs uint64
	received, sent             uint64
	saved                      int64
	clients                    int64
	durations, overhead        distribution
	waiting, active, idle      int
	wait                       time.Duration
}

// sample takes samples until ctx ends.
func (m *Monitor) sample(ctx context.Context) {
	ticker := time.NewTicker(pulseEvery)
	defer ticker.Stop()
	m.beat(time.Now())
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			m.beat(now)
		}
	}
}

// beat takes a sample.
func (m *Monitor) beat(now time.Time) {
	r := m.read(now)
	all := m.Tallies()
	p := &m.pulse
	p.mu.Lock()
	defer p.mu.Unlock()
	p.earlier = append(p.earlier, tallied{now, all})
	if len(p.earlier) > averagedOver+1 {
		p.earlier = append(p.earlier[:0], p.earlier[1:]...)
	}
	if !p.last.at.IsZero() {
		p.keepLocked(r.since(&p.last))
	}
	p.last = r
}

func (p *pulse) keepLocked(moment Moment) {
	if len(p.moments) == pulseLength {
		p.moments = append(p.moments[:0], p.moments[1:]...)
	}
	p.moments = append(p.moments, moment)
	for w := range p.watchers {
		select {
		case w <- moment:
		default: // it is slow, and gets the next one
		}
	}
}

// read adds up all counters.
func (m *Monitor) read(now time.Time) reading {
	r := reading{at: now}
	traffics, databases := m.totals()
	for _, t := range traffics {
		r.addTraffic(t)
	}
	for _, d := range databases {
		for i, n := range d.errors {
			if sqlstateClasses[i] != "00" {
				r.errors += n
			}
		}
		for slot := slotDuration; slot < slotDuration+seriesCount; slot++ {
			r.durations.merge(d.histograms[slot])
		}
		r.overhead.merge(d.histograms[slotOverhead])
	}
	for _, s := range m.pools() {
		r.addPool(&s)
	}
	if stat := m.cache.Load(); stat != nil {
		r.saved = (*stat)().SavedNS
	}
	return r
}

func (r *reading) addTraffic(t *trafficTotal) {
	for command := range commandCount {
		for source := range sourceCount {
			n := t.cells[cellQueries+series(command, source)]
			r.queries += n
			if source == SourceCache || source == SourceCoalesced {
				r.hits += n
			}
		}
	}
	for result := range transactionResultCount {
		r.txs += t.cells[cellTransactions+int(result)]
	}
	for state := ClientIdle; state < clientStateCount; state++ {
		r.clients += t.clients(state)
	}
	r.received += t.cells[cellClientReceived]
	r.sent += t.cells[cellClientSent]
}

func (r *reading) addPool(s *pool.Stat) {
	r.waiting += s.Waiting
	r.active += s.Active
	r.idle += s.Idle
	r.wait = max(r.wait, s.OldestWait)
}

// since says what has happened since another reading.
func (r *reading) since(last *reading) Moment {
	seconds := max(r.at.Sub(last.at).Seconds(), 0.001)
	rate := func(now, before uint64) float64 { return round(float64(now-before)/seconds, 10) }
	durations, overhead := r.durations.since(&last.durations), r.overhead.since(&last.overhead)
	return Moment{
		At: r.at.UnixMilli(), Queries: rate(r.queries, last.queries), Hits: rate(r.hits, last.hits), Errors: rate(r.errors, last.errors),
		Transactions: rate(r.txs, last.txs), Received: rate(r.received, last.received), Sent: rate(r.sent, last.sent),
		P50: durations.quantile(0.5), P95: durations.quantile(0.95), P99: durations.quantile(0.99), Overhead: overhead.quantile(0.99),
		Clients: r.clients, Waiting: r.waiting, Active: r.active, Idle: r.idle, Wait: r.wait.Seconds(),
		Saved: round(time.Duration(r.saved-last.saved).Seconds()/seconds, 1000),
	}
}

func round(x, to float64) float64 { return math.Round(x*to) / to }

// merge adds another distribution; nil is an empty one.
func (d *distribution) merge(other *distribution) {
	if other == nil {
		return
	}
	for i, n := range other.cells {
		d.cells[i] += n
	}
	d.count += other.count
	d.sum += other.sum
}

// since returns what was observed after another reading of the same histograms.
func (d *distribution) since(last *distribution) *distribution {
	var out distribution
	for i, n := range d.cells {
		out.cells[i] = n - last.cells[i]
		out.count += out.cells[i]
	}
	out.sum = d.sum - last.sum
	return &out
}

// quantile returns the bound, in seconds, of the cell that the quantile is in: up to
// a tenth too long. 0: nothing was observed.
func (d *distribution) quantile(q float64) float64 {
	rank := uint64(math.Ceil(q * float64(d.count)))
	if rank == 0 {
		return 0
	}
	for i, n := range d.cells {
		if n >= rank {
			return seconds(uint64(min(cells.bounds[i], 1<<observedBits)))
		}
		rank -= n
	}
	return 0
}

// Earlier returns what Tallies said about a minute ago, or when the first sample was
// taken, and how long ago that was. 0: there is none yet.
func (m *Monitor) Earlier() (all []Tally, ago time.Duration) {
	p := &m.pulse
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.earlier) == 0 {
		return nil, 0
	}
	return p.earlier[0].all, time.Since(p.earlier[0].at)
}

// Moments returns the last quarter of an hour.
func (m *Monitor) Moments() []Moment {
	p := &m.pulse
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Moment(nil), p.moments...)
}

// Watch returns a channel that gets each moment from now on, until end is called. Who
// does not take one in time misses it.
func (m *Monitor) Watch() (moments <-chan Moment, end func()) {
	p := &m.pulse
	w := make(chan Moment, 4)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.watchers == nil {
		p.watchers = make(map[chan Moment]struct{})
	}
	p.watchers[w] = struct{}{}
	return w, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.watchers, w)
	}
}
