package rewrite

import (
	"fmt"
	"testing"
)

// Of a list of any length there are as many bookmarks as fit, evenly, and each is one
// that was offered.
func TestSamples(t *testing.T) {
	const limit, step = 4 << 10, 50
	for _, rows := range []int64{0, 40, 50, 5_000, 50_000, 1_000_000} {
		s := NewSamples(limit)
		for rank := int64(0); rank < rows; rank += step {
			s.Offer(mark(rank))
			if s.Bytes() > limit {
				t.Fatalf("%d bytes", s.Bytes())
			}
		}
		if n := len(s.ranks); n > 0 {
			s.Offer(s.at(n - 1)) // again, as where many rows are equal
			if len(s.ranks) != n {
				t.Errorf("a bookmark is there twice")
			}
		}
		s.Pack()
		if n := int64(s.Bytes()); rows*20/step > limit && n < limit/3 {
			t.Errorf("of %d rows there are bookmarks of %d bytes", rows, n)
		}
		var gap int64
		for i := range s.ranks {
			b := s.at(i)
			if b.Value.Bytes != fmt.Sprint(b.Rank) || b.Rank%step != 0 {
				t.Fatalf("bookmark %d of %d rows is %v", i, rows, b)
			}
			if i > 0 {
				if gap = max(gap, b.Rank-s.ranks[i-1]); b.Rank-s.ranks[i-1] != s.ranks[1]-s.ranks[0] {
					t.Fatalf("of %d rows they are not even: %v", rows, s.ranks)
				}
			}
		}
		if n := len(s.ranks); n > 1 && rows-s.ranks[n-1] > gap {
			t.Errorf("of %d rows the last one is %d", rows, s.ranks[n-1])
		}
	}
}

// Where the key is NULL begins a region that no other bookmark leads to.
func TestSamplesKeepNull(t *testing.T) {
	for nulls := range int64(64) {
		s := NewSamples(200)
		for rank := range nulls {
			s.Offer(mark(rank))
		}
		s.Offer(Bookmark{Rank: nulls, Value: Value{Null: true}})
		if b, ok := s.floor(nulls); !ok || !b.Value.Null || b.Rank != nulls {
			t.Errorf("with NULLs from %d on there is %v", nulls, b)
		}
	}
}
