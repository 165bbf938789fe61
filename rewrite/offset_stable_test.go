package rewrite

import "testing"

// The bookmarks of a stable list are those of the last pages.
func TestStableBookmarks(t *testing.T) {
	b, v := NewBookmarks(1<<20), always{}
	k := ListKey{Lo: 1, Stable: true}
	find := func(offset, oldest int64) string {
		mark, _, ok := b.Find(k, offset, oldest)
		if !ok {
			return ""
		}
		return mark.Value.Bytes
	}
	counted := NewSamples(1 << 20)
	for i := range 100 {
		counted.Offer(Bookmark{Rank: int64(i) * 50, Value: Value{Bytes: "counted"}})
	}
	b.Install(k, v, 10, counted)
	b.Add(k, v, 20, Bookmark{Rank: 1020, Value: Value{Bytes: "first"}})
	for _, test := range []struct {
		offset int64
		want   string
	}{{1019, "counted"}, {1020, "first"}, {1100, "first"}, {2020, "first"}, {2021, "counted"}} {
		if got := find(test.offset, 0); got != test.want {
			t.Errorf("at %d it is %q, want %q", test.offset, got, test.want)
		}
	}
	b.Add(k, v, 30, Bookmark{Rank: 1020, Value: Value{Bytes: "again"}})
	if got := find(1020, 0); got != "again" {
		t.Errorf("the last page has left %q", got)
	}
	if got := find(5000, 15); got != "again" {
		t.Errorf("what was counted at 10 is used at an age of 15: %q", got)
	}
	if got := find(1020, 31); got != "" {
		t.Errorf("what was left at 30 is used at an age of 31: %q", got)
	}
}

type always struct{}

func (always) Current() bool { return true }
