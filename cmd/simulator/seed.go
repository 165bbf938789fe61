package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/url"
	"runtime"
	"time"

	"github.com/pgjay/pgjay/cmd/simulator/internal/crm"
	"github.com/pgjay/pgjay/cmd/simulator/internal/seed"
)

var seedHelp = `simulator seed fills a database with the CRM: tenants, companies, organisations,
contacts, interactions and metadata, with few big tenants and many small ones.

Usage: simulator seed --dsn URL [FLAGS]

` + dsnHelp + fmt.Sprintf(dataFlagsHelp, "2,000 to 1,000,000\n                      contacts; default small") + `
  --method NAME       copy, multi-row (INSERTs) or single (one row each); default
                      copy
  --batch N           rows of one COPY or INSERT; default 1000
  --indexes NAME      none (but primary keys), basic (unique and foreign keys) or
                      full (also GIN, trigrams, orders); default basic
  --workers N         connections that load at the same time; default one for
                      each core, two at least
  --replace           drop what an earlier seed has left, complete or not; tables
                      that seed has not made stay, and it fails
  --hash              print a hash of all rows at the end
`

// seedFlags are the flags of simulator seed.
type seedFlags struct {
	data    dataFlags
	dsn     *url.URL
	options seed.Options
	hash    bool
}

func newSeedFlags() (*seedFlags, *flag.FlagSet) {
	f := &seedFlags{options: seed.Options{Method: seed.Copy, Batch: 1000, Indexes: crm.BasicIndexes, Workers: max(2, runtime.NumCPU())}}
	set := newFlags("seed")
	f.data.add(set, "small")
	addDSN(set, &f.dsn)
	value(set, "method", &f.options.Method, seed.ParseMethod)
	value(set, "indexes", &f.options.Indexes, crm.ParseIndexes)
	number(set, "batch", &f.options.Batch, 1, 1_000_000)
	number(set, "workers", &f.options.Workers, 1, 1000)
	set.BoolVar(&f.options.Replace, "replace", false, "")
	set.BoolVar(&f.hash, "hash", false, "")
	return f, set
}

// runSeed is simulator seed.
func runSeed(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	f, set := newSeedFlags()
	if status, ok := parseFlags(set, args, seedHelp, stdout, stderr); !ok {
		return status
	}
	if f.options.Method == seed.Single {
		if err := needless(set, "--method single has one row in each INSERT", "batch"); err != nil {
			return refused(set, err, stderr)
		}
	}
	ctx, stop := untilSignal(ctx)
	defer stop()
	var err error
	if f.dsn, err = dsnOrEnvironment(f.dsn); err == nil {
		err = f.seed(ctx, stdout, stderr)
	}
	if err != nil {
		return failed(stderr, "seed", err, f.dsn)
	}
	return exitOK
}

func (f *seedFlags) seed(ctx context.Context, stdout, stderr io.Writer) (err error) {
	o := f.options
	if o.Data, err = f.data.data(); err != nil {
		return err
	}
	bar := newBar(stderr, int(o.Data.Rows()), "loading", "rows")
	o.Loaded = func(rows int) { _ = bar.Add(rows) }
	o.Stage = func(name string) { bar.Describe(name) }
	result, err := seed.Seed(ctx, f.dsn.String(), o)
	_ = bar.Exit()
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%d rows in %v by %s, %.0f rows/s; indexes (%s) and statistics in %v\n", result.Rows,
		result.Loading.Round(time.Millisecond), o.Method, float64(result.Rows)/result.Loading.Seconds(), o.Indexes,
		result.Indexing.Round(time.Millisecond))
	for _, note := range result.Notes {
		fmt.Fprintln(stdout, note)
	}
	if !f.hash {
		return nil
	}
	hash, err := seed.Hash(ctx, f.dsn.String())
	fmt.Fprintln(stdout, "hash", hash)
	return err
}
