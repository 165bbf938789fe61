package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"

	"github.com/pgjay/pgjay/cmd/simulator/internal/compare"
	"github.com/pgjay/pgjay/cmd/simulator/internal/crm"
	"github.com/pgjay/pgjay/cmd/simulator/internal/load"
	"github.com/pgjay/pgjay/cmd/simulator/internal/report"
	"github.com/pgjay/pgjay/cmd/simulator/internal/seed"
	"github.com/pgjay/pgjay/cmd/simulator/internal/servers"
)

var compareHelp = `simulator compare asks the same directly and through PgJay, in blocks that take
turns, and says how much faster PgJay is, with all its parts and with each of them
alone. Without --dsn it does so on a throw-away PostgreSQL. With --dsn it makes
copies of that database, simulator_..., and drops them afterwards; the database
stays as it is.

Usage: simulator compare [FLAGS]

  --dsn URL           a database that simulator seed has filled, such as
                      postgres://user@127.0.0.1:5432/crm, whose user may create
                      databases; default: a throw-away PostgreSQL
` + fmt.Sprintf(dataFlagsHelp, "2,000 to 400,000\n                      queries; default medium") + `                      (not with --dsn: its database has its data)
  --indexes NAME      none, basic or full, on the throw-away PostgreSQL; default basic
` + fmt.Sprintf(loadFlagsHelp, "query") + `  --rounds N          blocks into which the queries are divided; even; default 12;
                      below 4 there are no intervals
  --verify            first ask all queries on both paths, by each of the three
                      protocols, and compare every answer, and then the tables
  --pgjay FILE        the program; default beside this one
  --html FILE         write a report
  --json FILE         write the numbers

Exit status 1 if an answer or a table differs.
`

// compareFlags are the flags of simulator compare.
type compareFlags struct {
	data       dataFlags
	load       loadFlags
	dsn        *url.URL
	indexes    crm.Indexes
	pgjay      string
	html, json string
	rounds     int
	verify     bool
}

// mostCompared queries write no contact with the number of one that shows what batches
// gain.
const mostCompared = 4_000_000

func newCompareFlags() (*compareFlags, *flag.FlagSet) {
	f := &compareFlags{indexes: crm.BasicIndexes, rounds: 12}
	set := newFlags("compare")
	f.data.add(set, "medium")
	f.load.add(set, load.PerQuery, mostCompared)
	addDSN(set, &f.dsn)
	value(set, "indexes", &f.indexes, crm.ParseIndexes)
	number(set, "rounds", &f.rounds, 2, 1000)
	set.StringVar(&f.pgjay, "pgjay", "", "")
	set.StringVar(&f.html, "html", "", "")
	set.StringVar(&f.json, "json", "", "")
	set.BoolVar(&f.verify, "verify", false, "")
	return f, set
}

// errDiffer is returned when an answer is not PostgreSQL's.
var errDiffer = errors.New("what PgJay answers or writes is not what PostgreSQL does")

// runCompare is simulator compare.
func runCompare(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	f, set := newCompareFlags()
	if status, ok := parseFlags(set, args, compareHelp, stdout, stderr); !ok {
		return status
	}
	if err := f.check(set); err != nil {
		return refused(set, err, stderr)
	}
	ctx, stop := untilSignal(ctx)
	defer stop()
	if err := f.compare(ctx, stdout, stderr); err != nil {
		return failed(stderr, "compare", err, f.dsn)
	}
	return exitOK
}

// check finds flags that do not fit together.
func (f *compareFlags) check(set *flag.FlagSet) error {
	if f.rounds%2 == 1 {
		return errors.New("--rounds is even: each order of the paths has its reverse")
	}
	if f.load.queries > 0 && f.load.queries < f.rounds {
		return errors.New("--queries are fewer than --rounds: some would have none")
	}
	if f.dsn != nil {
		if err := needless(set, "the database of --dsn has its data", "scenario", "tenants", "seed", "indexes"); err != nil {
			return err
		}
	}
	return f.load.check(set, f.verify) // which asks in batches
}

func (f *compareFlags) compare(ctx context.Context, stdout, stderr io.Writer) (err error) {
	if err := writable(f.html, f.json); err != nil {
		return err
	}
	if f.pgjay == "" {
		if f.pgjay, err = servers.Find(); err != nil {
			return err
		}
	}
	c := &compare.Comparer{URL: f.dsn, Program: f.pgjay, Rounds: f.rounds, Verify: f.verify, Hash: seed.Hash}
	if f.dsn != nil {
		c.Data, err = seed.Find(ctx, f.dsn.String())
	} else {
		var stop func() error
		c.Data, c.URL, stop, err = f.throwAway(ctx, stderr)
		defer func() { err = errors.Join(err, stop()) }()
	}
	if err != nil {
		return err
	}
	f.load.finish(c.Data.Scenario)
	c.Load, c.Queries = f.load.options, f.load.queries
	bar := newBar(stderr, 0, "", "queries")
	c.Stage = func(name string, queries int) {
		bar.Reset()
		bar.ChangeMax(queries)
		bar.Describe(name)
	}
	c.Asked = func(queries int) { _ = bar.Add(queries) }
	result, err := c.Run(ctx)
	_ = bar.Exit()
	if err != nil {
		return err
	}
	return f.write(result, stdout)
}

// throwAway starts a PostgreSQL and fills it. stop is never nil.
func (f *compareFlags) throwAway(ctx context.Context, stderr io.Writer) (*crm.Data, *url.URL, func() error, error) {
	nothing := func() error { return nil }
	data, err := f.data.data()
	if err != nil {
		return nil, nil, nothing, err
	}
	db, err := servers.Postgres(ctx)
	if err != nil {
		return nil, nil, nothing, err
	}
	u, err := servers.ParseURL(db.URL("crm", servers.User))
	if err != nil {
		return nil, nil, db.Close, err
	}
	if err := servers.CreateDatabase(ctx, u, "crm"); err != nil {
		return nil, nil, db.Close, err
	}
	bar := newBar(stderr, int(data.Rows()), "loading", "rows")
	_, err = seed.Seed(ctx, u.String(), seed.Options{Data: data, Method: seed.Copy, Batch: 1000, Indexes: f.indexes, Workers: 2,
		Loaded: func(rows int) { _ = bar.Add(rows) }})
	_ = bar.Exit()
	return data, u, db.Close, err
}

// write shows a comparison in all ways that were asked for.
func (f *compareFlags) write(c *compare.Comparison, stdout io.Writer) error {
	report.Text(stdout, c)
	err := errors.Join(
		toFile(f.html, func(w io.Writer) error { return report.HTML(w, c) }),
		toFile(f.json, func(w io.Writer) error { return report.JSON(w, c) }))
	if err == nil && c.Verification != nil && c.Verification.Differ() {
		return errDiffer
	}
	return err
}
