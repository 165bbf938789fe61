package main

import (
	"context"
	"fmt"
	"io"

	"github.com/pgjay/pgjay/configs"
)

const checkHelp = `pgjay check says whether a configuration is right. It prints every error with
its place, the line and the fix, and exits with status 1; or says ok. It reads
the TLS files, and connects to nothing. The flags are those of pgjay serve.

Usage: pgjay check --config FILE [FLAGS]

` + configFlagsHelp + `  --print-default    print the default configuration, commented, and exit
`

// runCheck is pgjay check.
func runCheck(_ context.Context, args []string, stdout, stderr io.Writer) int {
	flags := newConfigFlags("check")
	printDefault := flags.set.Bool("print-default", false, "")
	if status, ok := parseFlags(flags.set, args, checkHelp, stdout, stderr); !ok {
		return status
	}
	if *printDefault {
		_, _ = stdout.Write(configs.DefaultFile)
		return exitOK
	}
	if len(args) == 0 {
		fmt.Fprint(stderr, "pgjay check: nothing to check: give --config FILE\npgjay check --help lists the flags\n")
		return exitUsage
	}
	cfg, err := flags.load()
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitFailed
	}
	for _, w := range cfg.Warnings() {
		fmt.Fprintf(stderr, "warning: %s\n", w)
	}
	name := flags.config
	if name == "" {
		name = "flags"
	}
	fmt.Fprintf(stdout, "%s: ok\n", name)
	return exitOK
}
