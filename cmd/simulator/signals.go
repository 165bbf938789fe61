package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// untilSignal returns a context that ends at SIGINT, SIGTERM or SIGHUP: what was started
// is ended in order. A later signal ends the process.
func untilSignal(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(parent)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	restore := func() { signal.Stop(signals) }
	go obey(ctx, signals, cancel, restore)
	return ctx, func() {
		restore()
		cancel()
	}
}

// sameSignal is the time in which another signal is the first one again: make,
// timeout and shells pass on what the whole process group has got already.
const sameSignal = 300 * time.Millisecond

// obey cancels at the first signal, and then lets signals do what they do by default.
func obey(ctx context.Context, signals <-chan os.Signal, cancel, restore func()) {
	select {
	case <-signals:
		cancel()
	case <-ctx.Done(): // which a signal may follow, as from a shell that ends a pipeline
	}
	time.Sleep(sameSignal)
	restore()
}
