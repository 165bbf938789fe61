package proxy

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

const pgbenchText = "SELECT abalance FROM pgbench_accounts WHERE aid = 0000000"

// pgbenchTexts returns what makes a text, one of n.
func pgbenchTexts(n int) func() []byte {
	text := []byte(pgbenchText)
	random := rand.New(rand.NewPCG(1, 1))
	return func() []byte {
		number := random.IntN(n)
		for i := len(text) - 1; i >= len(text)-7; i-- {
			text[i] = '0' + byte(number%10)
			number /= 10
		}
		return text
	}
}

// Texts that come again and again are learnt, also where most do not.
func TestTextsAreLearnt(t *testing.T) {
	texts, fresh := newTexts(), pgbenchTexts(10_000_000)
	for i := range 100_000 {
		text := fresh()
		if i%4 == 0 {
			text = []byte("SET app.x = 1")
		}
		if got, want := texts.class(text), sqlparse.Classify(text); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("%s: %+v, not %+v", text, got, want)
		}
	}
	if _, known := texts.memo.Class([]byte("SET app.x = 1")); !known {
		t.Error("a text that came 25,000 times is not known")
	}
}

// Where all texts are new few are looked up, and no memory is taken.
func TestFreshTextsAreNotLookedUp(t *testing.T) {
	texts, fresh := newTexts(), pgbenchTexts(10_000_000)
	looked := 0
	n := testing.AllocsPerRun(10_000, func() {
		if texts.skip == 0 {
			looked++
		}
		texts.class(fresh())
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
	if looked > 500 {
		t.Errorf("%d of 10,000 were looked up", looked)
	}
}

// BenchmarkTexts compares with sqlparse.Classify what a session asks: about a text
// that is known, one of 1,000, those of pgbench, which have one of 100,000 values,
// and ever new ones.
func BenchmarkTexts(b *testing.B) {
	for _, of := range []struct {
		name string
		n    int
	}{{"known", 1}, {"few", 1000}, {"pgbench", 100_000}, {"fresh", 10_000_000}} {
		texts := newTexts()
		for name, class := range map[string]func([]byte) sqlparse.Class{"texts": texts.class, "classify": sqlparse.Classify} {
			b.Run(of.name+"/"+name, func(b *testing.B) {
				text := pgbenchTexts(of.n)
				b.ReportAllocs()
				for b.Loop() {
					class(text())
				}
			})
		}
	}
}
