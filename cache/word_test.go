package cache

import (
	"math/rand/v2"
	"sync"
	"testing"
	"unsafe"
)

func TestWord(t *testing.T) {
	var w Word
	want := func(version uint64, stable bool) {
		t.Helper()
		if v, s := w.Load(); v != version || s != stable {
			t.Errorf("version %d, stable %v; want %d, %v", v, s, version, stable)
		}
	}
	want(0, true)
	w.Begin()
	w.Begin()
	want(0, false)
	w.End()
	want(1, false)
	w.Release()
	want(1, true)
	w.Bump()
	want(2, true)
}

// TestManyWriters has more writers in flight than the low bits can count.
func TestManyWriters(t *testing.T) {
	var w Word
	const writers = 200_000
	for range writers {
		w.Begin()
	}
	if v, stable := w.Load(); v != 0 || stable {
		t.Fatalf("with %d in flight: version %d, stable %v", writers, v, stable)
	}
	w.Bump()
	for i := range writers {
		if v, stable := w.Load(); v != uint64(1+i/2) || stable {
			t.Fatalf("after %d have left: version %d, stable %v", i, v, stable)
		}
		if i%2 == 0 {
			w.Release()
		} else {
			w.End()
		}
	}
	if v, stable := w.Load(); v != 1+writers/2 || !stable {
		t.Errorf("at the end: version %d, stable %v", v, stable)
	}
}

// TestWordConcurrently goes to and fro around the number that the low bits have
// room for.
func TestWordConcurrently(t *testing.T) {
	var w Word
	for range inFlight - 20 {
		w.Begin()
	}
	const each = 5000
	var wg sync.WaitGroup
	for g := range uint64(8) {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(1, g))
			open := 0
			for begun := 0; begun < each || open > 0; {
				if begun < each && rng.IntN(2) == 0 {
					w.Begin()
					begun++
					open++
				} else if open > 0 {
					w.End()
					open--
				}
				if _, stable := w.Load(); stable {
					t.Error("stable with writers in flight")
					return
				}
			}
		})
	}
	wg.Wait()
	for range inFlight - 20 {
		w.Release()
	}
	if v, stable := w.Load(); v != 8*each || !stable || w.more != 0 {
		t.Errorf("version %d of %d, stable %v, %d more", v, 8*each, stable, w.more)
	}
}

func TestEndWithoutBegin(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("End without Begin is not noticed")
		}
	}()
	new(Word).End()
}

// TestWordsHaveTheirOwnCacheLine: what one table's writers do must not slow down
// hits on another.
func TestWordsHaveTheirOwnCacheLine(t *testing.T) {
	s := new(Space)
	words := []*Word{&s.Global, &s.Schema, &s.ACL}
	for oid := range uint32(100) {
		words = append(words, s.Table(oid))
	}
	lines := make(map[uintptr]int)
	for _, w := range words {
		lines[uintptr(unsafe.Pointer(w))/64]++
		if uintptr(unsafe.Pointer(w))%64 != 0 {
			t.Error("a word is in two cache lines")
		}
	}
	if len(lines) != len(words) {
		t.Errorf("%d words in %d cache lines", len(words), len(lines))
	}
}

func TestTable(t *testing.T) {
	s := new(Space)
	words := make(map[*Word]uint32)
	for oid := range uint32(3 * spaceBuckets) {
		w := s.Table(oid)
		if before, again := words[w]; again {
			t.Fatalf("%d and %d have the same word", before, oid)
		}
		words[w] = oid
	}
	for w, oid := range words {
		if s.Table(oid) != w {
			t.Fatalf("%d has another word the second time", oid)
		}
	}
}

func TestTableConcurrently(t *testing.T) {
	s := new(Space)
	const oids = 2000
	var got [8][oids]*Word
	var wg sync.WaitGroup
	for g := range got {
		wg.Go(func() {
			for i := range uint32(oids) {
				got[g][i] = s.Table(i * spaceBuckets / 4) // few buckets
			}
		})
	}
	wg.Wait()
	for g := range got {
		if got[g] != got[0] {
			t.Fatal("two goroutines got different words for one relation")
		}
	}
}

func TestStamp(t *testing.T) {
	s := new(Space)
	many := []uint32{1, 2, 3, 4, 5, 6, 7, 8, 9}
	for n := range len(many) + 1 {
		st := stamp(t, s, many[:n]...)
		if !st.Current() || st.n != n+3 {
			t.Errorf("a stamp of %d tables has %d words", n, st.n)
		}
		if again := stamp(t, s, many[:n]...); !again.Equal(&st) {
			t.Errorf("two stamps of %d tables differ", n)
		}
		if n == 0 {
			continue
		}
		last := s.Table(many[n-1])
		if other := stamp(t, s, many[:n-1]...); other.Equal(&st) || st.Equal(&other) {
			t.Errorf("a stamp of %d tables equals one of %d", n, n-1)
		}
		last.Begin()
		if _, ok := s.Stamp(many[:n]); ok || st.Current() {
			t.Errorf("of %d tables the last is in flight: stamped %v, current %v", n, ok, st.Current())
		}
		last.End()
		if now := stamp(t, s, many[:n]...); st.Current() || now.Equal(&st) || !now.Current() {
			t.Errorf("of %d tables the last has changed: current %v, now current %v", n, st.Current(), now.Current())
		}
	}
	for _, w := range []*Word{&s.Global, &s.Schema, &s.ACL} {
		w.Begin()
		if st, ok := s.Stamp(nil); ok || st.Current() {
			t.Error("stamped while one of the three words of all is in flight")
		}
		w.End()
	}
	if new(Stamp).Current() {
		t.Error("the zero stamp is current")
	}
	tag := new(Word)
	tag.Begin()
	if st := stamp(t, s); st.Add(tag) || st.Current() {
		t.Error("a stamp with a tag in flight is current")
	}
}
