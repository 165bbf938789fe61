package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"

	"github.com/pgjay/pgjay/cmd/simulator/internal/crm"
	"github.com/pgjay/pgjay/cmd/simulator/internal/load"
	"github.com/pgjay/pgjay/cmd/simulator/internal/report"
	"github.com/pgjay/pgjay/cmd/simulator/internal/seed"
	"github.com/pgjay/pgjay/cmd/simulator/internal/servers"
)

var runHelpText = `simulator run asks a database that simulator seed has filled, and prints how long
the answers took. baseline asks it as --dsn says; proxied asks it through PgJay.
The application writes too: updates and imports stay in the database. Where it ends
early, what was measured until then is printed, marked as incomplete.

Usage: simulator run baseline|proxied --dsn URL [FLAGS]

` + dsnHelp + `  --proxy URL         a PgJay that runs, for proxied; default: one is started before
                      the server of --dsn, with the cache on
  --pgjay FILE        the program for that; default beside this one
  --set KEY=VALUE     a setting of a PgJay that is started; may be repeated
  --scenario NAME     how many queries: small 2,000, medium 25,000, large 100,000,
                      stress-test 400,000; default as the data
  --pattern NAME      only these queries; may be repeated: ` + strings.Join(patternNames(), ",\n                      ") + `
` + fmt.Sprintf(loadFlagsHelp, "query") + `  --rate N            begin N queries a second, from 1 on, ready or not; a latency
                      counts from when its query was to begin; default: each
                      client asks when it has its answer
  --progress-every N  queries after which the progress is shown; default 50; without
                      a terminal it is shown, a line each time, only if N is given
`

func patternNames() []string {
	var names []string
	for _, p := range load.Patterns() {
		names = append(names, p.String())
	}
	return names
}

// runFlags are the flags of simulator run.
type runFlags struct {
	load     loadFlags
	dsn      *url.URL
	proxy    *url.URL
	pgjay    string
	settings []string
	scenario *crm.Scenario
	patterns []load.Pattern
	lines    bool // progress is shown without a terminal too
}

// mostAsked queries take three years at the least rate.
const mostAsked = 100_000_000

// parseRate reads queries a second.
func parseRate(text string) (float64, error) {
	const least, most = 1, 1_000_000
	rate, err := strconv.ParseFloat(text, 64)
	if err != nil || !(rate >= least && rate <= most) {
		return 0, fmt.Errorf("%q is not a number from %d to %d", text, least, most)
	}
	return rate, nil
}

func newRunFlags() (*runFlags, *flag.FlagSet) {
	f := new(runFlags)
	set := newFlags("run")
	f.load.add(set, load.PerQuery, mostAsked)
	f.load.options.Every = 50
	addDSN(set, &f.dsn)
	value(set, "proxy", &f.proxy, servers.ParseURL)
	set.StringVar(&f.pgjay, "pgjay", "", "")
	set.Func("set", "", func(text string) error {
		f.settings = append(f.settings, text)
		return nil
	})
	value(set, "scenario", &f.scenario, func(name string) (*crm.Scenario, error) {
		s, err := crm.FindScenario(name)
		return &s, err
	})
	set.Func("pattern", "", func(name string) error {
		p, err := load.FindPattern(name)
		f.patterns = append(f.patterns, p)
		return err
	})
	value(set, "rate", &f.load.options.Rate, parseRate)
	number(set, "progress-every", &f.load.options.Every, 1, mostAsked)
	return f, set
}

// runRun is simulator run.
func runRun(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	f, set := newRunFlags()
	path := ""
	if len(args) > 0 && (args[0] == "baseline" || args[0] == "proxied") {
		path, args = args[0], args[1:]
	}
	if status, ok := parseFlags(set, args, runHelpText, stdout, stderr); !ok {
		return status
	}
	if path == "" {
		fmt.Fprintln(stderr, "simulator run: say which: simulator run baseline, or simulator run proxied")
		return exitUsage
	}
	if err := f.check(path, set); err != nil {
		return refused(set, err, stderr)
	}
	f.lines = given(set, "progress-every") != nil
	ctx, stop := untilSignal(ctx)
	defer stop()
	var err error
	if f.dsn, err = dsnOrEnvironment(f.dsn); err == nil {
		err = f.run(ctx, path, stdout, stderr)
	}
	if err != nil {
		return failed(stderr, "run", err, f.dsn)
	}
	return exitOK
}

// check finds flags that do not fit together.
func (f *runFlags) check(path string, set *flag.FlagSet) error {
	err := f.load.check(set, false)
	switch {
	case path == "baseline":
		err = errors.Join(err, needless(set, "baseline asks without PgJay", "proxy", "pgjay", "set"))
	case f.proxy != nil:
		err = errors.Join(err, needless(set, "the PgJay of --proxy is one that runs", "pgjay", "set"))
	}
	return err
}

func (f *runFlags) run(ctx context.Context, path string, stdout, stderr io.Writer) error {
	data, err := seed.Find(ctx, f.dsn.String())
	if err != nil {
		return err
	}
	scenario := data.Scenario
	if f.scenario != nil {
		scenario = *f.scenario
	}
	f.load.finish(scenario)
	target := f.dsn
	if path == "proxied" {
		proxy, stop, err := f.through(ctx)
		if err != nil {
			return err
		}
		defer stop()
		target = proxy
	}
	o := f.load.options
	o.URL = target.String()
	show, end := f.progress(stderr, path)
	o.Progress = show
	result, err := load.Run(ctx, load.New(data, f.patterns...), 0, f.load.queries, o)
	end()
	if result != nil && result.Queries > 0 {
		if err != nil {
			fmt.Fprintf(stdout, "INCOMPLETE: %d of %d queries, then it ended\n", result.Queries, f.load.queries)
		}
		report.Run(stdout, result)
	}
	if err != nil && f.proxy != nil {
		err = &proxyError{f.proxy, err}
	}
	return err
}

// progress is what shows how far the run is, and what ends showing it.
func (f *runFlags) progress(stderr io.Writer, path string) (show func(done int), end func()) {
	if f.lines && !terminal(stderr) {
		return lines(stderr, f.load.queries, path, "queries"), func() {}
	}
	bar := newBar(stderr, f.load.queries, path, "queries")
	return func(done int) { _ = bar.Set(done) }, func() { _ = bar.Exit() }
}

// through is the PgJay that was named, or one that is started; stop ends that.
func (f *runFlags) through(ctx context.Context) (target *url.URL, stop func(), err error) {
	if f.proxy != nil {
		return f.proxy, func() {}, nil
	}
	if f.pgjay == "" {
		if f.pgjay, err = servers.Find(); err != nil {
			return nil, nil, err
		}
	}
	p, err := servers.StartPgJay(ctx, f.pgjay, f.dsn, append([]string{"cache.enabled=true"}, f.settings...)...)
	if err != nil {
		return nil, nil, err
	}
	return p.URL(f.dsn), func() { _ = p.Close() }, nil
}
