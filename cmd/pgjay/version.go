package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
)

const versionHelp = `pgjay version prints the version, the commit it was built from, and Go's
version.

Usage: pgjay version
`

// version is set by the linker for releases: -X main.version=v1.2.3.
var version = ""

// runVersion is pgjay version.
func runVersion(_ context.Context, args []string, stdout, stderr io.Writer) int {
	set := flag.NewFlagSet("pgjay version", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.Usage = func() {}
	if status, ok := parseFlags(set, args, versionHelp, stdout, stderr); !ok {
		return status
	}
	b := readBuild()
	fmt.Fprintf(stdout, "pgjay %s\ncommit %s\n%s %s/%s\n", b.version, b.commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return exitOK
}

// build says what this program was made from.
type build struct {
	version, commit string
}

// readBuild reads what the Go tool has put into the program.
func readBuild() build {
	b := build{version: "unknown", commit: "unknown"}
	info, ok := debug.ReadBuildInfo()
	if ok && info.Main.Version != "" {
		b.version = info.Main.Version
	}
	if version != "" {
		b.version = version
	}
	if ok {
		b.readSettings(info.Settings)
	}
	return b
}

func (b *build) readSettings(settings []debug.BuildSetting) {
	modified := ""
	for _, s := range settings {
		switch {
		case s.Key == "vcs.revision":
			b.commit = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = " with changes"
		}
	}
	b.commit += modified
}
