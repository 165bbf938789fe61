package load

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"
)

// Result is how long it took.
type Result struct {
	Queries   int
	Elapsed   time.Duration
	All       *hdrhistogram.Histogram   // of latencies in microseconds
	ByPattern []*hdrhistogram.Histogram // by Pattern; nil of those that were not asked
}

// QPS is queries a second.
func (r *Result) QPS() float64 { return float64(r.Queries) / r.Elapsed.Seconds() }

// Add is the two together, one after the other.
func (r *Result) Add(other *Result) {
	r.Queries += other.Queries
	r.Elapsed += other.Elapsed
	r.All = merge(r.All, other.All)
	if r.ByPattern == nil {
		r.ByPattern = make([]*hdrhistogram.Histogram, len(patterns))
	}
	for p, h := range other.ByPattern {
		r.ByPattern[p] = merge(r.ByPattern[p], h)
	}
}

func merge(into, from *hdrhistogram.Histogram) *hdrhistogram.Histogram {
	if from == nil {
		return into
	}
	if into == nil {
		into = newHistogram()
	}
	into.Merge(from)
	return into
}

// The longest latency that is told from longer ones, in microseconds.
const longest = 600_000_000

func newHistogram() *hdrhistogram.Histogram { return hdrhistogram.New(1, longest, 3) }

// run is one call of Run: what its clients share.
type run struct {
	workload *Workload
	options  Options
	pool     *pgxpool.Pool // or nil
	config   *pgx.ConnConfig
	begin    time.Time
	from, to int
	next     atomic.Int64 // number of the next query
	done     atomic.Int64
}

// Run asks the queries from the number from to before to. The first error ends it.
func Run(ctx context.Context, w *Workload, from, to int, o Options) (*Result, error) {
	r := &run{workload: w, options: o, from: from, to: to}
	var err error
	if r.config, err = pgx.ParseConfig(o.URL); err != nil {
		return nil, err
	}
	r.config.DefaultQueryExecMode = o.Protocol.mode()
	if r.pool = o.Pool; r.pool == nil && o.Connect == Pooled {
		if r.pool, err = OpenPool(ctx, o); err != nil {
			return nil, err
		}
		defer r.pool.Close()
	}
	r.next.Store(int64(from))
	results := make([]Result, o.Clients)
	r.begin = time.Now()
	group, ctx := errgroup.WithContext(ctx)
	for i := range results {
		group.Go(func() error { return r.client(ctx, &results[i]) })
	}
	err = group.Wait()
	all := new(Result)
	for i := range results {
		all.Add(&results[i])
	}
	all.Elapsed = time.Since(r.begin)
	return all, err
}

// client asks until there is nothing more to ask.
func (r *run) client(ctx context.Context, result *Result) (err error) {
	result.All, result.ByPattern = newHistogram(), make([]*hdrhistogram.Histogram, len(patterns))
	c := r.connections()
	defer func() { err = errors.Join(err, c.close(ctx)) }()
	for {
		i := int(r.next.Add(1)) - 1
		if i >= r.to {
			return nil
		}
		q := r.workload.Query(i)
		began, err := r.wait(ctx, i)
		if err != nil {
			return err
		}
		if err := c.ask(ctx, q, nil); err != nil {
			return fmt.Errorf("query %d (%v): %w", i, q.Pattern, err)
		}
		result.record(q.Pattern, time.Since(began))
		r.count()
	}
}

func (r *run) connections() *connections {
	batch := 1
	if r.options.Connect == PerBatch {
		batch = r.options.Batch
	}
	return &connections{pool: r.pool, config: r.config, batch: batch}
}

// wait returns when query i is to begin, and the time from which its latency
// counts. With a rate that is when it was to begin, though all clients may have
// been busy: who waits for a client waits for the answer.
func (r *run) wait(ctx context.Context, i int) (time.Time, error) {
	if r.options.Rate == 0 {
		return time.Now(), nil
	}
	due := r.begin.Add(time.Duration(float64(i-r.from) / r.options.Rate * float64(time.Second)))
	timer := time.NewTimer(time.Until(due))
	defer timer.Stop()
	select {
	case <-timer.C:
		return due, nil
	case <-ctx.Done():
		return due, context.Cause(ctx)
	}
}

func (r *Result) record(p Pattern, d time.Duration) {
	if r.ByPattern[p] == nil {
		r.ByPattern[p] = newHistogram()
	}
	us := min(max(d.Microseconds(), 1), longest)
	_ = r.All.RecordValue(us) // what is out of range is an error, and nothing is
	_ = r.ByPattern[p].RecordValue(us)
	r.Queries++
}

func (r *run) count() {
	every := int64(r.options.Every)
	if done := r.done.Add(1); every > 0 && (done%every == 0 || done == int64(r.to-r.from)) {
		r.options.Progress(int(done))
	}
}
