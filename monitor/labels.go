package monitor

import (
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	// otherLabel stands for all values for which there is no room.
	otherLabel = "other"
	// maxNameLen is PostgreSQL's: longer names of databases and users are cut.
	maxNameLen = 63
	// pairsPerLabel bounds the pairs of database and user, of which there
	// could otherwise be as many as the square of MaxLabelValues.
	pairsPerLabel = 5
)

// boundedLabel admits the first values of a label, and no more. Any goroutine
// may use it.
type boundedLabel struct {
	max      int
	overflow prometheus.Counter

	mu     sync.Mutex
	values map[string]string // guarded by mu; each value to itself, in memory of our own
}

func newBoundedLabel(max int, overflow prometheus.Counter) *boundedLabel {
	return &boundedLabel{max: max, overflow: overflow, values: make(map[string]string)}
}

// admit returns the value if there is room for it, otherwise "other".
func (b *boundedLabel) admit(value string) string {
	value = cleanName(value)
	b.mu.Lock()
	defer b.mu.Unlock()
	if known, ok := b.values[value]; ok {
		return known
	}
	if len(b.values) >= b.max {
		b.overflow.Inc()
		return otherLabel
	}
	value = strings.Clone(value)
	b.values[value] = value
	return value
}

// cleanName makes a label value of what a client sent: Prometheus refuses
// what is not UTF-8, and a name may be as long as a start-up packet.
func cleanName(s string) string {
	if len(s) > maxNameLen {
		s = s[:maxNameLen]
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// who is the pair of labels that most metrics have.
type who struct{ database, user string }

// boundedPairs admits pairs of a database and a user. Any goroutine may use it.
type boundedPairs struct {
	databases, users, servers *boundedLabel

	mu    sync.Mutex
	pairs map[who]struct{} // guarded by mu
}

func newBoundedPairs(max int, overflow *prometheus.CounterVec) *boundedPairs {
	return &boundedPairs{
		databases: newBoundedLabel(max, overflow.WithLabelValues("database")),
		users:     newBoundedLabel(max, overflow.WithLabelValues("user")),
		servers:   newBoundedLabel(max, overflow.WithLabelValues("backend")),
		pairs:     make(map[who]struct{}),
	}
}

// admit returns the labels of a database and a user. When there are too many
// pairs the user is the one that is given up.
func (b *boundedPairs) admit(database, user string) who {
	w := who{b.databases.admit(database), b.users.admit(user)}
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.pairs[w]; ok || w.user == otherLabel {
		return w
	}
	if len(b.pairs) >= b.users.max*pairsPerLabel {
		b.users.overflow.Inc()
		w.user = otherLabel
		return w
	}
	b.pairs[w] = struct{}{}
	return w
}
