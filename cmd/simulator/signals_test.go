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

// TestSignalsAreTaken gets the same signal twice, which would end this process.
func TestSignalsAreTaken(t *testing.T) {
	ctx, stop := untilSignal(t.Context())
	defer stop()
	for range 2 {
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		<-ctx.Done()
	}
}
