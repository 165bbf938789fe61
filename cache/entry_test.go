package cache

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// TestTime: contract C4, and traps 14 and 3.
func TestTime(t *testing.T) {
	c := newCache(t)
	s := c.Space("db")
	put(t, c, key("q"), stamp(t, s, 1), "x")
	wantGet(t, c, key("q"), 99, "x", Hit)
	wantGet(t, c, key("q"), 100, "", Expired)
	wantGet(t, c, key("q"), 1e6, "", Expired)

	late := c.NewEntry(Answer{Stamp: stamp(t, s, 1), Fresh: 100 * second, Shape: c.NewShape("s")})
	if r := c.Put(key("late"), late, 100*second); r != DroppedExpired {
		t.Errorf("put what is over: %q", r)
	}
}

// TestStaleModes: contract C5.
func TestStaleModes(t *testing.T) {
	c := newCache(t)
	s := c.Space("db")
	shape := c.NewShape("s")
	e := c.NewEntry(Answer{Core: []byte("x"), Stamp: stamp(t, s, 1), Fresh: 100 * second, Stale: 200 * second, OnError: 300 * second, Shape: shape})
	if r := c.Put(key("q"), e, 0); r != NoReason {
		t.Fatal(r)
	}
	c.store.Wait()
	onError := func(now int64, want bool) {
		t.Helper()
		before := shape.Stat().Outcomes[OnError]
		_, ok := c.OnError(key("q"), shape, now*second)
		if counted := shape.Stat().Outcomes[OnError] - before; ok != want || ok != (counted == 1) {
			t.Errorf("on an error at %d: %v, %d counted", now, ok, counted)
		}
	}
	wantGet(t, c, key("q"), 99, "x", Hit)
	wantGet(t, c, key("q"), 100, "x", Refresh)
	wantGet(t, c, key("q"), 101, "x", Stale)
	wantGet(t, c, key("q"), 111, "x", Refresh) // who should have done it has not
	wantGet(t, c, key("q"), 112, "x", Stale)
	wantGet(t, c, key("q"), 200, "", Expired)
	onError(299, true)
	onError(300, false)

	s.Table(1).Bump()
	for _, now := range []int64{99, 100, 150, 200} {
		wantGet(t, c, key("q"), now, "", Moved)
		onError(now, false)
	}
}

func TestOneCallerRefreshes(t *testing.T) {
	c := newCache(t)
	st, shape := stamp(t, c.Space("db")), c.NewShape("s")
	for range 2000 {
		e := c.NewEntry(Answer{Stamp: st, Fresh: 10 * second, Stale: 99 * second, Shape: shape})
		var refresh, stale atomic.Int64
		var wg sync.WaitGroup
		start := make(chan bool)
		for range 4 {
			wg.Go(func() {
				<-start
				switch e.check(20 * second) {
				case Refresh:
					refresh.Add(1)
				case Stale:
					stale.Add(1)
				}
			})
		}
		close(start)
		wg.Wait()
		if refresh.Load() != 1 || stale.Load() != 3 {
			t.Fatalf("%d were told to refresh, %d were not", refresh.Load(), stale.Load())
		}
	}
}

// TestBytesAreKept: contract C7.
func TestBytesAreKept(t *testing.T) {
	random := make([]byte, 5000)
	rng := rand.NewChaCha8([32]byte{1})
	rng.Read(random)
	row := "D\x00\x00\x00\x1f\x00\x02\x00\x00\x00\x05hello\x00\x00\x00\x0aworld"
	for name, tt := range map[string]struct {
		core   string
		over   Bytes
		packed bool
	}{
		"empty":          {"", 1000, false},
		"short":          {strings.Repeat(row, 3), 1000, false},
		"long":           {strings.Repeat(row, 1000), 1000, true},
		"long, never":    {strings.Repeat(row, 1000), 0, false},
		"random":         {string(random), 1000, false},
		"not quite 30 %": {string(random) + strings.Repeat("a", 1800), 1000, false},
		"too long":       {strings.Repeat(row, 100000), 1000, false},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCache(t, func(cfg *Config) { cfg.CompressOver = tt.over })
			core := []byte(tt.core)
			e := c.NewEntry(Answer{Core: core, Shape: c.NewShape("s")})
			clear(core) // it stays the caller's
			got, plain := e.Core()
			if plain == tt.packed {
				t.Errorf("kept as %d bytes of %d", len(got), len(tt.core))
			}
			if plain && string(got) != tt.core {
				t.Error("Core is not what was put in")
			}
			for _, dst := range [][]byte{nil, []byte("before"), make([]byte, 1, 1<<20)} {
				if out := e.AppendTo(dst); !bytes.Equal(out, append(bytes.Clone(dst), tt.core...)) {
					t.Errorf("AppendTo after %d bytes is not what was put in", len(dst))
				}
			}
			var in, out int64
			if tt.packed {
				in, out = int64(len(tt.core)), int64(len(e.core))
			}
			if st := c.Stat(); st.PackedIn != in || st.PackedOut != out {
				t.Errorf("%d bytes packed to %d, want %d to %d", st.PackedIn, st.PackedOut, in, out)
			}
		})
	}
}

func TestMaxEntry(t *testing.T) {
	c := newCache(t, func(cfg *Config) { cfg.MaxEntry, cfg.CompressOver = 1000, 0 })
	for _, tt := range []struct {
		size  int
		limit Bytes
		want  Reason
	}{{1000, 0, NoReason}, {1001, 0, DroppedLarge}, {1001, 2000, NoReason}, {901, 900, DroppedLarge}} {
		e := c.NewEntry(Answer{Core: make([]byte, tt.size), MaxEntry: tt.limit, Stamp: stamp(t, c.Space("db")), Fresh: 9 * second, Shape: c.NewShape("s")})
		if r := c.Put(key("q"), e, 0); r != tt.want {
			t.Errorf("%d bytes with limit %d: %q", tt.size, tt.limit, r)
		}
	}
}

// keepPacked makes what the cache has more than half of what it may have, so that nothing
// is unpacked for good.
func keepPacked(t *testing.T, c *Cache) {
	t.Helper()
	cfg := *c.cfg.Load()
	cfg.Size = Bytes(c.Stat().Bytes)*2 - 2
	if err := c.Configure(cfg); err != nil {
		t.Fatal(err)
	}
}

// TestHotAnswersAreUnpacked: what is asked for again and again, and nothing else, if
// there is room.
func TestHotAnswersAreUnpacked(t *testing.T) {
	core := strings.Repeat(benchCore, 100)
	c := newCache(t)
	st := stamp(t, c.Space("db"), 1)
	hot := put(t, c, key("hot"), st, core)
	put(t, c, key("cold"), st, core)
	packed := c.Stat().Bytes
	isPlain := func(k Key) bool {
		e, o := c.Get(k, 1)
		if o != Hit || string(e.AppendTo(nil)) != core {
			t.Fatal(o, "or not the answer")
		}
		_, plain := e.Core()
		return plain
	}
	for i := 0; !isPlain(key("hot")); i++ {
		if i > unpackOneIn*1000 {
			t.Fatal("it is never unpacked")
		}
	}
	c.store.Wait()
	e, o := c.Get(key("hot"), 1)
	if o != Hit || e == hot || e.packed || !e.served.Load() || e.fresh != hot.fresh || e.cost != hot.cost {
		t.Errorf("%s: it has not taken the other's place", o)
	}
	if c.store.Wait(); c.Stat().Bytes != packed+e.memory()-hot.memory() || c.Stat().Entries != 2 {
		t.Errorf("%d bytes of %d entries, before %d", c.Stat().Bytes, c.Stat().Entries, packed)
	}
	c.Space("db").Table(1).Bump()
	wantGet(t, c, key("hot"), 1, "", Moved)

	put(t, c, key("cold"), stamp(t, c.Space("db"), 1), core)
	keepPacked(t, c)
	for range unpackOneIn * 100 {
		if isPlain(key("cold")) {
			t.Fatal("unpacked though half of the cache is in use")
		}
	}
}
