package claims

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgjay/pgjay/cmd/simulator/internal/compare"
	"github.com/pgjay/pgjay/cmd/simulator/internal/load"
	"github.com/pgjay/pgjay/cmd/simulator/internal/seed"
)

// connections: "5 to 10 times less overhead; reuse 90 % faster than new connections".
func connections(ctx context.Context, b *bench) error {
	const n = 150
	one := question{sql: "SELECT 1"}
	open, err := b.time(ctx, b.url, b.plain, n, one)
	if err != nil {
		return err
	}
	var took [2][]float64
	for i := range 2 * n {
		path := (i + i/2) % 2 // there, here, here, there
		ms, err := connectAndAsk(ctx, []*url.URL{b.url, b.plain.URL(b.url)}[path], one)
		if err != nil {
			return err
		}
		took[path] = append(took[path], ms)
	}
	fresh := times{median(took[0]), median(took[1])}
	overhead := times{fresh.direct - open.direct, fresh.pgjay - open.pgjay}
	b.add("5 to 10 times less connection overhead", "to connect, "+overhead.String(), faster(overhead.direct, overhead.pgjay, 5))
	b.figure("to connect and ask once", fresh)
	saved := 100 - 100*fresh.pgjay/fresh.direct
	b.add("reuse 90 % faster than new connections", fmt.Sprintf("to connect and ask directly %s, through PgJay, which reuses its connections, %s: "+
		"%.0f %% less (on a connection that stays %s)", ms(fresh.direct), ms(fresh.pgjay), saved, ms(open.pgjay)), saved >= 90)
	return nil
}

func connectAndAsk(ctx context.Context, u *url.URL, q question) (took float64, err error) {
	begin := time.Now()
	err = seed.With(ctx, u.String(), func(conn *pgx.Conn) error {
		_, err := timeOne(ctx, conn, q)
		return err
	})
	return float64(time.Since(begin).Microseconds()) / 1000, err
}

// habit is how the application of the documents asks.
type habit struct {
	name     string
	options  load.Options
	workload *load.Workload
	elapsed  time.Duration
}

// reuse: "100,000 queries 1.8 times faster by reusing connections". All three habits
// are asked the same, a block in turns, until all is asked or the time is over; one block
// is asked in any case. They write to one database: imports are of contacts of their own.
func reuse(ctx context.Context, b *bench) error {
	habits := []*habit{
		{name: "directly, a connection for each query", options: loadOptions(b.url, load.PerQuery)},
		{name: "directly, one for each 50", options: loadOptions(b.url, load.PerBatch)},
		{name: "through PgJay, one for each query", options: loadOptions(b.cached.URL(b.url), load.PerQuery)},
	}
	for i, h := range habits {
		h.workload = load.New(b.options.Data).Apart(i)
	}
	queries := b.options.Data.Queries
	asked, block := 0, max(queries/100, 1)
	deadline := askUntil(b.table.When, time.Now(), b.options.Budget)
	for round := 0; asked == 0 || asked < queries && time.Now().Before(deadline); round++ {
		if err := askAll(ctx, compare.InTurn(habits, round), asked, min(asked+block, queries)); err != nil {
			return err
		}
		asked = min(asked+block, queries)
	}
	each, batch, pgjay := habits[0].elapsed, habits[1].elapsed, habits[2].elapsed
	text := fmt.Sprintf("%d queries of %s", asked, b.options.Data.Name)
	if asked < queries {
		text = fmt.Sprintf("%d of %d queries of %s, for which there was time", asked, queries, b.options.Data.Name)
	}
	text += fmt.Sprintf(": %s %v, %s %v, %s %v", habits[0].name, round(each), habits[1].name, round(batch), habits[2].name, round(pgjay))
	b.add("3 times faster through PgJay than with new connections", fmt.Sprintf("%s: %.1f times", text, each.Seconds()/pgjay.Seconds()), faster(each.Seconds(), pgjay.Seconds(), 3))
	b.figure(fmt.Sprintf("%d queries of the CRM, a connection for each", asked), times{milliseconds(each), milliseconds(pgjay)})
	b.add("1.8 times faster through PgJay than with reuse", fmt.Sprintf("%.1f times (reuse alone gains %.1f times)",
		batch.Seconds()/pgjay.Seconds(), each.Seconds()/batch.Seconds()), faster(batch.Seconds(), pgjay.Seconds(), 1.8))
	return nil
}

// askUntil is when the time is over: the budget's, and that in which all claims are to be
// measured, with some left for what is under way.
func askUntil(began, now time.Time, budget time.Duration) time.Time {
	const all = 9 * time.Minute
	if end := began.Add(all); end.Before(now.Add(budget)) {
		return end
	}
	return now.Add(budget)
}

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1000 }

// askAll asks a block in all habits.
func askAll(ctx context.Context, habits []*habit, from, to int) error {
	for _, h := range habits {
		r, err := load.Run(ctx, h.workload, from, to, h.options)
		if err != nil {
			return fmt.Errorf("%s: %w", h.name, err)
		}
		h.elapsed += r.Elapsed
	}
	return nil
}
