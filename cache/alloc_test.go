package cache

import (
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestHitsAllocateNothing also holds with compression, statistics and economics.
// ristretto notes 64 look-ups in a buffer and then makes another, of 512 bytes:
// that is the 8 bytes a hit that are let pass.
func TestHitsAllocateNothing(t *testing.T) {
	skipUnderRace(t)
	for name, core := range map[string]string{"plain": benchCore, "compressed": strings.Repeat(benchCore, 100)} {
		c, shape, _ := benchCache(t, 100, core)
		keepPacked(t, c)
		var h Hasher
		var out []byte
		comment := []byte("select 1 /* trace */ from t")
		var text []byte
		hit := func() {
			if !shape.Admit(1) {
				t.Fatal("not admitted")
			}
			text, _ = StripComments(text[:0], comment, true)
			h.Reset()
			h.String("7")
			e, o := c.Get(h.Sum(), 1)
			if o != Hit {
				t.Fatal(o)
			}
			out = e.AppendTo(out[:0])
		}
		hit()
		const hits = 10_000
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range hits {
			hit()
		}
		runtime.ReadMemStats(&after)
		if n := after.Mallocs - before.Mallocs; n > hits/64*2+200 {
			t.Errorf("%s: %d allocations by %d hits", name, n, hits)
		}
		if n := testing.AllocsPerRun(1000, hit); n != 0 {
			t.Errorf("%s: %v allocations a hit", name, n)
		}
	}
}

// TestStampsAllocateNothing, with up to three tables.
func TestStampsAllocateNothing(t *testing.T) {
	skipUnderRace(t)
	s := new(Space)
	oids := []uint32{1, 2, 3}
	if n := testing.AllocsPerRun(1000, func() {
		if st, ok := s.Stamp(oids); !ok || !st.Current() {
			t.Fatal("not stable")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestBytesAreReal compares what Stat says with what the heap says.
func TestBytesAreReal(t *testing.T) {
	skipUnderRace(t)
	for _, size := range []int{60, 900, 20_000} {
		c := newCache(t, func(cfg *Config) { cfg.Size, cfg.CompressOver = GB, 0 })
		c.Space("db").Table(1)
		shape := c.NewShape("s")
		keys := make([]Key, min(20_000, 40_000_000/size))
		for i := range keys {
			var h Hasher
			h.Uint64(uint64(i))
			keys[i] = h.Sum()
		}
		core := make([]byte, size)
		before := heap()
		for i, k := range keys {
			c.Put(k, c.NewEntry(Answer{Core: core, Stamp: stamp(t, c.Space("db"), 1), Fresh: int64(time.Hour), Shape: shape}), 0)
			if i%1000 == 0 {
				c.store.Wait() // ristretto drops what it has no room for in its queue
			}
		}
		c.store.Wait()
		grown := heap() - before
		st := c.Stat()
		if st.Entries != int64(len(keys)) {
			t.Fatalf("%d entries of %d", st.Entries, len(keys))
		}
		if share := float64(st.Bytes) / float64(grown); share < 0.8 || share > 1.25 {
			t.Errorf("answers of %d bytes: %d a piece are counted, %d are taken", size, st.Bytes/st.Entries, grown/st.Entries)
		}
		c.Close()
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
