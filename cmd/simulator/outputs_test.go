package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"
)

// broken is where nothing can be written.
type broken struct{ err error }

func (b broken) Write([]byte) (int, error) { return 0, b.err }

// TestFullDisk wants a command to fail that cannot print what it found.
func TestFullDisk(t *testing.T) {
	for _, args := range [][]string{{"help"}, {"help", "run"}, {"seed", "--help"}} {
		var stderr bytes.Buffer
		status := dispatch(t.Context(), args, broken{syscall.ENOSPC}, &stderr)
		if status != exitFailed || !strings.Contains(stderr.String(), "no space left") {
			t.Errorf("%q to a full disk: status %d and %q", args, status, stderr.String())
		}
	}
}

// TestNobodyReads wants a command ended in order when nobody reads what it prints, and one
// whose progress cannot be shown to go on.
func TestNobodyReads(t *testing.T) {
	var errs bytes.Buffer
	for _, c := range []struct {
		stdout, stderr io.Writer
		ends           bool
		status         int
	}{
		{broken{syscall.EPIPE}, &errs, true, exitFailed},
		{io.Discard, broken{syscall.EPIPE}, true, exitOK},
		{io.Discard, broken{syscall.ENOSPC}, false, exitOK},
	} {
		ended := false
		status := printing(func(ctx context.Context, _ []string, stdout, stderr io.Writer) int {
			_, err1 := io.WriteString(stdout, "x")
			_, err2 := io.WriteString(stderr, "x")
			if errors.Join(err1, err2) == nil {
				t.Error("it is not told")
			}
			ended = ctx.Err() != nil
			return exitOK
		})(t.Context(), nil, c.stdout, c.stderr)
		if ended != c.ends || status != c.status || errs.String() != "x" {
			t.Errorf("%v, %v: ended %v, status %d, %q", c.stdout, c.stderr, ended, status, errs.String())
		}
	}
}
