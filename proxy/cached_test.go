package proxy

import (
	"bytes"
	"runtime"
	"testing"
	"time"

	"github.com/pgjay/pgjay/cache"
	"github.com/pgjay/pgjay/proxy/wire"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// remember makes a cache for the relay that has the answer to one of its exchanges, and
// returns what asks for it.
func (r *relay) remember(x [2][]byte) (ask func()) {
	c, err := cache.New(cache.DefaultConfig())
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(c.Close)
	s := r.session
	s.databases.cache = c
	db := &database{cache: c, space: c.Space("d"), signatures: make(map[signatureKey]*signature), verdicts: make(map[verdictKey]*verdict)}
	s.who.database = db
	s.sign()
	s.who.signature.learnt.Store(&standing{committed: true})

	text, parsed := textOf(x[0], len(x[0])), ""
	if x[0][0] == wire.Parse {
		n, _ := wire.FrameLen(x[0])
		parsed = string(x[0][wire.HeaderLen+1 : n])
		text, _, _ = wire.CString([]byte(parsed))
	}
	pattern, _ := sqlparse.AppendPattern(nil, text)
	rules := c.Rules()
	v := db.verdictOf(verdictKey{s.who.signature, string(pattern), parsed})
	v.findings.Store(&findings{rules: rules, rule: rules.Match(cache.RuleQuery{})})
	reply := x[1]
	if parsed != "" { // the statement is prepared for all, and described
		reply = append(append(bytes.Clone(x[1][:5]), wire.ParameterDescription, 0, 0, 0, 6, 0, 0), wire.NoData, 0, 0, 0, 4)
		reply = append(reply, x[1][5:]...)
	}
	for deadline := time.Now().Add(10 * time.Second); ; runtime.Gosched() {
		before := r.client.bytes
		ask = func() {
			r.now += 1000
			r.loop.Step(r.now)
			s.Data(x[0])
		}
		if ask(); s.back.lease == nil {
			if n := r.client.bytes - before; n != len(x[1]) {
				r.t.Fatalf("the client got %d bytes of %d", n, len(x[1]))
			}
			return ask
		}
		r.backend.backend.Data(reply)
		if parsed != "" {
			reply = x[1][5:] // and ParseComplete is made here
		}
		if time.Now().After(deadline) {
			r.t.Fatal("the answer is not remembered")
		}
	}
}

// An answer of the cache, with all that is done for it, allocates nothing, but that
// ristretto makes a buffer for each 64 look-ups, which is 8 bytes for each.
func TestHitsAllocateNothing(t *testing.T) {
	for name, x := range relayed(t) {
		if name == "error" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			if n := testing.AllocsPerRun(1000, newRelay(t).remember(x)); n != 0 {
				t.Errorf("%v allocations per hit", n)
			}
		})
	}
}

func BenchmarkHit(b *testing.B) {
	for name, x := range relayed(b) {
		if name == "error" {
			continue
		}
		b.Run(name, func(b *testing.B) {
			ask := newRelay(b).remember(x)
			b.ReportAllocs()
			for b.Loop() {
				ask()
			}
		})
	}
}
