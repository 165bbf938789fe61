package main

import (
	"context"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// TestSecondSignalExits sends one signal, which ends the context; the same once
// more at once, as make does; and a last one.
func TestSecondSignalExits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(context.Background())
		signals, exits := make(chan os.Signal), make(chan os.Signal, 1)
		go obey(signals, cancel, func(s os.Signal) { exits <- s })

		signals <- syscall.SIGTERM
		<-ctx.Done()
		if cause := context.Cause(ctx).Error(); !strings.Contains(cause, "terminated") {
			t.Errorf("the cause is %q", cause)
		}
		signals <- syscall.SIGTERM
		time.Sleep(sameSignal)
		select {
		case <-exits:
			t.Fatal("one signal exits")
		default:
		}
		signals <- syscall.SIGINT
		if s := <-exits; s != syscall.SIGINT {
			t.Errorf("exits with %v", s)
		}
	})
}

// TestStopEndsObey stops listening to signals without one.
func TestStopEndsObey(t *testing.T) {
	ctx, stop := untilSignal(t.Context())
	stop()
	<-ctx.Done()
}
