package pool

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/pgjay/pgjay/proxy/reactor"
)

// Pool has the backends of one database and user. Its methods may be called on
// any goroutine unless they say otherwise.
type Pool struct {
	key      Key
	set      *Set
	base     *database
	home     *reactor.Loop // where the retry timer is
	timer    reactor.Timer // owned by home
	settings atomic.Pointer[Settings]
	account  account // guarded by base.mu

	epoch        atomic.Uint32 // SchemaEpoch
	descriptions descriptions
	reads        atomic.Bool // SequencesRead
	placed       atomic.Pointer[placed]
	renewals     atomic.Uint32 // how often Renew was called; written under mu

	_  [64]byte   // keeps what is only read off the cache line that each lease writes
	mu sync.Mutex // guards the rest

	idle  []stack     // by loop index
	all   []*Backend  // without the dedicated ones
	count [states]int // of all, by state
	dedication
	waiting waitQueue
	dialing dialing
	target  Target // where logins go
	sharing sharing
	homes   homes
	halt    halt
	usage   usage
	later   todo
}

// sharing is the pool's part in the division of its database's places.
type sharing struct {
	wanted   int // logins that the database's cap does not allow at the moment
	yielding int // backends to be given up for other pools as they come free
}

// homes is what a pool knows about its sessions' homes.
type homes struct {
	seeking []*Residence // each is covered by a login under way, or will be by the next
	open    []doubt      // that the probe under way decides
	next    []doubt      // that have come up since it began
}

// dedication is what a pool knows about backends outside of it.
type dedication struct {
	special   int          // dedicated backends
	listening int          // of them, those of a Listener
	lining    []*dedicated // that wait for their number to go down
}

// usage is how much a pool is used.
type usage struct {
	counters Counters

	// As of the last tick.

	leases     int64 // Counters.Leases
	last       int64 // when it was used
	emptySince int64 // 0: there is something in it
}

// Settings is what holds for one pool: the configuration with its overrides.
type Settings struct {
	Mode                   Mode
	Size, Overflow         int
	MinIdle                int
	MaxConnecting          int
	MaxPreparedStatements  int
	MaxDatabaseConnections int
	OverflowAfter          time.Duration
	OverflowIdle           time.Duration
	AcquireTimeout         time.Duration
	Recycle                time.Duration
	PrePing                bool
	PrePingAfter           time.Duration
	Homes                  bool
	Functions              *Functions // nil: nothing is declared
}

// limit is how many backends there may be at most.
func (s *Settings) limit() int { return s.Size + s.Overflow }

// newPool makes an empty pool.
func newPool(s *Set, k Key, base *database, home *reactor.Loop) *Pool {
	return &Pool{key: k, set: s, base: base, home: home, idle: make([]stack, len(s.options.Loops))}
}

// Key returns the pool's database and user.
func (p *Pool) Key() Key { return p.key }

// Settings returns what holds for this pool at the moment.
func (p *Pool) Settings() Settings { return *p.settings.Load() }

// LastError returns why logins fail at the moment; nil if they don't.
func (p *Pool) LastError() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dialing.lastErr
}

// liveLocked returns how many backends there are, logins under way included.
func (p *Pool) liveLocked() int { return len(p.all) + p.dialing.underway }

// busyLocked reports whether somebody has or waits for a backend.
func (p *Pool) busyLocked() bool {
	return p.count[stateLeased]+p.count[stateHanded]+p.waiting.n > 0
}

// emptyLocked reports whether there is nothing in the pool.
func (p *Pool) emptyLocked() bool {
	return p.liveLocked()+p.special+len(p.lining)+p.waiting.n == 0
}

// admitLocked puts a backend that has just logged in into the pool.
func (p *Pool) admitLocked(b *Backend) {
	b.index = len(p.all)
	p.all = append(p.all, b)
	p.count[stateConnecting]++
}

// removeLocked takes a backend out of the pool for good.
func (p *Pool) removeLocked(b *Backend) {
	b.setStateLocked(stateClosed, b.loop)
	b.endPingLocked()
	p.unreserveLocked(b)
	p.evictLocked(b)
	p.base.give(p)
	p.later.balance = true
	p.halt.closing++
	if b.dedicated {
		p.specialGoneLocked(b.listening)
		return
	}
	last := p.all[len(p.all)-1]
	p.all[b.index], last.index = last, b.index
	p.all[len(p.all)-1] = nil
	p.all = p.all[:len(p.all)-1]
	p.sharing.yielding = min(p.sharing.yielding, len(p.all))
	p.count[stateClosed] = 0 // terminal: not counted
}

// todo is what unlock does once the lock is released.
type todo struct {
	served    waitQueue    // to be posted to their loops
	pings     []*Backend   // to be pinged, if still open
	closing   []*Backend   // to be closed on their loops
	logins    int          // to be started
	dedicated []*dedicated // to be started
	arm       bool         // the retry timer
	balance   bool         // the database's cap
	room      bool         // is wanted on the server
	settled   []settlement // to be told
	verdicts  []verdict    // to be told
	judge     bool         // the doubts
}

func (t *todo) empty() bool {
	return t.served.n == 0 && t.logins == 0 && !t.arm && !t.balance && !t.room && !t.judge &&
		t.dedicated == nil && t.pings == nil && t.closing == nil && t.settled == nil && t.verdicts == nil
}

// unlock releases mu and does what must not be done under it.
func (p *Pool) unlock() {
	if p.later.empty() {
		p.mu.Unlock()
		return
	}
	t := p.later
	p.later = todo{}
	p.mu.Unlock()
	p.do(&t)
}

func (p *Pool) do(t *todo) {
	for t.served.n > 0 {
		w := t.served.pop()
		w.Loop.Post(w)
	}
	for _, b := range t.pings {
		b.loop.Post((*ping)(b))
	}
	for _, b := range t.closing {
		b.loop.Post((*goodbye)(b))
	}
	for range t.logins {
		p.startLogin()
	}
	for _, d := range t.dedicated {
		d.start()
	}
	for _, s := range t.settled {
		s.resident.Settled(s.pid, s.err)
	}
	for _, v := range t.verdicts {
		v.resident.Judged(v.cause)
	}
	if t.judge {
		p.judge()
	}
	if t.room {
		p.set.makeRoom(p)
	}
	if t.arm {
		p.home.Post((*armRetry)(p))
	}
	if t.balance {
		p.base.balance(false)
	}
}

// stack is a list of idle backends, the one used last on top.
type stack struct{ top, bottom *Backend }

func (s *stack) push(b *Backend) {
	b.next, b.prev = s.top, nil
	if s.top != nil {
		s.top.prev = b
	} else {
		s.bottom = b
	}
	s.top = b
}

func (s *stack) remove(b *Backend) {
	if b.prev == nil {
		s.top = b.next
	} else {
		b.prev.next = b.next
	}
	if b.next == nil {
		s.bottom = b.prev
	} else {
		b.next.prev = b.prev
	}
	b.next, b.prev = nil, nil
}

// lastUsedLocked returns the idle backend that was used last.
func (p *Pool) lastUsedLocked() (b *Backend) {
	for i := range p.idle {
		if top := p.idle[i].top; top != nil && (b == nil || top.since > b.since) {
			b = top
		}
	}
	return b
}

// longestIdleLocked returns the backend that has been idle for longest.
func (p *Pool) longestIdleLocked() (b *Backend) {
	for i := range p.idle {
		if bottom := p.idle[i].bottom; bottom != nil && (b == nil || bottom.since < b.since) {
			b = bottom
		}
	}
	return b
}
