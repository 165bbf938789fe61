package explain

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/pgjay/pgjay/monitor/advice"
	"github.com/pgjay/pgjay/monitor/digest"
	"github.com/pgjay/pgjay/monitor/plan"
)

// conclude finds what there is to find in a plan.
func (e *Explainer) conclude(x *explanation) {
	r := x.result
	r.Findings = r.Plan.Find(x.cfg.Thresholds, x.facts)
	if x.Shape.Mixed() { // the plans before were of other statements, and so is what it takes
		return
	}
	var flip digest.Flip
	var flipped bool
	if !r.Told || x.cfg.toldIsEnough() { // plans of two origins may differ in how they are told
		flip, flipped = e.table.SawPlan(r.Shape, r.Plan.ID, r.Plan.Root.TotalCost)
	}
	r.Flipped = flipped
	subject := advice.Subject{Statement: r.Shape.String(), Text: r.Text, Database: r.Database, User: r.User}
	list := x.indexes(subject)
	if flipped {
		list = append(list, &entry{Advice: advice.OfFlip(subject, flip), shape: r.Shape})
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if flipped {
		e.counts.Changes[Change{r.Database, direction(flip)}]++
	}
	for _, a := range list {
		e.advices.add(a, time.Now())
	}
	for _, found := range x.redundant {
		e.advices.settle(found, time.Now())
	}
}

// direction says what the planner thinks of another plan.
func direction(f digest.Flip) string {
	switch before, after := f.Before.Cost, f.After.Cost; {
	case after > before:
		return Dearer
	case after < before:
		return Cheaper
	}
	return Same
}

// indexes returns the advice to create indexes.
func (x *explanation) indexes(s advice.Subject) (list []*entry) {
	candidates := advice.Propose(x.result.Plan, x.tables, advice.DefaultLimits())
	for i := range candidates {
		c := &candidates[i]
		a := &entry{Advice: c.Advice(s), shape: x.result.Shape, key: x.Key, index: c, start: x.ran}
		if t, tried := x.tried[c.Definition()]; tried {
			a.State, a.CostBefore, a.CostAfter = t.state(), t.before, t.after
		}
		list = append(list, a)
	}
	for _, r := range x.refers {
		if c, ok := r.Unindexed(advice.DefaultLimits()); ok {
			list = append(list, &entry{Advice: c.Advice(s), shape: x.result.Shape, key: x.Key, index: &c, start: x.ran})
		}
	}
	return list
}

// askTable asks what the statistics say of a table.
const askTable = `SELECT pg_catalog.pg_stat_get_live_tuples(c.oid), pg_catalog.pg_stat_get_mod_since_analyze(c.oid),
	coalesce(extract(epoch FROM pg_catalog.now() OPERATOR(pg_catalog.-) greatest(pg_catalog.pg_stat_get_last_analyze_time(c.oid), pg_catalog.pg_stat_get_last_autoanalyze_time(c.oid))) OPERATOR(pg_catalog./) 86400, -1)
	FROM pg_catalog.pg_class c, pg_catalog.pg_namespace n
	WHERE n.oid OPERATOR(pg_catalog.=) c.relnamespace AND n.nspname OPERATOR(pg_catalog.=) $1 AND c.relname OPERATOR(pg_catalog.=) $2`

// factsOf asks about the tables of a plan. What cannot be asked is not known.
func (x *explanation) factsOf(ctx context.Context, p *plan.Plan) {
	x.facts.Tables = make(map[string]plan.TableFacts)
	for n := range p.Nodes() {
		if n.Name == "" || n.Schema == "" || strings.HasPrefix(n.Schema, "pg_") {
			continue
		}
		if _, known := x.facts.Tables[n.Table()]; known {
			continue
		}
		r := x.conn.ExecParams(ctx, askTable, [][]byte{[]byte(n.Schema), []byte(n.Name)}, nil, nil, nil).Read()
		if r.Err != nil {
			return
		}
		for _, row := range r.Rows {
			x.facts.Tables[n.Table()] = plan.TableFacts{Rows: number(row[0]), Modified: number(row[1]), SinceAnalyze: number(row[2])}
		}
	}
}

func number(text []byte) float64 {
	f, _ := strconv.ParseFloat(string(text), 64) // nothing but a number comes here, or NULL
	return f
}
