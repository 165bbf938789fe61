package claims

import (
	"strings"
	"testing"
	"time"
)

// TestCompressedLists wants nothing met where nothing was compressed.
func TestCompressedLists(t *testing.T) {
	for _, c := range []struct {
		lists []packed
		met   bool
		want  string
	}{
		{[]packed{{25, 0, 0}, {100, 0, 0}}, false, "25 rows are kept as they are, 100 rows are kept as they are"},
		{[]packed{{25, 0, 0}, {100, 10240, 2048}}, true, "25 rows are kept as they are, 100 rows 80 % less; together 10 KB became 2 KB, 80 % less"},
		{[]packed{{25, 10240, 5120}, {100, 10240, 4096}}, false, "55 % less"},
		{nil, false, "lists in the cache"},
	} {
		if text, met := compressedLists(c.lists); met != c.met || !strings.Contains(text, c.want) {
			t.Errorf("%v: %v, %q", c.lists, met, text)
		}
	}
}

// TestFaster wants what was not measured not to be fast.
func TestFaster(t *testing.T) {
	for _, c := range []struct {
		base, other, least float64
		want               bool
	}{{10, 1, 10, true}, {9.9, 1, 10, false}, {10, 0, 3, false}, {0, 0, 3, false}, {10, -1, 3, false}, {0, 1, 0, false}} {
		if got := faster(c.base, c.other, c.least); got != c.want {
			t.Errorf("%v against %v is %v times faster: %v", c.other, c.base, c.least, got)
		}
	}
}

// TestFreeJoins wants the lists through PgJay compared, whatever they take directly.
func TestFreeJoins(t *testing.T) {
	for _, c := range []struct {
		joined, simple times
		want           bool
	}{
		{times{100, 40}, times{100, 35}, true},
		{times{100, 100}, times{100, 35}, false}, // PgJay has made the simple list fast, and not the other
		{times{100, 40}, times{30, 35}, true},
		{times{}, times{}, false},
	} {
		if got := freeJoins(c.joined, c.simple); got != c.want {
			t.Errorf("%v with joins and %v without: %v", c.joined, c.simple, got)
		}
	}
}

// TestAskUntil wants all claims measured within ten minutes.
func TestAskUntil(t *testing.T) {
	began := time.Now()
	for _, c := range []struct{ gone, budget, want time.Duration }{
		{3 * time.Minute, 4 * time.Minute, 7 * time.Minute},
		{7 * time.Minute, 4 * time.Minute, 9 * time.Minute},
	} {
		if got := askUntil(began, began.Add(c.gone), c.budget).Sub(began); got != c.want {
			t.Errorf("after %v, with %v: until %v, not %v", c.gone, c.budget, got, c.want)
		}
	}
}
