package load

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/errgroup"
)

// Mismatch is a query whose answers differ.
type Mismatch struct {
	Number   int      `json:"number"`
	Pattern  string   `json:"pattern"`
	Protocol Protocol `json:"protocol"`
	SQL      string   `json:"sql"`
	Args     string   `json:"args"`
	Detail   string   `json:"detail"`
}

// Verification is what Verify found.
type Verification struct {
	Compared   int        `json:"compared"`
	Count      int        `json:"mismatches"`
	Mismatches []Mismatch `json:"first_mismatches,omitempty"`
}

// fewMismatches are enough to look into.
const fewMismatches = 10

// verification is one call of Verify.
type verification struct {
	workload *Workload
	paths    [2]Options
	from, to int
	clients  int

	mu    sync.Mutex
	found Verification // guarded by mu
}

// Verify asks the same queries on two paths and compares the answers: columns,
// types, every byte of every row, and errors. Each path leads to a database of its
// own, and they hold the same. The queries of a tenant are asked in order, so that
// the answers are the same however many clients there are.
func Verify(ctx context.Context, w *Workload, from, to int, paths [2]Options) (Verification, error) {
	v := &verification{workload: w, paths: paths, from: from, to: to, clients: paths[0].Clients}
	group, ctx := errgroup.WithContext(ctx)
	for client := range v.clients {
		group.Go(func() error { return v.client(ctx, client) })
	}
	err := group.Wait()
	slices.SortFunc(v.found.Mismatches, func(a, b Mismatch) int { return a.Number - b.Number })
	return v.found, err
}

// client compares the answers to the queries of some tenants.
func (v *verification) client(ctx context.Context, client int) (err error) {
	var on [2]*connections
	for i, o := range v.paths {
		config, err := pgx.ParseConfig(o.URL)
		if err != nil {
			return err
		}
		config.DefaultQueryExecMode = o.Protocol.mode()
		on[i] = &connections{config: config, batch: o.Batch}
		defer func() { err = errors.Join(err, on[i].close(ctx)) }()
	}
	seed := maphash.MakeSeed()
	for i := v.from; i < v.to; i++ {
		if v.workload.Tenant(i)%v.clients != client {
			continue
		}
		if err := v.compare(ctx, on, i, seed); err != nil {
			return err
		}
	}
	return nil
}

func (v *verification) compare(ctx context.Context, on [2]*connections, i int, seed maphash.Seed) error {
	q := v.workload.Query(i)
	var sums [2]uint64
	var errs [2]error
	for path, c := range on {
		var sum maphash.Hash
		sum.SetSeed(seed)
		errs[path] = c.ask(ctx, q, &sum)
		var refused *pgconn.PgError
		if errs[path] != nil && !errors.As(errs[path], &refused) {
			return fmt.Errorf("query %d (%v): %w", i, q.Pattern, errs[path])
		}
		sums[path] = sum.Sum64()
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.found.Compared++
	if v.options().Every > 0 && (v.found.Compared%v.options().Every == 0 || v.found.Compared == v.to-v.from) {
		v.options().Progress(v.found.Compared)
	}
	if sums[0] != sums[1] {
		v.add(i, q, errs)
	}
	return nil
}

// options are those of the first path, which say what is shown of the progress.
func (v *verification) options() Options { return v.paths[0] }

func (v *verification) add(i int, q Query, errs [2]error) {
	v.found.Count++
	if len(v.found.Mismatches) >= fewMismatches {
		return
	}
	detail := "the answers differ"
	if errs[0] != nil || errs[1] != nil {
		detail = fmt.Sprintf("directly: %v; through PgJay: %v", errs[0], errs[1])
	}
	args := fmt.Sprint(q.Args)
	if len(args) > 200 {
		args = args[:200] + " ..."
	}
	v.found.Mismatches = append(v.found.Mismatches, Mismatch{i, q.Pattern.String(), v.options().Protocol, q.SQL, args, detail})
}
