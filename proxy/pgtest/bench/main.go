//go:build linux

package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// options are the flags.
type options struct {
	rounds, seconds int
	clients         []int
	modes           []string
	pgjay           string
	only            []string
	idle            int
	poolSize, scale int
	subjects        []string
}

func main() {
	// Children are told to end when the thread that started them does
	// (Pdeathsig), so they are all started from the main thread.
	runtime.LockOSThread()
	o, err := parseFlags()
	if err == nil {
		err = run(o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func parseFlags() (*options, error) {
	o := &options{}
	flag.IntVar(&o.rounds, "rounds", 3, "rounds; the median counts")
	flag.IntVar(&o.seconds, "seconds", 5, "length of one pgbench run")
	flag.StringVar(&o.pgjay, "pgjay", "./bin/pgjay", "the program to measure")
	flag.IntVar(&o.idle, "idle", 5000, "idle clients for the memory measurement")
	flag.IntVar(&o.poolSize, "pool", 25, "backends of each proxy")
	flag.IntVar(&o.scale, "scale", 10, "pgbench scale")
	clients := flag.String("clients", "1,16,64,256,2000", "numbers of clients")
	modes := flag.String("modes", "simple,extended", "pgbench query modes; simple, extended, prepared")
	only := flag.String("only", "speed,connect,syscalls,memory,cache,observe", "parts to run")
	subjects := flag.String("subjects", "direct,pgbouncer,pgjay", "what to compare")
	flag.Parse()
	o.modes, o.only, o.subjects = strings.Split(*modes, ","), strings.Split(*only, ","), strings.Split(*subjects, ",")
	for _, s := range strings.Split(*clients, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("-clients: %q is not a number of clients", s)
		}
		o.clients = append(o.clients, n)
	}
	return o, nil
}

// wants says whether a part was asked for.
func (o *options) wants(part string) bool { return slices.Contains(o.only, part) }

func run(o *options) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	raiseFileLimit()
	b, err := newBench(ctx, o)
	if err != nil {
		return err
	}
	defer b.close()
	for _, part := range b.parts() {
		if !o.wants(part.name) || ctx.Err() != nil {
			continue
		}
		if err := part.run(); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return ctx.Err()
}

type part struct {
	name string
	run  func() error
}

func (b *bench) parts() []part {
	return []part{
		{"speed", b.speed},
		{"connect", b.connect},
		{"syscalls", b.syscalls},
		{"memory", b.memory},
		{"cache", b.cache},
		{"observe", b.observe},
	}
}

// raiseFileLimit sets the soft limit to the hard one for this process and,
// because it is set explicitly, for its children.
func raiseFileLimit() {
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) == nil {
		l.Cur = l.Max
		_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l)
	}
}
