// Command simulator is the CRM that PgJay is measured with: it fills a database,
// asks what such an application asks, with and without PgJay, and compares answers
// and times. This package has its commands; what they do is in internal.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Exit statuses.
const (
	exitOK     = 0
	exitFailed = 1 // it was tried, and failed; or answers differ
	exitUsage  = 2 // the command line makes no sense
)

// command does what its arguments say, until ctx ends, and returns the exit
// status.
type command func(ctx context.Context, args []string, stdout, stderr io.Writer) int

const help = `simulator is a CRM under load, to measure PgJay with and to check its answers.

Usage: simulator COMMAND [FLAGS]

Commands:
  seed     fill a database
  run      ask it: run baseline, or run proxied
  compare  ask directly and through PgJay, in turns, and say what PgJay gains
  claims   measure what is claimed of PgJay, on a throw-away PostgreSQL
  help     print this text

simulator COMMAND --help explains a command. To begin with:

  simulator compare --scenario small --verify
  simulator claims

Exit status: 0 all went well, 1 it failed or answers differ, 2 the command line
is wrong.
`

func main() {
	// A pipe that nobody reads any more is an error of the write, not the end of the process.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	os.Exit(dispatch(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}

// dispatch runs the command that args start with.
func dispatch(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	commands := map[string]command{
		"seed":    runSeed,
		"run":     runRun,
		"compare": runCompare,
		"claims":  runClaims,
		"help":    runHelp,
	}
	if len(args) == 0 {
		fmt.Fprint(stderr, help)
		return exitUsage
	}
	name := args[0]
	switch name {
	case "-h", "-help", "--help":
		name = "help"
	}
	run, ok := commands[name]
	if !ok {
		fmt.Fprintf(stderr, "simulator: there is no command %q; the commands are seed, run, compare, claims and help\n", args[0])
		return exitUsage
	}
	return printing(run)(ctx, args[1:], stdout, stderr)
}

// printing is a command that fails if what it prints cannot be written.
func printing(run command) command {
	return func(ctx context.Context, args []string, stdout, stderr io.Writer) int {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		out := &output{to: stdout, end: cancel}
		status := run(ctx, args, out, &output{to: stderr, end: cancel})
		err := out.failed()
		if err == nil || status != exitOK {
			return status
		}
		if !errors.Is(err, syscall.EPIPE) { // who reads no more knows
			fmt.Fprintf(stderr, "simulator: %v\n", err)
		}
		return exitFailed
	}
}

// runHelp prints the help of the program, or of the command that args name.
func runHelp(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 1 && args[0] != "help" && args[0] != "--help" {
		return dispatch(ctx, []string{args[0], "--help"}, stdout, stderr)
	}
	fmt.Fprint(stdout, help)
	return exitOK
}
