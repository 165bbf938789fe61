package proxy

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/pgjay/pgjay/monitor"
	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy/reactor"
)

var (
	simSeed  = flag.Uint64("seed", 0, "run only this seed of the simulator, and say what happens")
	simSeeds = flag.Int("seeds", 10000, "how many seeds the simulator runs")
)

// sim is a world without sockets, clocks and goroutines: clients with scripts,
// sessions, the pool and servers, all driven by one source of chance. What
// happens to a seed happens again.
type sim struct {
	t        *testing.T
	rng      *rand.Rand
	now      int64
	loops    []*reactor.Loop
	stations []*station
	shared   *shared
	clients  []*simClient
	backends []*simBackend
	jobs     []func() // what would run in goroutines
	faults   bool
	cancels  int // how many requests may still be sent
	schema   int // changes with DDL that no session sees
	changes  int // how often it may change still
	bus      simBus
	listens  bool // clients notify each other
	spools   bool // what clients do not take is kept
	steps    int
	rows     *simRows // that all servers have; nil: none
	log      io.Writer
}

func newSim(t *testing.T, seed uint64) *sim {
	m := &sim{t: t, rng: rand.New(rand.NewPCG(seed, 1)), now: int64(time.Hour), log: io.Discard, spools: seed%4 == 0}
	m.faults = m.rng.IntN(3) == 0
	if m.rng.IntN(4) == 0 {
		m.cancels = 1 + m.rng.IntN(6)
	}
	sh := &shared{fragile: true, log: slog.New(slog.DiscardHandler), monitor: monitor.New(monitor.Options{Loops: 2})}
	sh.cancels.byKey = map[cancelKey]*session{}
	if m.rng.IntN(6) == 0 {
		m.changes = 1 + m.rng.IntN(6)
	}
	m.listens = m.cancels == 0 && m.rng.IntN(5) == 0
	creds, err := newCredentials(AuthConfig{Method: AuthTrust})
	if err != nil {
		t.Fatal(err)
	}
	limits := DefaultLimitsConfig()
	sh.live.Store(&settings{auth: AuthConfig{Method: AuthTrust}, credentials: creds, limits: limits, timeouts: TimeoutsConfig{HalfClosed: 24 * time.Hour}})
	sh.work = m.later
	m.shared = sh
	for i := range 1 + m.rng.IntN(2) {
		loop := reactor.NewManual(i)
		m.loops = append(m.loops, loop)
		m.stations = append(m.stations, newStation(sh, loop))
		sh.stations = m.stations
	}
	cfg := pool.DefaultConfig()
	cfg.Size, cfg.Overflow = 1+m.rng.IntN(3), m.rng.IntN(2)
	cfg.AcquireTimeout = 24 * time.Hour
	cfg.PrePing = m.rng.IntN(2) == 0
	cfg.PrePingAfter = time.Duration(m.rng.IntN(1000)) * time.Millisecond
	if m.rng.IntN(4) == 0 {
		cfg.Mode = pool.ModeSession
	}
	sh.pools = pool.NewSet(pool.Options{
		Loops: m.loops, Backend: pool.DefaultBackendConfig(), Config: cfg,
		Dial: m.dial, Probe: m.probe, Go: m.later, Now: func() int64 { return m.now }, Rand: m.rng.Float64,
		Credentials: func(k pool.Key) (string, string) { return k.User, "" },
	})
	sh.pools.Pool(pool.Key{Database: "d", User: "u"}).NoteSequencesRead() // or who reads first may lose what it has called
	return m
}

func (m *sim) later(f func()) { m.jobs = append(m.jobs, f) }

func (m *sim) say(format string, args ...any) { fmt.Fprintf(m.log, format+"\n", args...) }

// simClient is a client's socket and the program behind it.
type simClient struct {
	sim      *sim
	id       int
	script   []byte // what it sends, start-up included
	login    int    // how long that is
	sent     int
	got      []byte
	blocked  bool
	spools   bool // its session has asked for that
	spooling bool
	unread   int // bytes in got that the kernel has not taken
	paused   bool
	closed   bool
	vanishes int  // after so many bytes; -1: never
	halves   bool // closes its half when it has sent all, instead of a Terminate
	ended    bool // has done that
	patient  bool
	ends     int // where the message that is being sent ends; patient only
	session  *session
	station  *station
	sentAt   []simMark
	gotAt    []simMark
	sentIn   []simMark // the step, in the place of what was committed
	gotIn    []simMark
	waits    []int        // where in script it waits for all replies
	requests []*simCancel // that were sent to cancel what it waits for
	request  *simCancel   // that it sends itself; nil: it is no canceller
}

func (c *simClient) Write(p []byte) {
	if c.closed {
		c.sim.t.Errorf("client %d: write after close", c.id)
	}
	c.got = append(c.got, p...)
	c.gotAt = append(c.gotAt, simMark{len(c.got), len(c.sim.bus.sent)})
	c.gotIn = append(c.gotIn, simMark{len(c.got), c.sim.steps})
	c.unread += len(p)
}
func (c *simClient) Buffered() int  { return c.unread }
func (c *simClient) Spool()         { c.spools = c.sim.spools }
func (c *simClient) Spooling() bool { return c.spooling }
func (c *simClient) Pause()         { c.paused = true }
func (c *simClient) Resume()        { c.paused = false }
func (c *simClient) CloseAfterFlush() {
	c.closed = true
	if c.request != nil {
		c.request.delivered()
	}
}

// Move has the client's events come on another loop.
func (c *simClient) Move(to *reactor.Loop) {
	if c.session.Enter(c.station.loop) || !c.session.Enter(to) {
		c.sim.t.Errorf("client %d: moved while its loop may touch it", c.id)
	}
	c.station = c.sim.stations[to.Index()]
}

// wander moves a session to any loop, as a busy loop does.
func (c *simClient) wander() bool {
	s, to := c.session, c.sim.stations[c.sim.rng.IntN(len(c.sim.stations))]
	if to == c.station || s.home.Load() != c.station || !s.movable() {
		return false
	}
	c.sim.say("client %d moves to loop %d", c.id, to.loop.Index())
	s.move(to)
	return true
}

// connect accepts the client on one of the loops.
func (m *sim) connect(c *simClient) {
	c.station = m.stations[m.rng.IntN(len(m.stations))]
	c.session = c.station.open("127.0.0.1")
	c.session.client.conn = c
	m.clients = append(m.clients, c)
}

// run lets chance decide what happens next until nothing can happen any more.
func (m *sim) run(steps int) {
	idle := 0
	for range steps {
		m.steps++
		if m.rows != nil {
			m.rows.settle()
		}
		if m.step() {
			idle = 0
			continue
		}
		if idle++; idle > 300 && m.settled() {
			return
		}
		m.now += int64(m.rng.IntN(int(300 * time.Millisecond)))
	}
	m.t.Error("the simulation does not come to an end")
}

// settled reports whether all clients have gone: each script ends with a
// Terminate, or its client vanishes.
func (m *sim) settled() bool {
	for _, c := range m.clients {
		if !c.closed {
			return false
		}
	}
	return true
}

func (m *sim) step() bool {
	switch m.rng.IntN(8) {
	case 0:
		return m.runJob()
	case 1:
		l := m.loops[m.rng.IntN(len(m.loops))]
		return l.Step(m.now)
	case 2:
		if m.rng.IntN(10) == 0 {
			m.shared.pools.Tick(m.now)
		}
		m.changeSchema()
		return m.cancels > 0 && m.rng.IntN(20) == 0 && m.sendCancel()
	case 3, 4, 5:
		if len(m.clients) == 0 {
			return false
		}
		return m.clients[m.rng.IntN(len(m.clients))].step()
	default:
		if len(m.backends) == 0 {
			return false
		}
		return m.backends[m.rng.IntN(len(m.backends))].step()
	}
}

func (m *sim) runJob() bool {
	if len(m.jobs) == 0 {
		return false
	}
	i := m.rng.IntN(len(m.jobs))
	job := m.jobs[i]
	m.jobs = append(m.jobs[:i], m.jobs[i+1:]...)
	job()
	return true
}

// cut returns how many of n bytes go at once.
func (m *sim) cut(n int) int {
	if m.rng.IntN(3) == 0 {
		return n
	}
	return 1 + m.rng.IntN(n)
}

// step does one thing for a client: its kernel takes bytes, or it sends some,
// or it vanishes.
func (c *simClient) step() bool {
	m := c.sim
	if c.closed {
		return false
	}
	c.station.loop.Step(m.now)
	if m.rng.IntN(3) == 0 && c.wander() {
		return true
	}
	if !c.session.Enter(c.station.loop) {
		return false // it is on its way to another loop
	}
	if c.unread > 0 && m.rng.IntN(2) == 0 {
		c.unread -= m.cut(c.unread)
		if c.unread == 0 {
			c.drained()
		}
		return true
	}
	if c.vanishes >= 0 && c.sent >= c.vanishes {
		m.say("client %d vanishes", c.id)
		c.closed = true
		c.session.Closed(io.EOF)
		return true
	}
	if c.halves && !c.ended && !c.paused && c.sent == len(c.script) {
		m.say("client %d closes its half", c.id)
		if c.ended = true; !c.session.Ended() {
			c.closed = true
			c.session.Closed(io.EOF)
		}
		return true
	}
	if c.paused || c.sent == len(c.script) {
		return false
	}
	n := c.next()
	if n == 0 {
		return false
	}
	if c.vanishes >= 0 {
		n = min(n, c.vanishes-c.sent)
	}
	p := bytes.Clone(c.script[c.sent : c.sent+n])
	c.sent += n
	c.sentAt = append(c.sentAt, simMark{c.sent, len(m.bus.sent)})
	c.sentIn = append(c.sentIn, simMark{c.sent, m.steps})
	c.session.Data(p)
	for i := range p {
		p[i] = 0xee // its memory is the loop's again
	}
	c.mayBlock()
	return true
}

// drained says that the kernel has taken all.
func (c *simClient) drained() {
	blocked, spooling := c.blocked, c.spooling
	c.blocked, c.spooling = false, false
	if blocked {
		c.session.Drained()
	}
	if spooling && !c.closed && c.session.Enter(c.station.loop) {
		c.session.Unspooled()
	}
}

// next returns how many bytes the client sends now. A patient one sends message
// by message and takes its time between them, so that its session comes to rest.
func (c *simClient) next() int {
	if !c.patient {
		return c.sim.cut(len(c.script) - c.sent)
	}
	if c.sent == c.ends {
		if c.sim.rng.IntN(16) != 0 || slices.Contains(c.waits, c.sent) && !c.answered() {
			return 0
		}
		c.mayRest()
		head := 1
		if c.sent == 0 {
			head = 0 // StartupMessage has no type
		}
		c.ends += head + int(binary.BigEndian.Uint32(c.script[c.sent+head:]))
	}
	return c.sim.cut(c.ends - c.sent)
}

// mayBlock lets the kernel refuse what was written in the event that ends.
func (c *simClient) mayBlock() {
	if c.closed || c.unread == 0 || c.blocked {
		return
	}
	switch {
	case c.spooling && c.sim.rng.IntN(4) > 0: // there is room for it
	case c.spools && !c.spooling && c.sim.rng.IntN(4) == 0:
		c.spooling = true
	case c.spooling || c.sim.rng.IntN(4) == 0:
		c.blocked = true
		c.session.Blocked()
	default:
		c.unread = 0
	}
}
