package compare

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/pgjay/pgjay/cmd/simulator/internal/crm"
	"github.com/pgjay/pgjay/cmd/simulator/internal/load"
	"github.com/pgjay/pgjay/cmd/simulator/internal/servers"
)

// Comparer says what to compare.
type Comparer struct {
	URL     *url.URL // the seeded database; it stays as it is
	Program string   // PgJay
	Data    *crm.Data
	Load    load.Options
	Queries int
	Rounds  int  // blocks of queries, each asked on all paths in turn; even
	Verify  bool // compare all answers first, and the tables
	Stage   func(name string, queries int)
	Asked   func(queries int)
	// Hash is of all tables of a database.
	Hash func(ctx context.Context, url string) (string, error)

	features servers.Features
	workload *load.Workload
}

// Comparison is what was found.
type Comparison struct {
	When         time.Time     `json:"when"`
	Took         time.Duration `json:"took_ns"`
	Machine      Machine       `json:"machine"`
	Scenario     crm.Scenario  `json:"scenario"`
	Seed         uint64        `json:"seed"`
	Queries      int           `json:"queries"`
	Rounds       int           `json:"rounds"`
	Clients      int           `json:"clients"`
	Connect      load.Connect  `json:"connect"`
	Protocol     load.Protocol `json:"protocol"`
	Unlike       string        `json:"unlike,omitempty"` // what makes the ways of clients differ, but for PgJay
	Verification *Verification `json:"verification,omitempty"`
	Paths        []Measured    `json:"paths"`
	Patterns     []PatternGain `json:"patterns"`
	Batching     []Batching    `json:"batching"`
}

// Run compares.
func (c *Comparer) Run(ctx context.Context) (*Comparison, error) {
	begin := time.Now()
	features, err := servers.AskFeatures(ctx, c.Program)
	if err != nil {
		return nil, err
	}
	c.features, c.workload = features, load.New(c.Data)
	result := &Comparison{When: begin, Machine: ThisMachine(ctx, c.URL), Scenario: c.Data.Scenario, Seed: c.Data.Seed, Queries: c.Queries,
		Rounds: c.Rounds, Clients: c.Load.Clients, Connect: c.Load.Connect, Protocol: c.Load.Protocol}
	if result.Unlike, err = unlike(ctx, c.URL); err != nil {
		return nil, err
	}
	if c.Verify {
		if result.Verification, err = c.verify(ctx); err != nil {
			return nil, fmt.Errorf("comparing answers: %w", err)
		}
	}
	err = c.measure(ctx, result)
	result.Took = time.Since(begin)
	return result, err
}

// measure asks all blocks on all paths.
func (c *Comparer) measure(ctx context.Context, result *Comparison) (err error) {
	list := paths(c.features)
	var opened []*contender
	defer func() {
		for _, o := range opened {
			err = errors.Join(err, c.shut(ctx, o))
		}
	}()
	for i, p := range list {
		if p.Missing != "" {
			continue
		}
		o, err := c.open(ctx, p, fmt.Sprintf("path%d", i))
		if err != nil {
			return err
		}
		opened = append(opened, o)
	}
	ready, err := c.warm(ctx, list, opened)
	if err != nil {
		return err
	}
	blocks, err := c.blocks(ctx, ready)
	if err != nil {
		return err
	}
	result.Paths = summarise(list, blocks)
	result.Patterns = patternGains(blocks)
	for _, o := range ready[:2] { // direct, and pooling
		b, err := c.batching(ctx, o)
		if err != nil {
			return err
		}
		result.Batching = append(result.Batching, b)
	}
	return nil
}

// warm asks each path some queries that do not count, and takes the advice of the
// path that is for that. It returns the paths that can be measured.
func (c *Comparer) warm(ctx context.Context, list []Path, opened []*contender) ([]*contender, error) {
	n := max(c.Queries/10, 1)
	c.Stage("warming up", n*len(opened))
	var ready []*contender
	for _, o := range opened {
		if _, err := c.ask(ctx, o, c.Queries, c.Queries+n); err != nil {
			return nil, err
		}
		c.Asked(n)
		if o.advice {
			p := &list[slices.IndexFunc(list, func(p Path) bool { return p.Name == o.Name })]
			if err := c.advise(ctx, o, p); err != nil {
				return nil, err
			}
			if p.Missing != "" {
				continue
			}
			if _, err := c.ask(ctx, o, c.Queries+n, c.Queries+2*n); err != nil { // its PgJay is new
				return nil, err
			}
		}
		ready = append(ready, o)
	}
	return ready, nil
}

// blocks are the results of each path, by its name, one for each round.
func (c *Comparer) blocks(ctx context.Context, opened []*contender) (map[string][]*load.Result, error) {
	c.Stage("measuring", c.Queries*len(opened))
	results := make(map[string][]*load.Result)
	for round := range c.Rounds {
		from, to := c.Queries*round/c.Rounds, c.Queries*(round+1)/c.Rounds
		for _, o := range InTurn(opened, round) {
			r, err := c.ask(ctx, o, from, to)
			if err != nil {
				return nil, err
			}
			results[o.Name] = append(results[o.Name], r)
			c.Asked(to - from)
		}
	}
	return results, nil
}

func (c *Comparer) ask(ctx context.Context, o *contender, from, to int) (*load.Result, error) {
	r, err := load.Run(ctx, c.workload, from, to, o.load(c.Load))
	if err != nil {
		return nil, fmt.Errorf("path %s: %w", o.Name, err)
	}
	return r, nil
}
