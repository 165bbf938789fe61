package pool

import (
	"errors"
	"maps"
	"net"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// Stat is a snapshot of one pool.
type Stat struct {
	Key      Key
	Settings Settings

	Idle      int // backends ready to be leased
	Active    int // leased, or handed to a session
	Login     int // logins under way
	Testing   int // backends on which something is checked
	Retired   int // of the active ones, those that will be closed when released
	Dedicated int // backends outside the pool
	Prepared  int // statements that its backends have for all sessions

	Waiting    int
	OldestWait time.Duration // how long the oldest waiter has waited, to the second
	LastError  error         // why logins fail at the moment

	// Server is where logins go: host and port, the first of several. Standby is what the
	// last one that succeeded has said of itself; nil: it did not say.
	Server  string
	Standby *bool

	Counters
}

// Counters count what has happened in a pool.
type Counters struct {
	Leases          int64
	Waits           int64 // waits that have ended with a backend or an error
	WaitNS          int64 // nanoseconds of these waits together
	Abandoned       int64 // waits that the session gave up
	Connects        int64
	ConnectFailures int64
	Closed          map[string]int64 // by reason
}

func (c *Counters) count(reason string) {
	if c.Closed == nil {
		c.Closed = make(map[string]int64)
	}
	c.Closed[reason]++
}

// Stats returns a snapshot of each pool, in the order in which they were made.
func (s *Set) Stats() []Stat {
	now := s.now()
	var stats []Stat
	for _, p := range s.all() {
		stats = append(stats, p.stat(now))
	}
	return stats
}

// Unreachable reports whether logins fail because no server answers, or none that takes
// sessions.
func (s *Stat) Unreachable() bool {
	var server *pgconn.PgError
	return s.LastError != nil && (!errors.As(s.LastError, &server) || server.Code == "57P03")
}

// address returns host and port of the pool's server.
func (p *Pool) address() string {
	p.mu.Lock()
	target := p.target
	p.mu.Unlock()
	known := p.placed.Load()
	if known == nil || known.url != target.URL {
		host, port := target.place()
		known = &placed{target.URL, net.JoinHostPort(host, strconv.Itoa(port))}
		p.placed.Store(known)
	}
	return known.address
}

// placed is what a URL says of where a server is.
type placed struct{ url, address string }

func (p *Pool) stat(now int64) Stat {
	server := p.address()
	p.mu.Lock()
	defer p.mu.Unlock()
	st := Stat{
		Server:    server,
		Standby:   p.dialing.standby,
		Key:       p.key,
		Settings:  *p.settings.Load(),
		Idle:      p.count[stateIdle],
		Active:    p.count[stateLeased] + p.count[stateHanded],
		Login:     p.dialing.underway,
		Testing:   p.count[stateChecking],
		Dedicated: p.special,
		Waiting:   p.waiting.n,
		LastError: p.dialing.lastErr,
		Counters:  p.usage.counters,
	}
	st.Closed = maps.Clone(p.usage.counters.Closed)
	if p.waiting.first != nil {
		st.OldestWait = time.Duration(now - p.waiting.first.queued)
	}
	for _, b := range p.all {
		st.Prepared += b.Statements.Count()
		if b.retired && b.state() != stateChecking {
			st.Retired++
		}
	}
	return st
}
