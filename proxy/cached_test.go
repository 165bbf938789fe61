package proxy

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgjay/pgjay/cache"
	"github.com/pgjay/pgjay/proxy/reactor"
	"github.com/pgjay/pgjay/proxy/wire"
	"github.com/pgjay/pgjay/rewrite/catalog"
)

// remember makes a cache for the relay that has the answer to one of its exchanges, and
// returns what asks for it.
func (r *relay) remember(x [2][]byte) (ask func()) { return r.rememberAs(x, nil) }

// rememberAs is remember for a unit that executes b; nil: what it says itself.
func (r *relay) rememberAs(x [2][]byte, b *body) (ask func()) {
	c, err := cache.New(cache.DefaultConfig())
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(c.Close)
	s := r.session
	s.databases.cache, s.databases.serving = c, true
	db := &database{cache: c, space: c.Space("d"), signatures: make(map[signatureKey]*signature), verdicts: make(map[verdictKey]*verdict)}
	db.keeper = catalog.NewKeeper(func(ctx context.Context) (*pgconn.PgConn, error) { <-ctx.Done(); return nil, ctx.Err() }, time.Hour, func(catalog.Change) {})
	r.t.Cleanup(db.keeper.Close)
	s.who.database = db
	s.sign()
	s.who.signature.learnt.Store(&standing{committed: true})

	core, key := x[1][:len(x[1])-readyLength], cache.Key{}
	if x[0][0] == wire.Query {
		key = s.queryKey(textOf(x[0], len(x[0])), cache.HintSet{})
	} else {
		u, _ := readUnit(x[0])
		if b == nil {
			b = s.unitBody(&u)
		}
		key, core = s.unitKey(&u, b), core[len(parseComplete):]
	}
	stamp, _ := db.space.Stamp(nil)
	a := cache.Answer{Core: core, Stamp: stamp, Fresh: int64(time.Hour), Shape: c.NewShape("s")}
	c.Put(key, c.NewEntry(a), 1)
	for _, outcome := c.Get(key, 1); outcome != cache.Hit; _, outcome = c.Get(key, 1) {
		runtime.Gosched()
	}
	return func() {
		before := r.client.bytes
		r.now += 1000
		r.loop.Step(r.now)
		s.Data(x[0])
		if n := r.client.bytes - before; n != len(x[1]) || s.back.lease != nil {
			r.t.Fatalf("the client got %d bytes of %d, lease %v", n, len(x[1]), s.back.lease)
		}
	}
}

// readyLength is that of ReadyForQuery.
const readyLength = 6

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

// The time of a hit is its own, without what other clients took before it in the same
// event.
func TestTimeOfHit(t *testing.T) {
	group, err := reactor.New(reactor.Config{Loops: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer group.Close()
	loop, x := group.Loops()[0], relayed(t)["simple"]
	const others = int64(20 * time.Millisecond)
	took := others
	for try := 0; try < 5 && took >= others/2; try++ { // the system may take the processor away once
		r := newRelay(t)
		r.remember(x)
		done := make(chan struct{})
		loop.Post(reactor.Func(func() {
			defer close(done)
			for loop.Clock()-loop.Now() < others {
			}
			s := r.session
			s.station.loop, s.hits = loop, timeHits-1
			s.Data(x[0])
			took = s.databases.cache.Shapes()[0].HitNS
		}))
		<-done
	}
	if took <= 0 || took >= others/2 {
		t.Errorf("a hit took %v", time.Duration(took))
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

// A statement that says nocache is not answered from the cache, which has the answer to
// it without the comment.
func TestNoCacheIsNotServed(t *testing.T) {
	x := relayed(t)["simple"]
	r := newRelay(t)
	r.remember(x)
	q := frames(t, &pgproto3.Query{String: "/* pgjay: nocache */" + string(textOf(x[0], len(x[0])))})
	if r.session.servedQuery(q, len(q)) == servedHere {
		t.Error("it is served")
	}
	if q = frames(t, &pgproto3.Query{String: "/* nocache */" + string(textOf(x[0], len(x[0])))}); r.session.servedQuery(q, len(q)) != servedHere {
		t.Error("with another comment it is not served")
	}
}

// Of those who ask for an answer whose time is up, one gets a new one.
func TestOneRefreshes(t *testing.T) {
	r := newRelay(t)
	r.remember(relayed(t)["simple"])
	s, c := r.session, r.session.databases.cache
	stamp, _ := s.who.database.space.Stamp(nil)
	q := &lookup{key: cache.Key{Lo: 5, Hi: 6}}
	c.Put(q.key, c.NewEntry(cache.Answer{Core: []byte("core"), Stamp: stamp, Fresh: 100, Stale: int64(time.Hour), Shape: c.NewShape("s")}), 1)
	for _, outcome := c.Get(q.key, 1); outcome != cache.Hit; _, outcome = c.Get(q.key, 1) {
		runtime.Gosched()
	}
	r.loop.Step(200)
	if e, outcome := s.find(q); e != nil || outcome != cache.Refresh {
		t.Errorf("the first gets %v, %v", e, outcome)
	}
	if e, outcome := s.find(q); e == nil || outcome != cache.Stale {
		t.Errorf("the second gets %v, %v", e, outcome)
	}
}

// Who is answered here when the proxy is about to end leaves then, not before.
func TestServedDuringDrain(t *testing.T) {
	r, ask := newRelay(t), relayed(t)["simple"][0]
	r.remember(relayed(t)["simple"])
	s := r.session
	s.Data(ask[:len(ask)-1])
	s.station.drain()
	if s.gone {
		t.Fatal("it is not waited for the rest of a message")
	}
	if s.Data(ask[len(ask)-1:]); !s.gone || s.hits == 0 {
		t.Errorf("gone %t, %d hits", s.gone, s.hits)
	}
}
