package rewrite

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// version is one that a test ends.
type version struct{ over bool }

func (v *version) Current() bool { return !v.over }

func mark(rank int64) Bookmark {
	return Bookmark{Rank: rank, Value: Value{Bytes: fmt.Sprint(rank)}}
}

// What is found is the last bookmark that is not behind the offset, as long as its
// version is current.
func TestBookmarks(t *testing.T) {
	s, v, k := NewBookmarks(1<<20), new(version), ListKey{Lo: 1, Hi: 2}
	rng := rand.New(rand.NewPCG(1, 1))
	best := func(marks map[int64]bool, offset int64) (rank int64) {
		rank = -1
		for r := range marks {
			if r <= offset {
				rank = max(rank, r)
			}
		}
		return rank
	}
	known := make(map[int64]bool)
	sampled := NewSamples(1 << 20)
	for r := int64(0); r < 10000; r += 500 {
		sampled.Offer(mark(r))
		known[r] = true
	}
	s.Install(k, v, 1, sampled)
	for range 200 {
		r := rng.Int64N(10000)
		known[r] = true
		s.Add(k, v, 2, mark(r), mark(r))
		offset := rng.Int64N(11000)
		b, _, ok := s.Find(k, offset, 0)
		if want := best(known, offset); !ok || b.Rank != want || b.Value.Bytes != fmt.Sprint(want) {
			t.Fatalf("before %d is %v, want %d", offset, b, want)
		}
	}
	if _, _, ok := s.Find(ListKey{Lo: 1, Hi: 3}, 5000, 0); ok {
		t.Error("another list has its bookmarks")
	}
	if _, _, ok := s.Find(k, 5000, 2); ok {
		t.Error("one that is too old was found")
	}
	s.Add(k, v, 3, mark(7))
	v.over = true
	if _, _, ok := s.Find(k, 5000, 0); ok {
		t.Error("one of an old version was found")
	}
	next := new(version)
	s.Add(k, next, 3, mark(70))
	if b, _, ok := s.Find(k, 5000, 0); !ok || b.Rank != 70 {
		t.Errorf("of the new version: %v %t", b, ok)
	}
}

// Memory is bounded, for all lists and for one; those that are not used go first.
func TestBookmarksAreBounded(t *testing.T) {
	const limit = 100 << 10
	s, v := NewBookmarks(limit), new(version)
	for i := range uint64(2000) {
		s.Add(ListKey{Lo: i, Hi: 0}, v, 1, mark(int64(i)))
		s.Find(ListKey{Lo: 0, Hi: 0}, 5000, 0)
		if _, bytes, _ := s.Size(); bytes > limit {
			t.Fatalf("%d bytes", bytes)
		}
	}
	if _, _, ok := s.Find(ListKey{Lo: 0, Hi: 0}, 5000, 0); !ok {
		t.Error("the list that is used most is gone")
	}
	if _, _, evicted := s.Size(); evicted == 0 {
		t.Error("nothing had to go")
	}
	for r := range int64(3 * maxServed) {
		s.Add(ListKey{Lo: 1, Hi: 1}, v, 1, mark(r))
	}
	if n := len(s.known[ListKey{Lo: 1, Hi: 1}].Value.(*bookmarkList).served); n != maxServed {
		t.Errorf("one list has %d", n)
	}
	var bytes int64
	for e := s.used.Front(); e != nil; e = e.Next() {
		l := e.Value.(*bookmarkList)
		n := int64(listOverhead)
		for _, b := range l.served {
			n += int64(b.size())
		}
		if n != l.bytes {
			t.Fatalf("%d bytes are counted as %d", n, l.bytes)
		}
		bytes += n
	}
	if _, counted, _ := s.Size(); counted != bytes {
		t.Errorf("%d bytes are counted as %d", bytes, counted)
	}
}

// A list is counted through when it is asked for again and again, once.
func TestBookmarksHot(t *testing.T) {
	s, k := NewBookmarks(1<<20), ListKey{Lo: 5, Hi: 5}
	for i, want := range []bool{false, false, true, false, false} {
		if got := s.Hot(k, int64(i+1)); got != want {
			t.Errorf("hit %d: %t", i+1, got)
		}
	}
	s.Rest(k, 100)
	if s.Hot(k, 99) || !s.Hot(k, 100) {
		t.Error("it does not rest")
	}
	s.Rest(k, 0)
	if s.Hot(k, 100+hotWindow+1) {
		t.Error("hits of long ago count")
	}
}

func TestKeysDiffer(t *testing.T) {
	text := func(s string) Value { return Value{Bytes: s} }
	for _, test := range []struct {
		oid    uint32
		a, b   Value
		differ bool
	}{
		{23, text("1"), text("2"), true},
		{23, text("1"), text("1"), false},
		{23, text("1"), Value{Null: true}, true},
		{23, Value{Null: true}, Value{Null: true}, false},
		{1700, text("1.0"), text("1.00"), false},
		{1700, text("10"), text("1"), true},
		{1700, text("1.5"), text("1.50"), false},
		{1700, Value{Bytes: "a", Binary: true}, Value{Bytes: "b", Binary: true}, false},
		{1042, text("a "), text("a"), false},
	} {
		if got := KeyTypeOf(test.oid).Differ(test.a, test.b); got != test.differ {
			t.Errorf("%d: %v and %v: %t", test.oid, test.a, test.b, got)
		}
	}
	if KeyTypeOf(701) != nil {
		t.Error("floats can be carried")
	}
}
