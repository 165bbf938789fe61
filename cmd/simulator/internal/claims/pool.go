package claims

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/pgjay/pgjay/cmd/simulator/internal/seed"
	"github.com/pgjay/pgjay/cmd/simulator/internal/servers"
)

const recycleAge = 10 * time.Second

// poolOverflow: "25 and 50 more serve 75 at once; recycle".
func poolOverflow(ctx context.Context, b *bench) error {
	p, err := b.start(ctx, b.url, "pool.size=25", "pool.overflow=50", "pool.pre_ping_after=1ms", fmt.Sprintf("pool.recycle=%v", recycleAge))
	if err != nil {
		return err
	}
	defer p.Close()
	// The first ones wait for logins, which is not what is claimed.
	if _, _, err := b.crowd(ctx, p, 75, "SELECT pg_sleep(2.9)"); err != nil {
		return err
	}
	for _, c := range []struct {
		clients int
		seconds float64
		most    int
	}{{75, 3, 75}, {76, 3, 75}, {500, 0.2, 75}} {
		begin := time.Now()
		atOnce, refused, err := b.crowd(ctx, p, c.clients, fmt.Sprintf("SELECT pg_sleep(%g)", c.seconds))
		if err != nil {
			return err
		}
		text := fmt.Sprintf("%d clients with %g s each: %d at once, %d refused, all answered in %v", c.clients, c.seconds, atOnce, refused, round(time.Since(begin)))
		b.add("25 connections and 50 more serve 75 at once", text, refused == 0 && atOnce <= c.most && (c.clients >= 500 || atOnce == c.most))
	}
	// Each is waited for: one that only knows that it is to end may still take a statement.
	if err := execute(ctx, b.url, "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = current_database() "+
		"and pid <> pg_backend_pid() and backend_type = 'client backend'"); err != nil {
		return err
	}
	_, refused, err := b.crowd(ctx, p, 75, "SELECT 1")
	if err != nil {
		return err
	}
	b.add("connections that the server has closed are not given out", fmt.Sprintf("all backends killed, then 75 clients: %d errors", refused), refused == 0)
	return b.recycle(ctx, p)
}

// crowd has clients ask the same at the same time. It counts how many PostgreSQL
// answered at once, and how many got an error.
func (b *bench) crowd(ctx context.Context, p *servers.PgJay, clients int, sql string) (atOnce int, refused int64, err error) {
	watched, stop := context.WithCancel(ctx)
	defer stop()
	most := make(chan int, 1)
	go func() { most <- b.watch(watched, sql) }()
	var errs atomic.Int64
	group, asking := errgroup.WithContext(ctx)
	for range clients {
		group.Go(func() error {
			err := seed.With(asking, p.URL(b.url).String(), func(conn *pgx.Conn) error {
				_, err := conn.Exec(asking, sql, pgx.QueryExecModeExec)
				return err
			})
			if err != nil {
				errs.Add(1)
			}
			return context.Cause(ctx)
		})
	}
	err = group.Wait()
	stop()
	return <-most, errs.Load(), err
}

// watch is the most backends that were seen with a statement at once, until ctx ends.
func (b *bench) watch(ctx context.Context, sql string) (most int) {
	_ = seed.With(ctx, b.url.String(), func(conn *pgx.Conn) error {
		poll := time.NewTicker(20 * time.Millisecond)
		defer poll.Stop()
		for {
			var n int
			const count = "select count(*) from pg_stat_activity where state = 'active' and query = $1"
			if err := conn.QueryRow(ctx, count, sql).Scan(&n); err != nil {
				return err // ctx has ended
			}
			most = max(most, n)
			select {
			case <-poll.C:
			case <-ctx.Done():
				return nil
			}
		}
	})
	return most
}

// recycle waits until a backend that is old enough is gone, while clients come and
// go.
func (b *bench) recycle(ctx context.Context, p *servers.PgJay) error {
	const allowed = recycleAge + 2*time.Second // PgJay looks once a second
	ask := func() (pid int32, err error) {
		err = seed.With(ctx, p.URL(b.url).String(), func(conn *pgx.Conn) error {
			return conn.QueryRow(ctx, "SELECT pg_backend_pid()", pgx.QueryExecModeExec).Scan(&pid)
		})
		return pid, err
	}
	first, err := ask()
	if err != nil {
		return err
	}
	begin := time.Now()
	gone := b.until(ctx, func() bool {
		if _, err = ask(); err != nil {
			return true
		}
		var there bool
		err = seed.With(ctx, b.url.String(), func(conn *pgx.Conn) error {
			return conn.QueryRow(ctx, "select exists (select from pg_stat_activity where pid = $1)", first).Scan(&there)
		})
		return err != nil || !there
	})
	if err != nil {
		return err
	}
	took := time.Since(begin)
	b.add("recycle: connections are replaced when their time is over", fmt.Sprintf("with pool.recycle %v a backend was gone after %v",
		recycleAge, round(took)), gone && took <= allowed)
	return nil
}
