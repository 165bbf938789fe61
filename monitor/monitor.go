package monitor

import (
	"errors"
	"log/slog"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/pgjay/pgjay/cache"
	"github.com/pgjay/pgjay/pool"
)

// defaultMaxLabelValues bounds how many time series there can be.
const defaultMaxLabelValues = 200

// Options is what a Monitor is made of.
type Options struct {
	// Pools and Ready are asked at each scrape and each /readyz, by any
	// goroutine. They may be nil and set later: see SetSources.
	Pools func() []pool.Stat
	Ready func() error

	Version, Commit string // of the program

	Loops int // how many event loops there are
	// MaxLabelValues bounds the databases, the users and the reasons that are
	// told apart; what comes later is "other". There may be five times as many
	// pairs of database and user. 0 is 200.
	MaxLabelValues int

	Config Config
	Log    *slog.Logger // of slow statements; nil: none
}

// Monitor counts what happens, and tells Prometheus. All its methods may be
// called by any goroutine.
type Monitor struct {
	book      *book
	version   string // of the program
	started   time.Time
	pairs     *boundedPairs
	events    *events
	recorders []*Recorder // one for each loop; immutable
	sources   atomic.Pointer[sources]
	listeners atomic.Pointer[func() []pool.ListenerStat]
	cache     atomic.Pointer[func() cache.Stat]
	offset    atomic.Pointer[func() OffsetStat]
	spool     atomic.Pointer[func() SpoolStat]
	pulse     pulse
	inquiry   *inquiry
}

// sources are the other packages' own accounts.
type sources struct {
	pools func() []pool.Stat
	ready func() error
}

// Version is the program's.
func (m *Monitor) Version() string { return m.version }

// New makes a Monitor. The configuration counts as loaded now.
func New(o Options) *Monitor {
	if o.MaxLabelValues <= 0 {
		o.MaxLabelValues = defaultMaxLabelValues
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	b := &book{registry: prometheus.NewRegistry()}
	overflow := b.counters("metrics_label_overflow_total", "Times that a label's value was counted as other for want of room.", "label")
	m := &Monitor{
		book:    b,
		version: o.Version,
		started: time.Now(),
		pairs:   newBoundedPairs(o.MaxLabelValues, overflow),
		events:  newEvents(b, newBoundedLabel(o.MaxLabelValues, overflow.WithLabelValues("reason"))),
	}
	for range o.Loops {
		m.recorders = append(m.recorders, newRecorder(m.pairs, m.started))
	}
	m.inquiry = newInquiry(&o, m.events)
	m.SetSources(o.Pools, o.Ready)
	b.gauges("build_info", "1; the labels say what is running.", "version", "commit", "goversion").
		WithLabelValues(cleanName(o.Version), cleanName(o.Commit), runtime.Version()).Set(1)
	b.registry.MustRegister(
		newTrafficCollector(b, m),
		newPoolCollector(b, m),
		newSpanCollector(b, m),
		newListenCollector(b, m),
		newCacheCollector(b, m),
		newStatementCollector(b, m),
		newTopCollector(b, m),
		newBackendCollector(b, m),
		newOffsetCollector(b, m),
		newSpoolCollector(b, m),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	m.configLoaded()
	return m
}

// Started is when the monitor was made, with the program.
func (m *Monitor) Started() time.Time { return m.started }

// Ready returns nil while clients are accepted, else why not.
func (m *Monitor) Ready() error { return m.ready() }

// Pools returns a snapshot of each pool.
func (m *Monitor) Pools() []pool.Stat { return m.pools() }

// Cache returns a snapshot of the cache; nil if there is none.
func (m *Monitor) Cache() *cache.Stat {
	stat := m.cache.Load()
	if stat == nil {
		return nil
	}
	return new((*stat)())
}

// SetSources says whom to ask about the pools and whether clients are
// accepted, when that was not known yet at New. Either may be nil.
func (m *Monitor) SetSources(pools func() []pool.Stat, ready func() error) {
	m.sources.Store(&sources{pools, ready})
}

// SetListeners says whom to ask about the backends that listen for sessions.
func (m *Monitor) SetListeners(stats func() []pool.ListenerStat) { m.listeners.Store(&stats) }

// SetOffset says whom to ask about deep pages, where they are looked after.
func (m *Monitor) SetOffset(stat func() OffsetStat) { m.offset.Store(&stat) }

// SetSpool says whom to ask about what is kept for slow clients.
func (m *Monitor) SetSpool(stat func() SpoolStat) { m.spool.Store(&stat) }

// SetCache says whom to ask about the cache, where there is one.
func (m *Monitor) SetCache(stat func() cache.Stat) { m.cache.Store(&stat) }

// Recorder returns the counters of an event loop.
func (m *Monitor) Recorder(loop int) *Recorder { return m.recorders[loop] }

var errStarting = errors.New("starting")

func (m *Monitor) ready() error {
	if ready := m.sources.Load().ready; ready != nil {
		return ready()
	}
	return errStarting
}

func (m *Monitor) pools() []pool.Stat {
	if pools := m.sources.Load().pools; pools != nil {
		return pools()
	}
	return nil
}
