package digest

import (
	"bytes"
	"time"
)

// Trace is what is told of an execution to those who follow traces.
type Trace struct {
	// Parent is the traceparent in its comment, as W3C writes it; empty: there is none.
	Parent string
	Ended  time.Time // set by Record
}

var traceparent = []byte("traceparent")

// Trace returns what is to be told of a statement with this text if its comment says that
// its trace is recorded; nil: nothing is. Without tracing it looks at nothing.
func (r *Recorder) Trace(text []byte) *Trace {
	if r.table.trace == nil || !bytes.Contains(text, traceparent) {
		return nil
	}
	for _, tag := range Tags(text, []string{"traceparent"}) {
		if sampled(tag.Value) {
			return &Trace{Parent: tag.Value}
		}
	}
	return nil
}

// TraceSlow returns the same for a slow statement of which no comment says anything.
func (r *Recorder) TraceSlow() *Trace {
	if r.table.trace == nil {
		return nil
	}
	return &Trace{}
}

// sampled reports whether a traceparent of version 00 says that somebody records the trace.
func sampled(parent string) bool {
	const length, flags = 55, 54
	return len(parent) == length && parent[:3] == "00-" && parent[flags]&1 == 1 // of a digit or a to f
}
