package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/pgjay/pgjay/cmd/simulator/internal/claims"
	"github.com/pgjay/pgjay/cmd/simulator/internal/report"
	"github.com/pgjay/pgjay/cmd/simulator/internal/servers"
)

var claimsHelp = `simulator claims measures what is claimed of PgJay on a throw-away PostgreSQL, and
prints claim and measurement side by side, with a mark where PgJay falls short.

Usage: simulator claims [FLAGS]

` + fmt.Sprintf(dataFlagsHelp, "default large") + `  --only NAME         one claim: ` + strings.Join(claims.Names(), ",\n                      ") + `
  --budget DURATION   for the 100,000 queries: where they take longer, a part of
                      them is measured, which is said; default 4m, and not beyond
                      9 minutes of all claims
  --pgjay FILE        the program; default beside this one
  --set KEY=VALUE     a setting of each PgJay, such as cache.enabled=false to see what
                      falls short without; may be repeated
  --markdown FILE     write the table for docs
  --docs DIR          put it into docs/benchmarks.md, and the main figures into
                      README.md, of the repository in this directory; only of
                      all claims, with nothing else said, and if all were measured
  --json FILE         write the numbers

Exit status 1 if something could not be measured.
`

// What is measured with if nothing else is said.
const (
	usualScenario = "large"
	usualBudget   = 4 * time.Minute
)

// claimsFlags are the flags of simulator claims.
type claimsFlags struct {
	data           dataFlags
	options        claims.Options
	markdown, json string
	docs           string
}

func newClaimsFlags() (*claimsFlags, *flag.FlagSet) {
	f := new(claimsFlags)
	set := newFlags("claims")
	f.data.add(set, usualScenario)
	value(set, "only", &f.options.Only, claims.FindName)
	f.options.Budget = usualBudget
	value(set, "budget", &f.options.Budget, parseBudget)
	set.StringVar(&f.options.Program, "pgjay", "", "")
	set.Func("set", "", func(text string) error {
		f.options.Settings = append(f.options.Settings, text)
		return nil
	})
	set.StringVar(&f.markdown, "markdown", "", "")
	set.StringVar(&f.json, "json", "", "")
	set.StringVar(&f.docs, "docs", "", "")
	return f, set
}

// parseBudget reads a time in which something can be measured.
func parseBudget(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%q is not a time above 0, such as 4m", text)
	}
	return d, nil
}

// wholeTable is the command that measures what docs have.
const wholeTable = "make claims"

// command is what to type to measure the same again.
func (f *claimsFlags) command() string {
	said := []string{"simulator", "claims"}
	add := func(name, value, usual string) {
		if value != usual {
			said = append(said, "--"+name, value)
		}
	}
	add("scenario", f.data.scenario.Name, usualScenario)
	add("tenants", fmt.Sprint(f.data.tenants), "0")
	add("seed", fmt.Sprint(f.data.seed), "1")
	add("only", f.options.Only, "")
	add("budget", f.options.Budget.String(), usualBudget.String())
	for _, s := range f.options.Settings {
		add("set", s, "")
	}
	if len(said) == 2 {
		return wholeTable
	}
	return strings.Join(said, " ")
}

var errNotMeasured = errors.New("something could not be measured")

// runClaims is simulator claims.
func runClaims(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	f, set := newClaimsFlags()
	if status, ok := parseFlags(set, args, claimsHelp, stdout, stderr); !ok {
		return status
	}
	if f.docs != "" && f.command() != wholeTable {
		fmt.Fprintf(stderr, "simulator claims: --docs is for all claims as they are: this is %s\n", f.command())
		return exitUsage
	}
	ctx, stop := untilSignal(ctx)
	defer stop()
	if err := f.claims(ctx, stdout, stderr); err != nil {
		return failed(stderr, "claims", err, nil)
	}
	return exitOK
}

func (f *claimsFlags) claims(ctx context.Context, stdout, stderr io.Writer) (err error) {
	if err := writable(f.outputs()...); err != nil {
		return err
	}
	o := f.options
	if o.Data, err = f.data.data(); err != nil {
		return err
	}
	if o.Program == "" {
		if o.Program, err = servers.Find(); err != nil {
			return err
		}
	}
	o.Say = func(text string) { fmt.Fprintln(stderr, text) }
	table, err := claims.Run(ctx, o)
	if err != nil {
		return err
	}
	table.Command = f.command()
	report.Claims(stdout, table)
	err = errors.Join(
		toFile(f.markdown, func(w io.Writer) error { return report.ClaimsMarkdown(w, table) }),
		toFile(f.json, func(w io.Writer) error { return report.JSON(w, table) }))
	if err == nil && table.Failures() > 0 {
		return errNotMeasured
	}
	if err == nil && f.docs != "" {
		return report.ClaimsDocs(f.docs, table)
	}
	return err
}

// outputs are the files that are to be written, without those that are not asked for.
func (f *claimsFlags) outputs() []string {
	files := []string{f.markdown, f.json}
	if f.docs != "" {
		files = append(files, filepath.Join(f.docs, "docs", "benchmarks.md"), filepath.Join(f.docs, "README.md"))
	}
	return files
}
