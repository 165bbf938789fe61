package claims

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgjay/pgjay/cmd/simulator/internal/seed"
)

// slowQueries: "longer than 1 s: logged; very slow: EXPLAIN ANALYZE".
func slowQueries(ctx context.Context, b *bench) error {
	name, took, err := b.slow(ctx, 0)
	if err != nil {
		return err
	}
	if !b.features.Has("monitor", "slow_threshold") {
		b.line("slow statements are logged and explained", fmt.Sprintf("a statement of %v: this PgJay has no slow log", took), NotAvailable)
		return nil
	}
	logged := b.until(ctx, func() bool { return b.plain.Logged(name) })
	b.add("statements over 1 s are logged", fmt.Sprintf("a statement of %v: logged %v", took, logged), logged)
	plan, err := b.planOf(ctx, name)
	for try := 1; err == nil && try < 3 && plan.interrupted(); try++ {
		if name, _, err = b.slow(ctx, try); err == nil {
			plan, err = b.planOf(ctx, name)
		}
	}
	if err != nil {
		return err
	}
	b.add("very slow ones are explained, by EXPLAIN ANALYZE", plan.String(), plan.Execution > 0)
	return nil
}

// planOf waits for the plan of the statement that has this name in it.
func (b *bench) planOf(ctx context.Context, name string) (plan explained, err error) {
	b.until(ctx, func() bool {
		plan, err = b.explained(ctx, name)
		return err != nil || plan.Number > 0
	})
	return plan, err
}

// slow asks for what takes more than 1 s. It returns the name of a table that only this
// statement has, of this try.
func (b *bench) slow(ctx context.Context, try int) (name string, took time.Duration, err error) {
	const enough = 1200 * time.Millisecond
	for rows := 12_000_000; took < enough; rows *= 2 {
		name = fmt.Sprintf("slow_%d_%d", rows, try)
		begin := time.Now()
		err := seed.With(ctx, b.plain.URL(b.url).String(), func(conn *pgx.Conn) error {
			_, err := conn.Exec(ctx, fmt.Sprintf("SELECT count(*) FROM generate_series(1, %d) AS %s", rows, name), unnamed)
			return err
		})
		if err != nil {
			return "", 0, err
		}
		took = round(time.Since(begin))
	}
	return name, took, nil
}

// explained is a plan as the dashboard's API has it. Times are in milliseconds.
type explained struct {
	Number    int               `json:"number"`
	Text      string            `json:"text"`
	Analyzed  bool              `json:"analyzed"`
	Reason    string            `json:"reason"` // why not
	Execution float64           `json:"execution"`
	Nodes     []json.RawMessage `json:"nodes"`
}

// interrupted says whether it was executed and took more than twice as long as the client's, as
// it may where the machine has much else to do.
func (e explained) interrupted() bool { return e.Execution == 0 && strings.Contains(e.Reason, "57014") }

func (e explained) String() string {
	switch {
	case e.Number == 0:
		return "the dashboard's API has no plan of it"
	case e.Execution == 0:
		return "the dashboard's API has a plan of it without times " + e.Reason
	}
	return fmt.Sprintf("the dashboard's API has its plan of %d steps, executed in %s", len(e.Nodes), ms(e.Execution))
}

// explained asks the dashboard's API for the plan of the statement that has this name in it;
// none is no error.
func (b *bench) explained(ctx context.Context, name string) (explained, error) {
	var list struct {
		Plans []explained `json:"plans"`
	}
	if err := b.api(ctx, "/api/plans", &list); err != nil {
		return explained{}, err
	}
	for _, p := range list.Plans {
		if !strings.Contains(p.Text, name) {
			continue
		}
		if !p.Analyzed {
			return p, nil
		}
		err := b.api(ctx, fmt.Sprintf("/api/plan?number=%d", p.Number), &p)
		return p, err
	}
	return explained{}, nil
}

// api reads a document of the dashboard's.
func (b *bench) api(ctx context.Context, path string, into any) error {
	body, _, err := b.plain.Get(ctx, path, false)
	if err != nil {
		return err
	}
	return json.Unmarshal(body, into)
}

const patience = 20 * time.Second

// until asks for some seconds whether something has become true.
func (b *bench) until(ctx context.Context, condition func() bool) bool {
	ctx, cancel := context.WithTimeout(ctx, b.patience)
	defer cancel()
	poll := time.NewTicker(100 * time.Millisecond)
	defer poll.Stop()
	for !condition() {
		select {
		case <-poll.C:
		case <-ctx.Done():
			return false
		}
	}
	return true
}
