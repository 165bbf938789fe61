package main

import (
	"io"
	"log"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

func terminal(w io.Writer) bool {
	if o, ok := w.(*output); ok {
		w = o.to
	}
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// lines is what shows progress by a line each time.
func lines(w io.Writer, total int, what, unit string) func(done int) {
	out, begin := log.New(w, what+": ", 0), time.Now() // several may show it at once
	return func(done int) {
		out.Printf("%d of %d %s, %.0f a second", done, total, unit, float64(done)/time.Since(begin).Seconds())
	}
}

// newBar is a bar with rate and time left, on a terminal; elsewhere it shows
// nothing.
func newBar(w io.Writer, total int, what, unit string) *progressbar.ProgressBar {
	return progressbar.NewOptions(total,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetVisibility(terminal(w)),
		progressbar.OptionSetDescription(what),
		progressbar.OptionSetItsString(unit),
		progressbar.OptionShowIts(),
		progressbar.OptionShowCount(),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionSetWidth(24),
		progressbar.OptionClearOnFinish(),
	)
}
