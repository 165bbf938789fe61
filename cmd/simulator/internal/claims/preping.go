package claims

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/pgjay/pgjay/cmd/simulator/internal/seed"
	"github.com/pgjay/pgjay/cmd/simulator/internal/servers"
)

// patient is how long a client waits: as long as PgJay has it wait for a connection.
const patient = 30 * time.Second

// prePing: "pre-ping". A backend that was killed has closed its connection, which PgJay
// sees without a ping. These here are silent: nothing tells but a ping that nobody answers.
func prePing(ctx context.Context, b *bench, clients int, wait time.Duration) error {
	r, err := newRelay(b.url.Host)
	if err != nil {
		return err
	}
	way := *b.url
	way.Host = r.address()
	p, err := b.start(ctx, &way, "pool.size=25", "pool.pre_ping_after=1ms", "backend.connect_timeout=1s")
	if err != nil {
		return errors.Join(err, r.close())
	}
	defer p.Close()
	defer r.close() // first, as PgJay waits for what is silent
	if n, err := b.answered(ctx, p, clients, "SELECT pg_sleep(0.3)"); err != nil || n != clients {
		return fmt.Errorf("before the connections fell silent %d of %d clients had an answer: %w", n, clients, err)
	}
	silent := r.silence()
	select { // until PgJay, whose clock for this ticks once a second, takes them for idle
	case <-time.After(2500 * time.Millisecond):
	case <-ctx.Done():
	}
	hurried, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	begin := time.Now()
	n, _ := b.answered(hurried, p, clients, "SELECT 1") // its error is that of who has no answer
	b.add("pre-ping: connections that fell silent are not given out", fmt.Sprintf("%d connections to PostgreSQL fell silent without being closed; then %d of %d clients "+
		"had their answer within %v, in %v", silent, n, clients, wait, round(time.Since(begin))), n == clients)
	return ctx.Err()
}

// answered has clients come at once and ask. It returns how many of them had an answer, and
// why the first of the others had none.
func (b *bench) answered(ctx context.Context, p *servers.PgJay, clients int, sql string) (int, error) {
	var n atomic.Int64
	var group errgroup.Group
	for range clients {
		group.Go(func() error {
			return seed.With(ctx, p.URL(b.url).String(), func(conn *pgx.Conn) error {
				_, err := conn.Exec(ctx, sql, unnamed)
				if err == nil {
					n.Add(1)
				}
				return err
			})
		})
	}
	err := group.Wait()
	return int(n.Load()), err
}
