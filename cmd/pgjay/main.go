// Command pgjay is a PostgreSQL proxy. This package has its commands: flags,
// signals, the order of start and stop. What they do is in the other packages.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
)

// Exit statuses.
const (
	exitOK     = 0
	exitFailed = 1 // it was tried, and failed
	exitUsage  = 2 // the command line makes no sense
)

// command does what its arguments say, until ctx ends, and returns the exit
// status.
type command func(ctx context.Context, args []string, stdout, stderr io.Writer) int

const help = `PgJay is a PostgreSQL proxy: applications connect to it as if it were
PostgreSQL, and share a few connections to the real one.

Usage: pgjay COMMAND [FLAGS]

Commands:
  serve    run the proxy
  check    say whether a configuration is right, and what to fix
  rewrite  test the rules of rewriting, and see what they make of a statement
  demo     run a throw-away PostgreSQL with sample data, and the proxy before it
  version  print the version
  help     print this text

pgjay COMMAND --help explains a command. To look around:

  pgjay demo
  pgjay serve --backend postgres://127.0.0.1:5432 --set auth.method=trust
  pgjay check --print-default > pgjay.yaml

Exit status: 0 all went well, 1 it failed, 2 the command line is wrong.
`

func main() {
	os.Exit(dispatch(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}

// dispatch runs the command that args start with.
func dispatch(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	commands := map[string]command{
		"serve":   runServe,
		"check":   runCheck,
		"demo":    runDemo,
		"rewrite": runRewrite,
		"version": runVersion,
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
	case "-v", "-version", "--version":
		name = "version"
	}
	run, ok := commands[name]
	if !ok {
		fmt.Fprintf(stderr, "pgjay: there is no command %q; the commands are serve, check, rewrite, demo, version and help\n", args[0])
		return exitUsage
	}
	return run(ctx, args[1:], stdout, stderr)
}

// runHelp prints the help of the program, or of the command that args name.
func runHelp(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 1 && args[0] != "help" && args[0] != "--help" {
		return dispatch(ctx, []string{args[0], "--help"}, stdout, stderr)
	}
	fmt.Fprint(stdout, help)
	return exitOK
}
