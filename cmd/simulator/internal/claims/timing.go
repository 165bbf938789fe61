package claims

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgjay/pgjay/cmd/simulator/internal/seed"
	"github.com/pgjay/pgjay/cmd/simulator/internal/servers"
)

// question is a statement that is timed.
type question struct {
	sql  string
	args []any
}

// times is medians in milliseconds: directly, and through PgJay.
type times struct{ direct, pgjay float64 }

func (t times) ratio() float64 { return t.direct / t.pgjay }

func (t times) String() string {
	return fmt.Sprintf("directly %s, through PgJay %s: %.1f times", ms(t.direct), ms(t.pgjay), t.ratio())
}

func ms(v float64) string {
	if v < 10 {
		return fmt.Sprintf("%.2f ms", v)
	}
	return fmt.Sprintf("%.0f ms", v)
}

// way is a connection, and how statements are sent on it.
type way struct {
	conn *pgx.Conn
	mode pgx.QueryExecMode
}

// time asks on both paths in turns, and returns the medians. Directly it asks by unnamed
// and by prepared statements, and the better of the two counts: that PostgreSQL keeps the
// plans of the latter is not PgJay's doing.
func (b *bench) time(ctx context.Context, u *url.URL, p *servers.PgJay, n int, q question) (t times, err error) {
	err = seed.With(ctx, u.String(), func(direct *pgx.Conn) error {
		return seed.With(ctx, p.URL(u).String(), func(proxied *pgx.Conn) error {
			took, err := timeInTurns(ctx, n, q, []way{{direct, unnamed}, {direct, prepared}, {proxied, unnamed}})
			if err == nil {
				t = times{min(median(took[0]), median(took[1])), median(took[2])}
			}
			return err
		})
	})
	return t, err
}

// timeInTurns returns what each ask took, for each way. The first asks, in which PgJay gets
// to know a statement, do not count. Slow statements are asked less often.
func timeInTurns(ctx context.Context, n int, q question, ways []way) ([][]float64, error) {
	const unseen, few, long = 8, 3, 10 * time.Second
	begin := time.Now()
	took := make([][]float64, len(ways))
	for round := range n + unseen {
		if round >= unseen+few && time.Since(begin) > long {
			break
		}
		for turn := range ways {
			at := (turn + round) % len(ways)
			ms, err := ways[at].time(ctx, q)
			if err != nil {
				return nil, err
			}
			if round >= unseen {
				took[at] = append(took[at], ms)
			}
		}
	}
	return took, nil
}

const (
	unnamed  = pgx.QueryExecModeExec
	prepared = pgx.QueryExecModeCacheStatement
)

// timeOne asks by an unnamed statement.
func timeOne(ctx context.Context, conn *pgx.Conn, q question) (float64, error) {
	return way{conn, unnamed}.time(ctx, q)
}

func (w way) time(ctx context.Context, q question) (float64, error) {
	begin := time.Now()
	rows, err := w.conn.Query(ctx, q.sql, append([]any{w.mode}, q.args...)...)
	if err != nil {
		return 0, err
	}
	for rows.Next() {
	}
	return float64(time.Since(begin).Microseconds()) / 1000, rows.Err()
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[len(values)/2]
}
