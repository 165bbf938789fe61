package pool

import (
	"context"
	"flag"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/pgjay/pgjay/proxy/wire"
)

var (
	seedFlag  = flag.Uint64("seed", 0, "replay one seed of TestRandom or TestListenRandom")
	seedsFlag = flag.Uint64("seeds", 300, "how many seeds TestRandom and TestListenRandom run")
)

// TestRandom lets chance decide what sessions, servers, loops and the clock do,
// and compares the pools with the rules after each step. Nothing is lost, no
// backend has two lessees, no limit is exceeded, and in the end everybody is
// served.
func TestRandom(t *testing.T) {
	if *seedFlag != 0 {
		newChaos(t, *seedFlag).play()
		return
	}
	for seed := uint64(1); seed <= *seedsFlag && !t.Failed(); seed++ {
		newChaos(t, seed).play()
		if t.Failed() {
			t.Logf("replay with -run TestRandom -seed %d", seed)
		}
	}
}

// chaos is a world ruled by chance.
type chaos struct {
	*world
	*rand.Rand
	pools    []*Pool
	sessions []*session
	homes    map[*session]*resident
	waiting  map[*session]bool
	down     error
	config   Config
}

func newChaos(t *testing.T, seed uint64) *chaos {
	c := &chaos{Rand: rand.New(rand.NewPCG(seed, 0)), waiting: make(map[*session]bool), homes: make(map[*session]*resident)}
	c.config = c.newConfig()
	c.world = newWorld(t, 1+c.IntN(3), func(o *Options) {
		o.Config = c.config
		o.Probe = func(context.Context, Target) (string, time.Duration, error) {
			return "fake:1", time.Duration(c.Int64N(int64(time.Minute))), c.down
		}
	})
	c.world.rand = c.Float64
	c.serve = func(Target) error { return c.down }
	for _, k := range []Key{{"crm", "ann"}, {"crm", "bob"}, {"crm", "eve"}, {"hr", "ann"}}[:1+c.IntN(4)] {
		c.pools = append(c.pools, c.set.Pool(k))
	}
	for range 2 + c.IntN(12) {
		s := c.session(c.pools[c.IntN(len(c.pools))], c.IntN(len(c.loops)))
		c.sessions = append(c.sessions, s)
	}
	return c
}

func (c *chaos) newConfig() Config {
	config := DefaultConfig()
	config.Size = 1 + c.IntN(4)
	config.Overflow = c.IntN(3)
	config.MinIdle = c.IntN(2)
	config.MaxConnecting = 1 + c.IntN(3)
	config.MaxDatabaseConnections = []int{0, 0, 2, 5}[c.IntN(4)]
	config.Recycle = []time.Duration{0, 40 * time.Second}[c.IntN(2)]
	config.OverflowIdle = 5 * time.Second
	config.OverflowAfter = []time.Duration{0, 100 * time.Millisecond, 1500 * time.Millisecond}[c.IntN(3)]
	config.PrePing = c.IntN(2) == 0
	config.Homes = c.IntN(4) != 0
	config.PrePingAfter = []time.Duration{0, 3 * time.Second, 30 * time.Second}[c.IntN(3)]
	return config
}

func (c *chaos) play() {
	for range 400 {
		c.act()
		c.verify()
		if c.t.Failed() {
			return
		}
	}
	c.finish()
}

func (c *chaos) act() {
	s := c.sessions[c.IntN(len(c.sessions))]
	switch c.IntN(22) {
	case 0, 1, 2, 3, 4:
		c.turn(s)
	case 5:
		if c.waiting[s] && s.abandon() {
			delete(c.waiting, s)
		}
	case 6, 7, 8, 9, 10:
		c.stepOne()
	case 11, 12:
		if len(c.work) > 0 {
			f := c.work[0]
			c.work = c.work[1:]
			f()
		}
	case 13, 14:
		c.trouble()
	case 15:
		c.down = []error{nil, nil, errRefused, serverError("57P03"), serverError("28P01")}[c.IntN(5)]
	case 16, 17:
		c.now += c.Int64N(int64(3 * time.Second))
		if c.IntN(2) == 0 {
			c.set.Tick(c.now)
		}
	case 18:
		if c.IntN(10) == 0 {
			c.reconfigure()
		}
	case 20, 21:
		c.reside(s)
	case 19:
		if s.b != nil {
			s.b.Label = NewLabel([]Setting{{Name: "a", Value: string(rune('a' + c.IntN(2)))}})
		}
	}
}

// reside is a session that comes or leaves, or that was told that it has to.
func (c *chaos) reside(s *session) {
	r := c.homes[s]
	switch {
	case r == nil:
		r = &resident{session: s}
		r.Resident = r
		c.homes[s] = r
		s.waiter.Residence = &r.Residence
		if pid, ok := s.pool.Settle(&r.Residence); ok {
			r.Settled(pid, nil)
		}
	case !c.waiting[s] || s.abandon():
		delete(c.waiting, s)
		s.pool.Vacate(&r.Residence)
		if r.settled > 1 {
			c.t.Errorf("a session was told of %d homes", r.settled)
		}
		s.waiter.Residence = nil
		delete(c.homes, s)
	}
}

// turn is a session's: it asks for a backend or ends its lease.
func (c *chaos) turn(s *session) {
	switch {
	case s.b != nil && c.IntN(10) == 0:
		s.destroy()
	case s.b != nil:
		s.release()
	case !c.waiting[s]:
		calls := s.calls
		c.waiting[s] = s.lease() == nil
		if s.calls != calls {
			c.t.Error("called back inside Lease")
		}
	}
}

func (c *chaos) stepOne() {
	i := c.IntN(len(c.loops))
	c.loop = c.loops[i]
	c.loop.Step(c.now)
	c.loop = nil
	for _, s := range c.sessions {
		if c.waiting[s] && (s.b != nil || s.err != nil) {
			delete(c.waiting, s)
		}
	}
}

// trouble is an event of a socket that nobody has asked for.
func (c *chaos) trouble() {
	if len(c.conns) == 0 {
		return
	}
	conn := c.conns[c.IntN(len(c.conns))]
	if conn.closed || conn.backend == nil {
		return
	}
	leased := conn.backend.lessee != nil
	switch c.IntN(6) {
	case 0:
		conn.fail(io.EOF)
	case 1:
		conn.mute = !conn.mute
	case 2:
		if !leased {
			conn.data([]byte{'Z', 0, 0, 0, 5, 'I'})
		}
	case 3:
		if !leased && conn.backend.partial == nil {
			conn.terminated()
		}
	default:
		if !leased && conn.backend.partial == nil {
			conn.data(wire.AppendParameterStatus(nil, "TimeZone", string(rune('A'+c.IntN(26)))))
		}
	}
}

func (c *chaos) reconfigure() {
	c.config = c.newConfig()
	b := DefaultBackendConfig()
	b.URL = []string{"postgres://a", "postgres://b"}[c.IntN(2)]
	c.set.Reconfigure(b, c.config)
}

// verify checks what must hold at any moment.
func (c *chaos) verify() {
	lessees := make(map[*Backend]*session)
	leased := make(map[*Pool]int)
	for _, s := range c.sessions {
		if s.b == nil {
			continue
		}
		if lessees[s.b] != nil {
			c.t.Errorf("backend %d has two lessees", s.b.PID)
		}
		lessees[s.b] = s
		leased[s.pool]++
		if s.b.state() != stateLeased || s.b.loop != s.loop || s.b.lessee != s {
			c.t.Errorf("backend %d of a session is in state %d", s.b.PID, s.b.state())
		}
	}
	held := 0
	for _, p := range c.pools {
		p.check(c.t)
		if p.count[stateLeased] != leased[p] {
			c.t.Errorf("%d leased, %d sessions have one", p.count[stateLeased], leased[p])
		}
		queued := 0
		for _, s := range c.sessions {
			if s.pool == p && s.waiter.state == waitQueued {
				queued++
			}
		}
		if queued != p.waiting.n {
			c.t.Errorf("%d waiters, the queue has %d", queued, p.waiting.n)
		}
		if p.waiting.n > p.count[stateChecking] && p.count[stateIdle] > 0 {
			c.t.Error("somebody waits while a backend is idle")
		}
		if p.key.Database == "crm" {
			held += p.liveLocked()
		}
	}
	d := c.pools[0].base
	if d.used != held {
		c.t.Errorf("%d places taken for %d backends", d.used, held)
	}
}

// finish ends all faults: now everybody must be served.
func (c *chaos) finish() {
	c.down = nil
	for _, conn := range c.conns {
		conn.mute = false
	}
	c.run()
	for range 200 {
		for _, s := range c.sessions {
			if r := c.homes[s]; r != nil && (slices.Contains(r.judged, true) || c.IntN(10) == 0) {
				c.reside(s)
			}
			if s.b != nil {
				s.release()
			}
		}
		c.pass(time.Second)
		c.verify()
	}
	for s, r := range c.homes {
		if r.settled != 1 {
			c.t.Errorf("a session of %v has been told of %d homes", s.pool.key, r.settled)
		}
	}
	for _, s := range c.sessions {
		if s.waiter.state != waitNone {
			c.t.Errorf("a waiter of %v is lost", s.pool.key)
		}
		if s.b != nil {
			s.release()
		}
	}
	c.run()
	c.set.Close(context.Background())
	c.run()
	if open := c.open(); len(open) > 0 || c.set.working.n.Load() != 0 {
		c.t.Errorf("backends %v are open at the end, %d at work", open, c.set.working.n.Load())
	}
	for _, p := range c.pools {
		if !p.emptyLocked() || slices.ContainsFunc(p.idle, func(s stack) bool { return s.top != nil }) {
			c.t.Errorf("pool %v is not empty", p.key)
		}
	}
}
