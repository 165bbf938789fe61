package monitor

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/pgjay/pgjay/monitor/advice"
	"github.com/pgjay/pgjay/monitor/digest"
	"github.com/pgjay/pgjay/monitor/explain"
	"github.com/pgjay/pgjay/monitor/trace"
	"github.com/pgjay/pgjay/pool"
)

// inquiry is what looks into statements.
type inquiry struct {
	table     *digest.Table
	explainer *explain.Explainer
	tracer    *trace.Tracer // nil: nobody is told
	tags      atomic.Pointer[[]string]
	top       atomic.Int64                 // monitor.top_statements
	told      atomic.Pointer[explain.Mode] // monitor.auto_explain
	// thresholds are monitor.advice.
	thresholds atomic.Pointer[advice.Thresholds]
}

func newInquiry(o *Options, ev *events) *inquiry {
	options := digest.Options{Loops: o.Loops, Max: o.Config.MaxStatements, Log: o.Log}
	tracer := newTracer(o)
	if tracer != nil {
		options.Trace = tracer.Offer
	}
	table := digest.NewTable(options)
	i := &inquiry{tracer: tracer, table: table, explainer: explain.New(explain.Options{
		Config: o.Config.explain(), Table: table, Log: o.Log, Ran: ev.explained,
	})}
	i.configure(&o.Config)
	return i
}

// newTracer makes what tells traces; nil: nothing does.
func newTracer(o *Options) *trace.Tracer {
	if o.Config.OTLP == "" {
		return nil
	}
	t, err := trace.New(o.Config.OTLP, o.Version, o.Log)
	if err != nil {
		o.Log.Error("traces are not told", "error", err)
		return nil
	}
	return t
}

func (i *inquiry) configure(c *Config) {
	i.table.SetLimits(c.limits())
	i.explainer.Configure(c.explain())
	i.tags.Store(new(slices.Clone(c.Tags)))
	i.top.Store(int64(c.TopStatements))
	i.told.Store(new(c.AutoExplain))
	i.thresholds.Store(new(c.Advice))
}

// Configure puts a new configuration into force. MaxStatements is read at New only.
func (m *Monitor) Configure(c Config) { m.inquiry.configure(&c) }

// SetConnect says how to log in to explain statements.
func (m *Monitor) SetConnect(c explain.Connect) { m.inquiry.explainer.SetConnect(c, m.busy) }

// Statements has what each statement shape costs, and the slow statements.
func (m *Monitor) Statements() *digest.Table { return m.inquiry.table }

// Explainer has the plans of slow statements, and the advice.
func (m *Monitor) Explainer() *explain.Explainer { return m.inquiry.explainer }

// Tags are the keys of comments that may be logged.
func (m *Monitor) Tags() []string { return *m.inquiry.tags.Load() }

// Run collects, explains and samples until ctx ends.
func (m *Monitor) Run(ctx context.Context) {
	var running sync.WaitGroup
	running.Go(func() { m.inquiry.table.Run(ctx) })
	running.Go(func() { m.inquiry.explainer.Run(ctx) })
	running.Go(func() { m.sample(ctx) })
	if tracer := m.inquiry.tracer; tracer != nil {
		running.Go(func() { tracer.Run(ctx) })
	}
	running.Wait()
}

// busyShare is the part of a pool's backends that may be at work when a statement is
// executed once more for its plan.
const busyShare = 0.8

// busy reports whether a pool has too much to do for more.
func (m *Monitor) busy(k pool.Key) bool {
	for _, st := range m.pools() {
		if st.Key == k {
			return st.Waiting > 0 || st.Settings.Size > 1 && float64(st.Active) > busyShare*float64(st.Settings.Size)
		}
	}
	return false
}
