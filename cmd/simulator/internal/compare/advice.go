package compare

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgjay/pgjay/cmd/simulator/internal/servers"
)

// advise makes the indexes that the PgJay of a path advises, and says so in p, or why there
// is nothing to measure. Afterwards nothing is explained there, as on the other paths.
func (c *Comparer) advise(ctx context.Context, o *contender, p *Path) error {
	advised, err := waitForAdvice(ctx, func() ([]map[string]any, error) { return o.pgjay.Show(ctx, "SHOW ADVICE") })
	if err := p.advised(advised, err); err != nil || p.Missing != "" {
		return err
	}
	made := servers.WithDatabase(c.URL, o.database)
	if err := makeIndexes(ctx, made.String(), advised); err != nil {
		return err
	}
	if err := o.pgjay.Close(); err != nil {
		return err
	}
	_, settings := c.features.Rewriting()
	if o.pgjay, err = servers.StartPgJay(ctx, c.Program, made, settings...); err != nil {
		return err
	}
	o.url = o.pgjay.URL(made)
	return nil
}

// advised notes what was advised.
func (p *Path) advised(statements []string, err error) error {
	switch {
	case errors.Is(err, servers.ErrUnknown):
		p.Missing = err.Error()
	case err != nil:
		return err
	case len(statements) == 0:
		p.Missing = "no index was advised"
	default:
		p.What += fmt.Sprintf(" (%d)", len(statements))
	}
	return nil
}

// waitForAdvice asks for advice, which comes in the background, until for a while nothing is
// added, or it does not come at all.
func waitForAdvice(ctx context.Context, show func() ([]map[string]any, error)) (advised []string, err error) {
	const long, still = 10 * time.Second, 2 * time.Second
	poll := time.NewTicker(200 * time.Millisecond)
	defer poll.Stop()
	begin := time.Now()
	for changed := begin; time.Since(begin) < long && (len(advised) == 0 || time.Since(changed) < still); {
		rows, err := show()
		if err != nil {
			return nil, err
		}
		if now := Statements(rows); len(now) != len(advised) {
			advised, changed = now, time.Now()
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	return advised, nil
}

func makeIndexes(ctx context.Context, url string, statements []string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for _, sql := range statements {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s, as advised: %w", sql, err)
		}
	}
	return nil
}
