package sqlparse

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
)

const knownText = "SELECT abalance FROM pgbench_accounts WHERE aid = $1"

func TestMemoKnowsTexts(t *testing.T) {
	m := NewMemo(1 << 20)
	text := []byte(knownText)
	s := m.Get(text)
	if again := m.Get([]byte(knownText)); again != s {
		t.Error("a known text is read anew")
	}
	copy(text, "DELETE") // it is the caller's
	if s.Text() != knownText || s.Class().First != CommandSelect || describe(s) != "select reads pgbench_accounts computes = $1" {
		t.Errorf("%s: %s", s.Text(), describe(s))
	}
	if s.Known() == nil || m.Get(text) == s {
		t.Error("texts are mixed up")
	}
}

// TestClassOfStatement asks the class of a text that is gone.
func TestClassOfStatement(t *testing.T) {
	text := []byte("RESET work_mem")
	s := NewStatement(text)
	copy(text, "SELECT 1234567")
	names, known := s.Class().Changed()
	if reset, _ := s.Class().Resets("work_mem"); fmt.Sprint(names, known) != "[work_mem] true" || !reset {
		t.Error(names, known)
	}
}

func TestMemoAllocatesNothing(t *testing.T) {
	m := NewMemo(1 << 20)
	text := []byte(knownText)
	m.Get(text)
	if n := testing.AllocsPerRun(1000, func() { m.Get(text) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestMemoClass asks for classes: each is what Classify says, and refers to no
// memory of the caller's once the text is known.
func TestMemoClass(t *testing.T) {
	m := NewMemo(1 << 20)
	for _, text := range []string{"SELECT 1", "select f($1)", "RESET work_mem", "SET a.b = 1", strings.Repeat(" ", maxHashed) + "LISTEN x"} {
		own := []byte(text)
		for i := range 3 {
			got, known := m.Class(own)
			if want := Classify(own); fmt.Sprint(got) != fmt.Sprint(want) || known != (i == 2 && len(own) <= maxHashed) {
				t.Errorf("%s: %+v, known: %v, not %+v", text, got, known, want)
			}
		}
	}
	if n := m.Stat().Texts; n != 4 {
		t.Errorf("%d texts are known", n)
	}
	text := []byte("RESET work_mem")
	class, _ := m.Class(text)
	copy(text, "SELECT 1234567")
	if reset, _ := class.Resets("work_mem"); !reset {
		t.Error("the class refers to the caller's text")
	}
}

func TestMemoClassAllocatesNothing(t *testing.T) {
	m := NewMemo(1 << 20)
	known := []byte("SET a.b = 1")
	m.Class(known)
	m.Class(known)
	if n := testing.AllocsPerRun(1000, func() { m.Class(known) }); n != 0 {
		t.Errorf("%v allocations for a known text", n)
	}
	fresh := []byte("SELECT abalance FROM pgbench_accounts WHERE aid = 0000000")
	i := 0
	if n := testing.AllocsPerRun(1000, func() {
		i++
		next(fresh, i)
		m.Class(fresh)
	}); n != 0 {
		t.Errorf("%v allocations for an unknown text", n)
	}
}

// next puts a number into the last seven places of a text.
func next(text []byte, n int) {
	for i := len(text) - 1; i >= len(text)-7; i-- {
		text[i] = '0' + byte(n%10)
		n /= 10
	}
}

// TestMemoComparesTexts gives all texts one hash.
func TestMemoComparesTexts(t *testing.T) {
	tab := newTable[int](1 << 20)
	for i := range 100 {
		text := fmt.Sprint("text ", i)
		tab.put(&node[int]{text: text, hash: 7, value: i}, []byte(text))
	}
	for i := range 100 {
		if n := tab.get([]byte(fmt.Sprint("text ", i)), 7); n == nil || n.value != i {
			t.Errorf("%d: %+v", i, n)
		}
	}
	if n := tab.get([]byte("text"), 7); n != nil {
		t.Errorf("%+v", n)
	}
}

// TestMemoIsBounded keeps what is asked for again and again, whatever else
// comes by.
func TestMemoIsBounded(t *testing.T) {
	m := NewMemo(1 << 17)
	hot := []byte(knownText)
	s := m.Get(hot)
	for i := range 20000 {
		m.Get(fmt.Appendf(nil, "SELECT a%d FROM t -- %s", i, strings.Repeat("x", i%1000))).Facts()
		if i%10 == 0 && m.Get(hot) != s {
			t.Fatal("a text in use was forgotten")
		}
		checkTable(t, m.texts)
	}
	if m.texts.evicted < 1000 {
		t.Errorf("%d evicted", m.texts.evicted)
	}
}

// checkTable compares what a table says of itself with what is in it.
func checkTable[V any](t *testing.T, tab *table[V]) {
	t.Helper()
	used := 0
	for i, n := range tab.ring {
		used += n.size
		if n.at != i {
			t.Fatalf("node %d says %d", i, n.at)
		}
	}
	if used != tab.used || used > tab.limit {
		t.Fatalf("uses %d, says %d of %d", used, tab.used, tab.limit)
	}
}

// TestMemoBytes compares what a full memo says it uses with what it keeps from
// the garbage collector.
func TestMemoBytes(t *testing.T) {
	const limit = 2 << 20
	NewStatement([]byte("SELECT a, lower(b) FROM s.t WHERE c = $1 AND d = 5 + f(b)")).Facts() // what protobuf keeps of its own
	before := heap()
	m := NewMemo(limit)
	for i := range 4000 {
		text := fmt.Appendf(nil, "SELECT a%d, lower(b) FROM s.t%d, u WHERE c = $1 AND d = ", i, i)
		if i%2 == 0 {
			text = append(text, "5"...)
		} else {
			text = append(text, "$2"...)
		}
		for f := range 20 {
			text = fmt.Appendf(text, "+f%d(b)", f)
		}
		m.Get(text)
		if s := m.Get(text); i%4 < 2 {
			s.Facts()
		}
	}
	stat := m.Stat()
	used := heap() - before
	t.Logf("%d bytes on the heap: %+v", used, stat)
	if stat.Bytes > limit || stat.Bytes < limit*9/10 {
		t.Errorf("a full memo of %d says it uses %d", limit, stat.Bytes)
	}
	if used > limit*11/10 || used < limit/3 {
		t.Errorf("a full memo of %d uses %d", limit, used)
	}
	runtime.KeepAlive(m)
}

// heap returns how many bytes are in use.
func heap() int {
	runtime.GC()
	runtime.GC() // what finalizers held
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return int(s.HeapAlloc)
}

// TestMemoConcurrently lets several goroutines use few texts in a small memo:
// each gets what belongs to its text. The race detector looks on.
func TestMemoConcurrently(t *testing.T) {
	m := NewMemo(64 << 10)
	var wg sync.WaitGroup
	for seed := range 4 {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(uint64(seed), 0))
			for range 3000 {
				i := int(random.ExpFloat64() * 50)
				text := fmt.Appendf(nil, "SELECT 1 FROM t%d", i)
				s := m.Get(text)
				if s.Text() != string(text) {
					t.Errorf("%s for %s", s.Text(), text)
				}
				if random.IntN(4) == 0 {
					if got, want := describe(s), fmt.Sprint("select reads t", i); got != want {
						t.Errorf("%s for %s", got, text)
					}
				}
			}
		})
	}
	wg.Wait()
	checkTable(t, m.shapes)
	checkTable(t, m.texts)
	for i := range m.texts.buckets {
		for n := m.texts.buckets[i].Load(); n != nil; n = n.next.Load() {
			if n.at < 0 || m.texts.ring[n.at] != n {
				t.Errorf("%s can be found but is not in the ring", n.text)
			}
		}
	}
}

func TestCheap(t *testing.T) {
	for text, want := range map[string]bool{
		"SELECT 1":                                       true,
		"SELECT 1" + strings.Repeat("+1", 900):           false,
		"SELECT '" + strings.Repeat("x", maxCheap) + "'": false,
		"SELECT '" + strings.Repeat("x", maxParse) + "'": true,
	} {
		s := NewStatement([]byte(text))
		if s.Cheap() != want {
			t.Errorf("%.30s: %t", text, !want)
		}
		if s.Facts(); !s.Cheap() {
			t.Errorf("%.30s: known, but not cheap", text)
		}
	}
}

func BenchmarkMemoKnown(b *testing.B) {
	m := NewMemo(1 << 20)
	for _, n := range []int{len(knownText), 1000, 10000} {
		text := append([]byte(knownText), bytes.Repeat([]byte(" "), n-len(knownText))...)
		m.Get(text)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				m.Get(text)
			}
		})
	}
}

func BenchmarkMemoKnownParallel(b *testing.B) {
	m := NewMemo(1 << 20)
	m.Get([]byte(knownText))
	b.RunParallel(func(pb *testing.PB) {
		text := []byte(knownText)
		for pb.Next() {
			m.Get(text)
		}
	})
}

// BenchmarkMemoUnknown has texts that never come again.
func BenchmarkMemoUnknown(b *testing.B) {
	m := NewMemo(1 << 20)
	text := []byte("SELECT abalance FROM pgbench_accounts WHERE aid = 0000000")
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		next(text, i)
		m.Get(text)
	}
}

func BenchmarkFacts(b *testing.B) {
	for _, text := range []string{"BEGIN", knownText, "SELECT " + strings.Repeat("a+1, ", 400) + "1", deep["operators"](190), deep["operators"](1800)} {
		b.Run(fmt.Sprint(len(text)), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				parse(text)
			}
		})
	}
}
