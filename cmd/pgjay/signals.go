package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// untilSignal returns a context that ends at the first SIGINT or SIGTERM: time
// to finish in order. The second one ends the process at once.
func untilSignal(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go obey(signals, cancel, exitAtOnce)
	return ctx, func() {
		signal.Stop(signals)
		close(signals)
		cancel(nil)
	}
}

// obey acts on signals until they are closed.
func obey(signals <-chan os.Signal, cancel context.CancelCauseFunc, exit func(os.Signal)) {
	first, ok := <-signals
	if !ok {
		return
	}
	cancel(fmt.Errorf("got %v", first))
	if second, ok := <-signals; ok {
		exit(second)
	}
}

func exitAtOnce(again os.Signal) {
	fmt.Fprintf(os.Stderr, "pgjay: got %v while stopping: exiting at once\n", again)
	os.Exit(exitFailed)
}
