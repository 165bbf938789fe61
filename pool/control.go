package pool

import (
	"context"

	"github.com/jackc/pgx/v5/pgconn"
)

// Connect logs in to a pool's database as its user, for what PgJay itself wants to
// know. The connection is the caller's. It is no backend: neither the pool's size
// nor max_database_connections counts it. It may block.
func (s *Set) Connect(ctx context.Context, k Key) (*pgconn.PgConn, error) {
	p := s.Pool(k)
	p.mu.Lock()
	target := p.target
	p.mu.Unlock()
	config, err := connConfig(target)
	if err != nil {
		return nil, err
	}
	config.RuntimeParams["application_name"] = "pgjay"
	return pgconn.ConnectConfig(ctx, config)
}

// Server names the server and the database that a pool's backends are logged in to:
// pools with the same name have the same contents.
func (p *Pool) Server() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.target.URL + "\x00" + p.target.Database
}

// Renew has the backends of the pools that Server names so replaced, each as soon as
// no session has it: what new ones start with has changed. Those whose login is under way
// are among them.
func (s *Set) Renew(server string) {
	for _, p := range s.all() {
		if p.Server() == server {
			p.renew()
		}
	}
}

func (p *Pool) renew() {
	p.mu.Lock()
	defer p.unlock()
	p.renewals.Add(1)
	for i := len(p.all) - 1; i >= 0; i-- {
		p.retireLocked(p.all[i], reasonRecycle)
	}
	p.coverLocked()
}

// Outdated reports whether what the backend has started with is not what new ones start
// with: there was a Renew since.
func (b *Backend) Outdated() bool { return b.renewal != b.Pool.renewals.Load() }
