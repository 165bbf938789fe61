package pool

import (
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// BackendStat is a snapshot of one backend.
type BackendStat struct {
	Key        Key
	PID        uint32
	Server     string        // the address it is connected to
	Local      string        // its own
	TLS        string        // version and cipher; empty: none
	State      string        // active, idle or testing
	Age        time.Duration // since it has logged in
	Retired    bool          // it is closed when it comes free
	Statements int           // prepared ones, for all sessions; -1 while a session has it
}

// Backends returns a snapshot of each backend that is in a pool.
func (s *Set) Backends() (all []BackendStat) {
	now := s.now()
	for _, p := range s.all() {
		p.mu.Lock()
		for _, b := range p.all {
			all = append(all, b.statLocked(now))
		}
		p.mu.Unlock()
	}
	return all
}

// statLocked describes the backend. What a lessee owns may not be looked at.
func (b *Backend) statLocked(now int64) BackendStat {
	st := BackendStat{
		Key: b.Pool.key, PID: b.PID, Server: b.login.Server, Local: b.login.Local, TLS: b.login.TLS,
		Age: time.Duration(now - b.CreatedAt), Retired: b.retired, Statements: -1,
	}
	switch b.state() {
	case stateIdle:
		st.State, st.Statements = "idle", b.Statements.Len()
	case stateLeased, stateHanded:
		st.State = "active"
	default:
		st.State = "testing"
	}
	return st
}

// DatabaseStat is a snapshot of what the pools of one database have in common.
type DatabaseStat struct {
	Name     string // as clients give it
	Host     string // of its server; the first of several
	Port     int
	Database string   // its name there
	Settings Settings // without a user's own
	// Connections are the backends of all its pools; Cap is their limit, 0: none.
	Connections, Cap int
	Paused, Disabled bool // see Set.Pause and Set.Disable
}

// Databases returns a snapshot of each database that has pools or an entry of its
// own in the configuration, or is paused or disabled, sorted by name.
func (s *Set) Databases() []DatabaseStat {
	live := s.live.Load()
	connections := make(map[string]int)
	for _, o := range live.config.Databases {
		connections[o.Name] = 0
	}
	for _, name := range s.ordered() {
		connections[name] = 0
	}
	for _, p := range s.all() {
		p.mu.Lock()
		connections[p.key.Database] += len(p.all) + p.special
		p.mu.Unlock()
	}
	all := make([]DatabaseStat, 0, len(connections))
	for name, n := range connections {
		st := DatabaseStat{Name: name, Connections: n, Cap: live.databaseCap(name), Paused: s.Paused(name), Disabled: s.Disabled(name)}
		k := Key{Database: name}
		target := s.target(live, k)
		st.Settings, st.Database = *live.settings(k), target.Database
		st.Host, st.Port = target.place()
		all = append(all, st)
	}
	slices.SortFunc(all, func(a, b DatabaseStat) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// place returns the first host and port of a target.
func (t *Target) place() (host string, port int) {
	config, err := pgconn.ParseConfig(connString(*t))
	if err != nil {
		return "", 0
	}
	return config.Host, int(config.Port)
}

// Configured returns the configuration that is in force.
func (s *Set) Configured() (BackendConfig, Config) {
	live := s.live.Load()
	return live.backend, live.config
}

// Reconnect has the backends of a database, or of all if it is "", replaced, each as
// soon as no session has it. It returns how many pools that concerns.
func (s *Set) Reconnect(database string) (pools int) {
	for _, p := range s.all() {
		if database == "" || p.key.Database == database {
			p.renew()
			pools++
		}
	}
	return pools
}
