package cache

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
)

// second is long enough for ristretto, which has a clock of its own, not to drop
// what a test has put in.
const second = int64(1e9)

func newCache(t testing.TB, change ...func(*Config)) *Cache {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Size = 16 * MB
	for _, f := range change {
		f(&cfg)
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// stamp takes one that must be possible.
func stamp(t testing.TB, s *Space, oids ...uint32) Stamp {
	t.Helper()
	st, ok := s.Stamp(oids)
	if !ok {
		t.Fatal("no stamp: something is in flight")
	}
	return st
}

func key(parts ...string) Key {
	var h Hasher
	for _, p := range parts {
		h.String(p)
	}
	return h.Sum()
}

// put remembers core, good for 100 seconds, and waits until it can be found.
func put(t testing.TB, c *Cache, k Key, st Stamp, core string) *Entry {
	t.Helper()
	e := c.NewEntry(Answer{Core: []byte(core), Stamp: st, Fresh: 100 * second, Cost: 7, Shape: c.NewShape(core)})
	if r := c.Put(k, e, 0); r != NoReason {
		t.Fatal("not put:", r)
	}
	c.store.Wait()
	return e
}

// get looks k up at this second, and returns the answer if it is served.
func get(c *Cache, k Key, now int64) (string, Outcome) {
	e, o := c.Get(k, now*second)
	if e == nil {
		return "", o
	}
	return string(e.AppendTo(nil)), o
}

func wantGet(t *testing.T, c *Cache, k Key, now int64, core string, outcome Outcome) {
	t.Helper()
	if got, o := get(c, k, now); got != core || o != outcome {
		t.Errorf("at %d: %q (%s), want %q (%s)", now, got, o, core, outcome)
	}
}

func TestHitUntilAnythingChanges(t *testing.T) {
	c := newCache(t)
	s := c.Space("db")
	words := map[string]*Word{"table": s.Table(1), "other table": s.Table(2), "global": &s.Global, "schema": &s.Schema,
		"acl": &s.ACL, "tag": c.Tag("x")}
	changes := map[string]func(w *Word){
		"begin and end": func(w *Word) { w.Begin(); w.End() },
		"begin":         func(w *Word) { w.Begin() },
		"bump":          func(w *Word) { w.Bump() },
	}
	for name, word := range words {
		for what, change := range changes {
			t.Run(name+" "+what, func(t *testing.T) {
				st := stamp(t, s, 1, 2)
				if !st.Add(c.Tag("x")) {
					t.Fatal("the tag is not stable")
				}
				put(t, c, key("q"), st, "old")
				wantGet(t, c, key("q"), 1, "old", Hit)
				change(word)
				wantGet(t, c, key("q"), 1, "", Moved)
				if what == "begin" {
					word.End()
					wantGet(t, c, key("q"), 1, "", Moved)
				}
			})
		}
	}
	st := stamp(t, s, 1)
	put(t, c, key("q"), st, "kept")
	s.Table(3).Bump()
	c.Space("another db").Global.Bump()
	c.PurgeTag("y")
	wantGet(t, c, key("q"), 1, "kept", Hit)
}

// TestReleaseKeepsAnswers is for statements that turn out to have changed nothing.
func TestReleaseKeepsAnswers(t *testing.T) {
	c := newCache(t)
	s := c.Space("db")
	put(t, c, key("q"), stamp(t, s, 1), "x")
	s.Global.Begin()
	wantGet(t, c, key("q"), 1, "", Unserved)
	s.Global.Release()
	wantGet(t, c, key("q"), 1, "x", Hit)
	s.Global.Begin()
	wantGet(t, c, key("q"), 1, "", Moved)
}

// TestPutDropsWhatHasMoved: trap 1, a write between stamp and answer.
func TestPutDropsWhatHasMoved(t *testing.T) {
	c := newCache(t)
	s := c.Space("db")
	st := stamp(t, s, 1)
	s.Table(1).Begin()
	s.Table(1).End()
	e := c.NewEntry(Answer{Core: []byte("old"), Stamp: st, Fresh: 100 * second, Shape: c.NewShape("s")})
	if r := c.Put(key("q"), e, 0); r != DroppedMoved {
		t.Errorf("put: %q", r)
	}
	if e := c.NewEntry(Answer{Fresh: 100 * second, Shape: c.NewShape("s")}); c.Put(key("q"), e, 0) != DroppedMoved {
		t.Error("an answer without a stamp was put")
	}
	if st := c.Stat(); st.Refused[DroppedMoved] != 2 || st.Entries != 0 || st.Bytes != 0 {
		t.Errorf("%+v", st)
	}
}

// TestSecondHalfOfTheKey: contract C6, trap 11.
func TestSecondHalfOfTheKey(t *testing.T) {
	c := newCache(t)
	k := key("q")
	put(t, c, k, stamp(t, c.Space("db")), "x")
	other := Key{Lo: k.Lo, Hi: k.Hi + 1}
	wantGet(t, c, other, 1, "", Absent)
	if _, ok := c.OnError(other, c.NewShape("s"), 1); ok {
		t.Error("served on an error under another key")
	}
	put(t, c, other, stamp(t, c.Space("db")), "y")
	wantGet(t, c, other, 1, "y", Hit)
	wantGet(t, c, k, 1, "", Absent)
}

// TestSize fills the cache several times over.
func TestSize(t *testing.T) {
	c := newCache(t, func(cfg *Config) { cfg.Size = MB })
	shape := c.NewShape("s")
	for i := range 5000 {
		e := c.NewEntry(Answer{Core: make([]byte, 900), Stamp: stamp(t, c.Space("db")), Fresh: 9e9, Shape: shape})
		c.Put(key(fmt.Sprint(i)), e, 0)
		c.store.Wait()
		if st := c.Stat(); st.Bytes > int64(MB) {
			t.Fatalf("after %d: %d bytes", i, st.Bytes)
		}
	}
	st := c.Stat()
	if st.Entries < 300 || st.Bytes < int64(MB)/2 || st.Evicted+st.Entries > 5000 || st.Evicted == 0 {
		t.Errorf("%d entries, %d bytes, %d evicted", st.Entries, st.Bytes, st.Evicted)
	}
	if s := shape.Stat(); s.Entries != st.Entries || s.Bytes != st.Bytes {
		t.Errorf("the shape has %d entries, %d bytes; all have %d, %d", s.Entries, s.Bytes, st.Entries, st.Bytes)
	}
	c.PurgeAll()
	if st := c.Stat(); st.Entries != 0 || st.Bytes != 0 {
		t.Errorf("after a purge %d entries, %d bytes", st.Entries, st.Bytes)
	}
}

func TestPurge(t *testing.T) {
	c := newCache(t)
	s := c.Space("db")
	st := stamp(t, s, 1)
	underWay := c.NewEntry(Answer{Stamp: st, Fresh: 100 * second, Shape: c.NewShape("s")})
	put(t, c, key("q"), st, "x")
	c.PurgeAll()
	wantGet(t, c, key("q"), 1, "", Absent)
	if r := c.Put(key("q"), underWay, 0); r != DroppedMoved {
		t.Errorf("put of an answer from before the purge: %q", r)
	}
	put(t, c, key("q"), stamp(t, s, 1), "y")
	wantGet(t, c, key("q"), 1, "y", Hit)
	tag := c.Tag("a")
	if c.Space("db") != s || c.Space("other") == s || c.Tag("a") != tag || c.Tag("b") == tag {
		t.Error("spaces and tags do not go by name")
	}
}

func TestClosed(t *testing.T) {
	c := newCache(t)
	put(t, c, key("q"), stamp(t, c.Space("db")), "x")
	c.Close()
	c.Close()
	c.PurgeAll()
	wantGet(t, c, key("q"), 1, "", Absent)
	e := c.NewEntry(Answer{Stamp: stamp(t, c.Space("db")), Fresh: 9 * second, Shape: c.NewShape("s")})
	if r := c.Put(key("q"), e, 0); r != DroppedFull {
		t.Errorf("put: %q", r)
	}
	if st := c.Stat(); st.Entries != 0 || st.Bytes != 0 {
		t.Errorf("%d entries, %d bytes", st.Entries, st.Bytes)
	}
}

// TestEverythingAtOnce is for the race detector, and for the counts.
func TestEverythingAtOnce(t *testing.T) {
	c := newCache(t, func(cfg *Config) { cfg.Size = 200 * KB })
	var wg sync.WaitGroup
	for g := range uint64(8) {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(g, 3))
			shape := c.NewShape("s")
			shape.SetTables([]*Word{c.Space("db").Table(1)})
			for range 3000 {
				everything(c, shape, rng)
			}
		})
	}
	wg.Wait()
	c.store.Wait()
	if st := c.Stat(); st.Bytes > 200*int64(KB) || st.Entries < 0 {
		t.Errorf("%+v", st)
	}
	put(t, c, key("q"), stamp(t, c.Space("db"), 1), "x")
	wantGet(t, c, key("q"), 1, "x", Hit)
	c.PurgeAll()
	if st := c.Stat(); st.Entries != 0 || st.Bytes != 0 {
		t.Errorf("%d entries, %d bytes are left", st.Entries, st.Bytes)
	}
}

func everything(c *Cache, shape *Shape, rng *rand.Rand) {
	s := c.Space("db")
	k := key(fmt.Sprint(rng.IntN(50)))
	switch n := rng.IntN(10_000); {
	case n < 5:
		c.PurgeAll()
	case n < 10:
		cfg := *c.cfg.Load()
		cfg.TTL++
		_ = c.Configure(cfg)
	case n < 50:
		c.Shapes()
		c.Stat()
	case n < 80:
		c.PurgeTag("tag")
	case n < 200:
		s.Table(1).Begin()
		s.Table(1).End()
	case n < 4000:
		if st, ok := s.Stamp([]uint32{1}); ok && st.Add(c.Tag("tag")) {
			c.Put(k, c.NewEntry(Answer{Core: make([]byte, rng.IntN(3000)), Stamp: st, Fresh: 100 * second, Cost: 1, Shape: shape}), 0)
			shape.Miss(2, 1)
		}
	default:
		if shape.Admit(1) {
			c.Get(k, 1)
			shape.Hit(1)
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	c := newCache(t)
	for name, change := range map[string]func(*Config){
		"size":      func(cfg *Config) { cfg.Size = 0 },
		"max_entry": func(cfg *Config) { cfg.MaxEntry = -1 },
		"ttl":       func(cfg *Config) { cfg.TTL = 0 },
		"max_ttl":   func(cfg *Config) { cfg.MaxTTL = 0 },
	} {
		cfg := DefaultConfig()
		change(&cfg)
		if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("New with a wrong %s: %v", name, err)
		}
		if err := c.Configure(cfg); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("Configure with a wrong %s: %v", name, err)
		}
	}
	cfg := DefaultConfig()
	cfg.MaxEntry = 10
	if err := c.Configure(cfg); err != nil {
		t.Fatal(err)
	}
	e := c.NewEntry(Answer{Core: make([]byte, 11), Stamp: stamp(t, c.Space("db")), Fresh: 9 * second, Shape: c.NewShape("s")})
	if r := c.Put(key("q"), e, 0); r != DroppedLarge {
		t.Errorf("put: %q", r)
	}
}

func TestStat(t *testing.T) {
	c := newCache(t)
	s := c.Space("db")
	shape := c.NewShape("select 1")
	e := c.NewEntry(Answer{Core: []byte("x"), Stamp: stamp(t, s, 1), Fresh: 100 * second, Stale: 200 * second, Cost: 7, Rows: 3, Shape: shape})
	shape.Absent()
	c.Put(key("q"), e, 0)
	c.store.Wait()
	for _, now := range []int64{1, 2, 150, 151, 200} {
		c.Get(key("q"), now*second)
	}
	shape.Refuse(RefusedReply)
	shape.SetWhy("it calls random()")
	want := Counts{SavedNS: 4 * 7, Entries: 1, Bytes: e.memory()}
	want.Outcomes = [outcomes]int64{Hit: 2, Refresh: 1, Stale: 1, Absent: 1, Expired: 1}
	want.Refused[RefusedReply] = 1
	if got := c.Stat().Counts; got != want {
		t.Errorf("all: %+v, want %+v", got, want)
	}
	if got := shape.Stat(); got != (ShapeStat{Name: "select 1", Fingerprint: Fingerprint("select 1"), Why: "it calls random()", Counts: want}) {
		t.Errorf("the shape: %+v", got)
	}
	if want.Hits() != 4 || want.Misses() != 2 || e.Rows() != 3 || e.Cost() != 7 || e.Size() != 1 || !e.Current() {
		t.Error("the sums are wrong")
	}
	if got := c.Shapes(); len(got) != 1 || got[0].Name != "select 1" {
		t.Errorf("shapes: %+v", got)
	}
}

func TestLabels(t *testing.T) {
	seen := map[string]bool{}
	for o := range outcomes {
		seen[o.String()] = true
	}
	for r := range reasons {
		seen["r "+r.String()] = true
	}
	if len(seen) != int(outcomes)+int(reasons) {
		t.Errorf("labels: %v", seen)
	}
}
