package proxy

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pgjay/pgjay/cache"
	"github.com/pgjay/pgjay/monitor"
	"github.com/pgjay/pgjay/monitor/digest"
	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy/reactor"
	"github.com/pgjay/pgjay/proxy/wire"
	"github.com/pgjay/pgjay/rewrite"
	"github.com/pgjay/pgjay/rewrite/catalog"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// settings is a snapshot of the configuration that sessions look at. It is
// replaced as a whole by a reload.
type settings struct {
	auth        AuthConfig
	credentials *credentials
	tls         *tlsSettings // nil: not offered
	limits      LimitsConfig
	timeouts    TimeoutsConfig
	local       bool // no other machine can connect
	listen      ListenConfig
	rewrite     rewrite.Config
}

// shared is what all sessions of a server share. Everything in it is safe for
// concurrent use.
type shared struct {
	stations  []*station // by loop index; does not change
	pools     *pool.Set
	live      atomic.Pointer[settings]
	control   atomic.Pointer[Control]
	cancels   cancelTable
	greetings greetings
	hidden    hidden
	habits    habits
	databases databases
	logins    loginCounter
	outages   outages
	clients   atomic.Int64
	monitor   *monitor.Monitor
	log       *slog.Logger
	// fragile lets panics of sessions through: for the simulator.
	fragile bool
	// work runs something that may block, in a goroutine.
	work func(func())
	// upgrade takes the client's socket off its loop, does a TLS handshake
	// in a goroutine and calls encrypted or handshakeFailed. already has the
	// bytes that were read before.
	upgrade func(s *session, already []byte)
}

func (sh *shared) settings() *settings { return sh.live.Load() }

// station is what the sessions of one loop share. It is owned by the loop.
type station struct {
	*shared
	loop     *reactor.Loop
	recorder *monitor.Recorder
	observer *digest.Recorder
	sessions map[*session]struct{}
	draining bool
	// scratch is where small messages are built. Each use ends the one before.
	scratch []byte
	// aside has what the client is to get before the message that is looked at.
	aside []byte
	// tokens numbers the sessions and the unnamed statements; no two loops use the
	// same ones.
	tokens uint64
	texts  texts
	bodies bodies
	held   held

	// For the cache.

	hasher   cache.Hasher
	verdicts verdicts
	changed  map[uint64]*knownChange
	// snapshots are those that changed was found with.
	snapshots map[*database]*catalog.Snapshot
	once      once
	rewrites  rewrites
	spans     []sqlparse.Span // scratch
	cold      int             // for how many statements it is asked first whether they are: see isCold
	hits      int             // that the cache had the answer to, for samples of them
}

func newStation(sh *shared, loop *reactor.Loop) *station {
	texts := newTexts()
	st := &station{
		shared:    sh,
		loop:      loop,
		sessions:  make(map[*session]struct{}),
		recorder:  sh.monitor.Recorder(loop.Index()),
		observer:  sh.monitor.Statements().Recorder(loop.Index()),
		texts:     texts,
		bodies:    bodies{memo: texts.memo},
		scratch:   make([]byte, 0, 4096),
		tokens:    uint64(loop.Index()+1) << 48,
		verdicts:  make(verdicts),
		rewrites:  make(rewrites),
		spans:     make([]sqlparse.Span, 0, 512),
		changed:   make(map[uint64]*knownChange),
		snapshots: make(map[*database]*catalog.Snapshot),
	}
	return st
}

// open makes the session of a client that has just connected. The caller
// gives it its socket.
func (st *station) open(address string) *session {
	s := &session{station: st, login: &login{address: address}}
	st.tokens++
	s.who.token = st.tokens
	s.home.Store(st)
	s.client.conn = closedConn{}
	st.sessions[s] = struct{}{}
	st.clients.Add(1)
	st.monitor.ClientOpened()
	st.logins.add(address)
	return s
}

// unregister forgets a session whose client has gone.
func (st *station) unregister(s *session) {
	delete(st.sessions, s)
	s.closeListening()
	st.cancels.remove(s)
	st.clients.Add(-1)
	if s.login != nil {
		st.logins.remove(s.login.address)
	} else {
		st.recorder.ClientWent()
	}
}

// drain ends the sessions that have nothing under way; the others end when
// their transaction does.
func (st *station) drain() {
	st.draining = true
	for s := range st.sessions {
		s.drained()
	}
}

// evict ends all sessions.
func (st *station) evict() {
	for s := range st.sessions {
		s.evicted()
	}
}

// drained ends the session if it has nothing under way.
func (s *session) drained() {
	defer s.endEvent()
	if s.idle() || s.console.resting() {
		s.evicted()
	}
	s.interruptConsole(errShutdown)
}

// endDrained is drained for a session that may just have been answered, by a backend or
// here.
func (s *session) endDrained() {
	if s.draining && !s.gone && s.idle() {
		s.failAs(errShutdown, closedByShutdown)
	}
}

// evicted ends the session.
func (s *session) evicted() {
	defer s.endEvent()
	s.failAs(errShutdown, closedByShutdown)
}

// idle reports whether the client waits for nothing, and has all that there was for it.
func (s *session) idle() bool {
	return s.state == stateReady && !s.back.waiting && s.client.in == nil && !s.holds() && !s.client.conn.Spooling() &&
		(s.back.lease == nil || s.quiet() && s.back.status == wire.StatusIdle)
}

// greetings remembers what a client is told at start-up, for each pool and
// label, so that a login needs a backend only the first time. It is safe for
// concurrent use.
type greetings struct {
	mu    sync.Mutex
	known map[greetingKey]pool.Params // guarded by mu
}

type greetingKey struct {
	pool  pool.Key
	label pool.Label
}

// maxGreetings bounds the memory: a label is whatever a client likes.
const maxGreetings = 10000

func (g *greetings) get(p *pool.Pool, l pool.Label) (pool.Params, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	params, ok := g.known[greetingKey{p.Key(), l}]
	return params, ok
}

func (g *greetings) put(p *pool.Pool, l pool.Label, params pool.Params) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.known == nil || len(g.known) >= maxGreetings {
		g.known = make(map[greetingKey]pool.Params)
	}
	g.known[greetingKey{p.Key(), l}] = params
}

// loginCounter counts the connections of each address that have not logged in.
// It is safe for concurrent use.
type loginCounter struct {
	mu    sync.Mutex
	count map[string]int // guarded by mu
}

func (c *loginCounter) add(address string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.count == nil {
		c.count = make(map[string]int)
	}
	c.count[address]++
}

func (c *loginCounter) remove(address string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.count[address]--; c.count[address] <= 0 {
		delete(c.count, address)
	}
}

func (c *loginCounter) get(address string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.count[address]
}

// pollInterval is how often a drain looks whether all clients have gone.
const pollInterval = 20 * time.Millisecond
