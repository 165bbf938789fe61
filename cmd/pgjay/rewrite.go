package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/pgjay/pgjay/configs"
	"github.com/pgjay/pgjay/proxy"
)

const rewriteHelp = `pgjay rewrite is about the rules by which statements are given to PostgreSQL in
another form.

Usage: pgjay rewrite test --config FILE [FLAGS]
       pgjay rewrite explain --config FILE --user NAME --database NAME [FLAGS] 'STATEMENT'

test runs the tests in the rules of the configuration. It connects to nothing.
explain says of each rule what it makes of a statement, what PostgreSQL thinks of
both forms, or which requirement does not hold. It asks PostgreSQL, as that user,
and runs nothing.

` + configFlagsHelp + `  --user NAME        whose statement it is
  --database NAME    in which database
`

// runRewrite is pgjay rewrite.
func runRewrite(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	what := ""
	if len(args) > 0 {
		what, args = args[0], args[1:]
	}
	switch what {
	case "test":
		return runRewriteTest(args, stdout, stderr)
	case "explain":
		return runRewriteExplain(ctx, args, stdout, stderr)
	case "-h", "-help", "--help":
		fmt.Fprint(stdout, rewriteHelp)
		return exitOK
	}
	fmt.Fprint(stderr, rewriteHelp)
	return exitUsage
}

func runRewriteTest(args []string, stdout, stderr io.Writer) int {
	flags := newConfigFlags("rewrite test")
	if status, ok := parseFlags(flags.set, args, rewriteHelp, stdout, stderr); !ok {
		return status
	}
	cfg, err := flags.load() // which runs them
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitFailed
	}
	rules, tests := cfg.RewriteTests()
	fmt.Fprintf(stdout, "%d tests of %d rules: ok\n", tests, rules)
	return exitOK
}

func runRewriteExplain(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := newConfigFlags("rewrite explain")
	user, database := flags.set.String("user", "", ""), flags.set.String("database", "", "")
	text, err := explainArguments(flags.set, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, rewriteHelp)
		return exitOK
	case err != nil:
		fmt.Fprintf(stderr, "pgjay rewrite explain: %v\npgjay rewrite --help explains it\n", err)
		return exitUsage
	case *user == "" || *database == "":
		fmt.Fprint(stderr, "pgjay rewrite explain: whose statement is it? give --user and --database\n")
		return exitUsage
	}
	cfg, err := flags.load()
	if err == nil {
		err = explainRewrite(ctx, cfg, explained{*user, *database, text}, stdout)
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitFailed
	}
	return exitOK
}

// explainArguments reads the flags, and the statement behind them.
func explainArguments(set *flag.FlagSet, args []string) (text string, err error) {
	set.SetOutput(io.Discard)
	if err := set.Parse(args); err != nil {
		return "", err
	}
	if set.NArg() != 1 {
		return "", errors.New("give one statement, behind the flags")
	}
	return set.Arg(0), nil
}

// explained is a statement of somebody's.
type explained struct{ user, database, text string }

// explainRewrite asks PostgreSQL about the statement, through a proxy that nobody can
// connect to.
func explainRewrite(ctx context.Context, cfg *configs.Config, e explained, stdout io.Writer) error {
	const limit = 30 * time.Second
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	settings := cfg.Proxy()
	settings.Cache.Enabled = true
	log := slog.New(slog.DiscardHandler)
	srv, err := proxy.NewServer(settings, log, newMonitor(cfg, log))
	if err != nil {
		return err
	}
	defer srv.Close()
	steps, why, err := srv.ExplainRewrite(ctx, e.user, e.database, e.text)
	if err != nil {
		return err
	}
	if why != "" {
		fmt.Fprintf(stdout, "no rule may touch it: %s\n", why)
	}
	for _, st := range steps {
		if st.Text == "" {
			fmt.Fprintf(stdout, "%-20s  no: %s\n", st.Rule, st.Why)
			continue
		}
		fmt.Fprintf(stdout, "%-20s  %s: %s\n    %s\n", st.Rule, st.State, st.Why, st.Text)
	}
	return nil
}
