package pgtest

import (
	"fmt"
	"strings"
	"sync"
)

// Entry is one message of a conversation, sent or received.
type Entry struct {
	Conn  string
	Sent  string // rendered; empty when it was received
	Frame Frame
}

func (e Entry) String() string {
	if e.Sent != "" {
		return e.Conn + " -> " + e.Sent
	}
	return e.Conn + " <- " + shorten(e.Frame.String())
}

// Transcript is what was said over the connections of one test, in the order
// in which the test saw it.
type Transcript struct {
	mu      sync.Mutex
	entries []Entry // guarded by mu
}

func (t *Transcript) add(e Entry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.entries = append(t.entries, e)
}

// Entries returns a copy of the conversation.
func (t *Transcript) Entries() []Entry {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]Entry(nil), t.entries...)
}

// String prints the conversation; of a long one the beginning and the end.
func (t *Transcript) String() string {
	const most = 800
	var b strings.Builder
	entries := t.Entries()
	for i, e := range entries {
		if len(entries) > most && i == most/2 {
			fmt.Fprintf(&b, "    ... %d more ...\n", len(entries)-most)
		}
		if i < most/2 || i >= len(entries)-most/2 {
			fmt.Fprintf(&b, "    %s\n", e)
		}
	}
	return b.String()
}
