package compare

import (
	"context"
	"errors"
	"fmt"

	"github.com/pgjay/pgjay/cmd/simulator/internal/load"
	"github.com/pgjay/pgjay/cmd/simulator/internal/servers"
)

// Verification is how the answers compared, and what of PgJay had a part in them.
type Verification struct {
	load.Verification
	FromCache  int `json:"from_cache"` // answers
	Rewritten  int `json:"rewritten"`  // statements that PostgreSQL was given in another form
	Bookmarked int `json:"bookmarked"` // pages behind a deep OFFSET that were got otherwise

	TablesDiffer bool `json:"tables_differ"` // after all queries
}

// Differ says whether anything is other through PgJay.
func (v *Verification) Differ() bool { return v.Count > 0 || v.TablesDiffer }

// verify compares the answers of PgJay with all its parts to PostgreSQL's: all queries by
// one protocol, then all again by the next; and what is then in the tables.
func (c *Comparer) verify(ctx context.Context) (found *Verification, err error) {
	list := paths(c.features)
	var on [2]*contender
	for i, p := range []Path{list[0], list[len(list)-1]} {
		if on[i], err = c.open(ctx, p, fmt.Sprintf("verify%d", i)); err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, c.shut(ctx, on[i])) }()
	}
	protocols := []load.Protocol{load.Simple, load.Extended, load.Prepared}
	c.Stage("comparing answers", len(protocols)*c.Queries)
	found = new(Verification)
	for _, protocol := range protocols {
		o := c.Load
		o.Protocol, o.Every = protocol, 1
		o.Progress = func(int) { c.Asked(1) }
		both := [2]load.Options{o, o}
		both[0].URL, both[1].URL = on[0].url.String(), on[1].url.String()
		part, err := load.Verify(ctx, c.workload, 0, c.Queries, both)
		if err != nil {
			return nil, err
		}
		found.Compared += part.Compared
		found.Count += part.Count
		found.Mismatches = append(found.Mismatches, part.Mismatches...)
	}
	if found.TablesDiffer, err = c.tablesDiffer(ctx, on); err != nil {
		return nil, err
	}
	return found, found.exercised(ctx, on[1].pgjay)
}

// tablesDiffer asks PostgreSQL whether what was written is the same.
func (c *Comparer) tablesDiffer(ctx context.Context, on [2]*contender) (bool, error) {
	var hashes [2]string
	for i, o := range on {
		var err error
		if hashes[i], err = c.Hash(ctx, servers.WithDatabase(c.URL, o.database).String()); err != nil {
			return false, err
		}
	}
	return hashes[0] != hashes[1], nil
}

// exercised asks PgJay what had a part in its answers.
func (v *Verification) exercised(ctx context.Context, p *servers.PgJay) error {
	for _, m := range []struct {
		into    *int
		samples []string
	}{
		{&v.FromCache, []string{`pgjay_cache_lookups_total{outcome="hit"`}},
		{&v.Rewritten, []string{`pgjay_rewrites_total{`}},
		{&v.Bookmarked, []string{`pgjay_rewrite_offset_pages_total{how="bookmark"`, `pgjay_rewrite_offset_pages_total{how="index"`}},
	} {
		for _, beginning := range m.samples {
			sum, err := p.Metric(ctx, beginning)
			if err != nil {
				return err
			}
			*m.into += int(sum)
		}
	}
	return nil
}
