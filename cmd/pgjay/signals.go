package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// untilSignal returns a context that ends at the first SIGINT or SIGTERM, or of
// the others given: time to finish in order. The second one ends the process at
// once.
func untilSignal(parent context.Context, others ...os.Signal) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, append(others, syscall.SIGINT, syscall.SIGTERM)...)
	go obey(signals, cancel, exitAtOnce)
	return ctx, func() {
		signal.Stop(signals)
		close(signals)
		cancel(nil)
	}
}

// sameSignal is the time in which another signal is the first one again: make,
// timeout and shells pass on what the whole process group has got already.
const sameSignal = 300 * time.Millisecond

// obey acts on signals until they are closed.
func obey(signals <-chan os.Signal, cancel context.CancelCauseFunc, exit func(os.Signal)) {
	first, ok := <-signals
	if !ok {
		return
	}
	began := time.Now()
	cancel(fmt.Errorf("got %v", first))
	for again := range signals {
		if time.Since(began) >= sameSignal {
			exit(again)
			return
		}
	}
}

func exitAtOnce(again os.Signal) {
	fmt.Fprintf(os.Stderr, "pgjay: got %v while stopping: exiting at once\n", again)
	os.Exit(exitFailed)
}
