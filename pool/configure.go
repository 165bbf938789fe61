package pool

import (
	"cmp"
	"slices"
)

// settings returns what holds for a pool: the general values, then the
// database's, then the user's.
func (c *configuration) settings(k Key) *Settings {
	s := &Settings{
		Mode:                   c.config.Mode,
		Size:                   c.config.Size,
		Overflow:               c.config.Overflow,
		MinIdle:                c.config.MinIdle,
		MaxConnecting:          c.config.MaxConnecting,
		MaxPreparedStatements:  c.config.MaxPreparedStatements,
		MaxDatabaseConnections: c.config.MaxDatabaseConnections,
		OverflowAfter:          c.config.OverflowAfter,
		OverflowIdle:           c.config.OverflowIdle,
		AcquireTimeout:         c.config.AcquireTimeout,
		Recycle:                c.config.Recycle,
		PrePing:                c.config.PrePing,
		PrePingAfter:           c.config.PrePingAfter,
		Homes:                  c.config.Homes,
	}
	harmless, stateful := c.config.HarmlessFunctions, c.config.StatefulFunctions
	for _, o := range []Override{override(c.config.Databases, k.Database), override(c.config.Users, k.User)} {
		o.apply(s)
		if o.HarmlessFunctions != nil {
			harmless = o.HarmlessFunctions
		}
		if o.StatefulFunctions != nil {
			stateful = o.StatefulFunctions
		}
	}
	s.Functions = newFunctions(harmless, stateful)
	return s
}

// override returns the entry of a name; an empty one if there is none.
func override(entries []Override, name string) (o Override) {
	if i := slices.IndexFunc(entries, func(o Override) bool { return o.Name == name }); i >= 0 {
		o = entries[i]
	}
	return o
}

// apply changes what the entry has values for.
func (o Override) apply(s *Settings) {
	if o.Mode != nil {
		s.Mode = *o.Mode
	}
	for _, v := range []struct{ from, to *int }{
		{o.Size, &s.Size},
		{o.Overflow, &s.Overflow},
		{o.MinIdle, &s.MinIdle},
		{o.MaxDatabaseConnections, &s.MaxDatabaseConnections},
	} {
		if v.from != nil {
			*v.to = *v.from
		}
	}
}

// databaseCap is the cap of a database: that of its entry, or the general one.
// It is over all users, so no user's entry changes it.
func (c *configuration) databaseCap(name string) int {
	if o := override(c.config.Databases, name); o.MaxDatabaseConnections != nil {
		return *o.MaxDatabaseConnections
	}
	return c.config.MaxDatabaseConnections
}

// target says where and as whom the backends of a pool log in.
func (s *Set) target(c *configuration, k Key) Target {
	o := override(c.config.Databases, k.Database)
	t := Target{
		Key:            k,
		URL:            cmp.Or(o.Backend, c.backend.URL),
		Database:       cmp.Or(o.Database, k.Database),
		ConnectTimeout: c.backend.ConnectTimeout,
		KeepAlive:      c.backend.KeepAlive,
	}
	if s.options.Credentials != nil {
		t.User, t.Password = s.options.Credentials(k)
	}
	t.User = cmp.Or(t.User, k.User)
	t.Password = cmp.Or(t.Password, c.backend.Password)
	return t
}

// same reports whether two targets are the same login.
func (t *Target) same(o *Target) bool {
	return t.URL == o.URL && t.Database == o.Database && t.User == o.User && t.Password == o.Password
}

// Reconfigure puts new settings into force. Surplus backends are closed as
// they come free; when the server, user or password of a pool has changed, all
// its backends are.
func (s *Set) Reconfigure(b BackendConfig, c Config) {
	s.reload.Lock()
	defer s.reload.Unlock()
	live := &configuration{b, c}
	s.mu.Lock()
	s.live.Store(live)
	for name, ref := range s.databases {
		if d := ref.Value(); d != nil {
			d.setCap(live.databaseCap(name))
		}
	}
	s.mu.Unlock()
	for _, p := range s.all() {
		p.reconfigure(live.settings(p.key), s.target(live, p.key))
	}
	for _, d := range s.bases() {
		d.balance(false)
	}
	for _, l := range s.listeners() {
		l.post((*Listener).reconfigured)
	}
}

// bases returns what the pools of each database share, sorted by name.
func (s *Set) bases() (all []*database) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	names := make([]string, 0, len(s.databases))
	for name := range s.databases {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if d := s.databases[name].Value(); d != nil {
			all = append(all, d)
		}
	}
	return all
}

// reconfigure puts new settings of one pool into force.
func (p *Pool) reconfigure(settings *Settings, target Target) {
	p.mu.Lock()
	defer p.unlock()
	p.settings.Store(settings)
	moved := !target.same(&p.target)
	p.target = target
	if moved {
		p.dialing.failures, p.dialing.lastErr = 0, nil
		for i := len(p.all) - 1; i >= 0; i-- {
			p.retireLocked(p.all[i], reasonReload)
		}
	}
	for len(p.all) > settings.limit() {
		b := p.longestIdleLocked()
		if b == nil {
			break
		}
		p.discardIdleLocked(b, reasonSize)
	}
	p.coverLocked()
}
