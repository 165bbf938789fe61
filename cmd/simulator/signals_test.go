package main

import (
	"context"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// TestSecondSignal wants a signal that comes twice at once, as from make and timeout, to
// leave time to clean up, and a later one not.
func TestSecondSignal(t *testing.T) {
	for _, first := range []string{"a signal", "an end"} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			signals, restored := make(chan os.Signal, 1), false
			go obey(ctx, signals, cancel, func() { restored = true })
			if first == "a signal" {
				signals <- syscall.SIGTERM
			} else {
				cancel()
			}
			<-ctx.Done()
			time.Sleep(sameSignal - time.Nanosecond)
			synctest.Wait()
			if restored {
				t.Errorf("after %s the next one ends the process at once", first)
			}
			time.Sleep(time.Nanosecond)
			synctest.Wait()
			if !restored {
				t.Errorf("after %s no other ends the process", first)
			}
		})
	}
}

// TestSignalsAreTaken gets each of the signals, which would end this process. Each is
// waited for: one that comes when they are not taken any more would end it, too.
func TestSignalsAreTaken(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		ctx, stop := untilSignal(t.Context())
		if err := syscall.Kill(os.Getpid(), sig); err != nil {
			t.Fatal(err)
		}
		<-ctx.Done()
		stop()
	}
}
