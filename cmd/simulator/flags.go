package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pgjay/pgjay/cmd/simulator/internal/crm"
	"github.com/pgjay/pgjay/cmd/simulator/internal/load"
	"github.com/pgjay/pgjay/cmd/simulator/internal/servers"
)

// newFlags is a set of flags that parseFlags reports on.
func newFlags(command string) *flag.FlagSet {
	set := flag.NewFlagSet("simulator "+command, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.Usage = func() {}
	return set
}

// parseFlags reads args into set. If it returns false, there is nothing more
// to do than to exit with status: help was printed, or what is wrong.
func parseFlags(set *flag.FlagSet, args []string, help string, stdout, stderr io.Writer) (status int, ok bool) {
	err := set.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, help)
		return exitOK, false
	}
	if err == nil && set.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q", set.Arg(0))
	}
	if err != nil {
		fmt.Fprintf(stderr, "%s: %s\n%s --help lists the flags\n", set.Name(), flagError(err), set.Name())
		return exitUsage, false
	}
	return exitOK, true
}

// echoed is what package flag writes before the reason why a URL is none: with the URL,
// and so with its password.
var echoed = regexp.MustCompile(`(?s)^invalid value ".*" for flag -(dsn|proxy): `)

// flagError is package flag's error with the two dashes that we document.
func flagError(err error) string {
	text := err.Error()
	if name, ok := strings.CutPrefix(text, "flag provided but not defined: -"); ok {
		return "there is no flag --" + name
	}
	text = echoed.ReplaceAllString(text, "--$1: ")
	return strings.NewReplacer("argument: -", "argument: --", "for flag -", "for flag --").Replace(text)
}

// value makes a flag whose text is read by parse.
func value[T any](set *flag.FlagSet, name string, into *T, parse func(string) (T, error)) {
	set.Func(name, "", func(text string) (err error) {
		*into, err = parse(text)
		return err
	})
}

// number makes a flag for one from least to most.
func number(set *flag.FlagSet, name string, into *int, least, most int) {
	value(set, name, into, func(text string) (int, error) {
		n, err := strconv.Atoi(text)
		if err != nil || n < least || n > most {
			return 0, fmt.Errorf("%q is not a number from %d to %d", text, least, most)
		}
		return n, nil
	})
}

// given are those of these flags that are on the command line.
func given(set *flag.FlagSet, names ...string) (found []string) {
	set.Visit(func(f *flag.Flag) {
		if slices.Contains(names, f.Name) {
			found = append(found, "--"+f.Name)
		}
	})
	return found
}

// needless fails if one of these flags was given where it changes nothing, for this
// reason.
func needless(set *flag.FlagSet, reason string, names ...string) error {
	found := given(set, names...)
	if found == nil {
		return nil
	}
	return fmt.Errorf("without effect: %s: %s", strings.Join(found, ", "), reason)
}

// refused prints that flags do not fit together.
func refused(set *flag.FlagSet, err error, stderr io.Writer) int {
	fmt.Fprintf(stderr, "%s: %v\n", set.Name(), err)
	return exitUsage
}

// dataFlags say which data.
type dataFlags struct {
	scenario crm.Scenario
	tenants  int
	seed     uint64
}

const dataFlagsHelp = `  --scenario NAME     small, medium, large or stress-test: %s
  --tenants N         how many tenants share the data; default the scenario's
  --seed N            the same number gives the same data and queries; default 1
`

func (f *dataFlags) add(set *flag.FlagSet, scenario string) {
	f.scenario, _ = crm.FindScenario(scenario)
	value(set, "scenario", &f.scenario, crm.FindScenario)
	number(set, "tenants", &f.tenants, 1, 1_000_000)
	set.Uint64Var(&f.seed, "seed", 1, "")
}

func (f *dataFlags) data() (*crm.Data, error) {
	s, err := f.scenario.WithTenants(f.tenants)
	return crm.New(s, f.seed), err
}

// loadFlags say how to ask.
type loadFlags struct {
	options load.Options
	queries int // 0: the scenario's
}

const loadFlagsHelp = `  --queries N         how many; default the scenario's
  --clients N         how many ask at the same time; default 8
  --connect HOW       query: a connection for each query; batch: one for each 50;
                      pool: they stay open; default %s
  --batch N           queries of one connection, with --connect batch; default 50
  --connections N     connections of the pool; default one for each client
  --protocol NAME     simple, extended or prepared; default extended
`

// most clients, or connections: what one machine has the sockets for.
const mostClients = 10_000

// add makes the flags, for up to mostQueries.
func (f *loadFlags) add(set *flag.FlagSet, connect load.Connect, mostQueries int) {
	f.options = load.Options{Connect: connect, Clients: 8, Batch: 50, Protocol: load.Extended}
	number(set, "queries", &f.queries, 1, mostQueries)
	number(set, "clients", &f.options.Clients, 1, mostClients)
	value(set, "connect", &f.options.Connect, load.ParseConnect)
	number(set, "batch", &f.options.Batch, 1, 1_000_000)
	number(set, "connections", &f.options.Connections, 1, mostClients)
	value(set, "protocol", &f.options.Protocol, load.ParseProtocol)
}

// check finds what has no effect on how the queries are asked; batched says that some
// are in batches whatever --connect says.
func (f *loadFlags) check(set *flag.FlagSet, batched bool) error {
	var errs []error
	if f.options.Connect != load.Pooled {
		errs = append(errs, needless(set, "there is no pool without --connect pool", "connections"))
	}
	if f.options.Connect != load.PerBatch && !batched {
		errs = append(errs, needless(set, "there are no batches without --connect batch", "batch"))
	}
	return errors.Join(errs...)
}

// finish gives what was left open its default.
func (f *loadFlags) finish(s crm.Scenario) {
	if f.queries == 0 {
		f.queries = s.Queries
	}
	if f.options.Connections == 0 {
		f.options.Connections = f.options.Clients
	}
}

const dsnHelp = `  --dsn URL           the database, such as postgres://user@127.0.0.1:5432/crm;
                      default $DATABASE_URL
`

func addDSN(set *flag.FlagSet, into **url.URL) { value(set, "dsn", into, servers.ParseURL) }

// dsnOrEnvironment is what --dsn has set, or else $DATABASE_URL.
func dsnOrEnvironment(given *url.URL) (*url.URL, error) {
	if given != nil {
		return given, nil
	}
	text := os.Getenv("DATABASE_URL")
	if text == "" {
		return nil, errors.New("say which database: --dsn postgres://user@127.0.0.1:5432/crm, or set DATABASE_URL")
	}
	u, err := servers.ParseURL(text)
	if err != nil {
		return nil, fmt.Errorf("DATABASE_URL: %w", err)
	}
	return u, nil
}
