package compare

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// Batching is what an application gains on a path that imports rows in batches: 200 in
// one INSERT, to one by one on the same path.
type Batching struct {
	Path    string   `json:"path"`
	Single  float64  `json:"single_rows_per_second"`
	Batched float64  `json:"batched_rows_per_second"`
	Gain    Interval `json:"gain"`
}

const (
	batchSize    = 200
	firstBatched = 2_000_000_000 // number of a contact that nothing else writes
)

// batching imports a batch each round in both ways, which take turns.
func (c *Comparer) batching(ctx context.Context, o *contender) (Batching, error) {
	var pairs []pair
	b := Batching{Path: o.Name}
	for round := range c.Rounds {
		var p pair
		var err error
		first := firstBatched + 2*round*batchSize
		one := func() { p.base, err = c.insert(ctx, o, first, 1) }
		many := func() { p.other, err = c.insert(ctx, o, first+batchSize, batchSize) }
		for _, turn := range InTurn([]func(){one, many}, round) {
			if turn(); err != nil {
				return b, err
			}
		}
		pairs = append(pairs, p)
		b.Single += p.base
		b.Batched += p.other
	}
	rows := float64(c.Rounds * batchSize)
	b.Single, b.Batched, b.Gain = rows/b.Single, rows/b.Batched, gain(pairs)
	return b, nil
}

// insert writes a batch on a connection that is there, some rows at a time, and
// returns the seconds that it took.
func (c *Comparer) insert(ctx context.Context, o *contender, first, atATime int) (float64, error) {
	conn, err := pgx.Connect(ctx, o.url.String())
	if err != nil {
		return 0, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	contacts := c.Data.Contacts()
	sql := contacts.Insert(atATime)
	begin := time.Now()
	for at := 0; at < batchSize; at += atATime {
		var args []any
		for id := range atATime {
			args = append(args, contacts.Row(1, first+at+id)...)
		}
		if _, err := conn.Exec(ctx, sql, args...); err != nil {
			return 0, err
		}
	}
	return time.Since(begin).Seconds(), nil
}
