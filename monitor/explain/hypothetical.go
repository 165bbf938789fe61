package explain

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgjay/pgjay/monitor/advice"
	"github.com/pgjay/pgjay/monitor/plan"
)

// HypoPG, where the database has it, makes indexes that only the planner sees, in this
// session alone.

// trial is what came of one.
type trial struct {
	before, after float64 // cost
	used          bool
}

const (
	// worthwhile is what part of the cost an index must take away, worthwhileCost the
	// cost from which on it matters.
	worthwhile     = 0.5
	worthwhileCost = 100
	maxTrials      = 5
)

// proveIndexes asks the server what it thinks of the indexes that are proposed.
func (x *explanation) proveIndexes(ctx context.Context) error {
	if len(advice.Propose(x.result.Plan, x.tables, advice.DefaultLimits())) == 0 {
		return nil
	}
	if err := x.beginAgain(ctx); err != nil { // executing it may have failed, and with it the transaction
		return err
	}
	if err := x.checkExpressions(ctx, x.result.Plan); err != nil {
		return err
	}
	return x.tryIndexes(ctx)
}

// tryIndexes has the planner try them.
func (x *explanation) tryIndexes(ctx context.Context) error {
	x.tried = make(map[string]trial)
	candidates := advice.Propose(x.result.Plan, x.tables, advice.DefaultLimits())
	schema, err := hypopg(ctx, x.conn)
	if err != nil || schema == "" {
		return err
	}
	before, err := x.cost(ctx)
	if err != nil {
		return err
	}
	for i := range candidates[:min(len(candidates), maxTrials)] {
		c := &candidates[i]
		if c.Method == "gin" || !c.Complete() || c.Unfit() != "" { // HypoPG knows no GIN
			continue
		}
		if err := x.try(ctx, schema, c, before); err != nil {
			return err
		}
	}
	return nil
}

// hypopg returns the schema of the extension's functions, quoted; empty: it is not there.
func hypopg(ctx context.Context, conn *pgconn.PgConn) (string, error) {
	r := conn.ExecParams(ctx, `SELECT pg_catalog.quote_ident(n.nspname) FROM pg_catalog.pg_extension e, pg_catalog.pg_namespace n
		WHERE n.oid OPERATOR(pg_catalog.=) e.extnamespace AND e.extname OPERATOR(pg_catalog.=) 'hypopg'`, nil, nil, nil, nil).Read()
	if r.Err != nil || len(r.Rows) == 0 {
		return "", r.Err
	}
	return string(r.Rows[0][0]), nil
}

func (x *explanation) try(ctx context.Context, schema string, c *advice.Candidate, before float64) error {
	defer func() { _, _ = x.conn.Exec(ctx, "SELECT "+schema+".hypopg_reset()").ReadAll() }() // if it fails, so does tidy
	names := make(map[string]bool)
	for _, t := range x.tables {
		if t == nil || t != c.Table && (t.Whole == nil || c.Table.Whole == nil || t.Whole.String() != c.Table.Whole.String()) {
			continue
		}
		made := x.conn.ExecParams(ctx, "SELECT indexname FROM "+schema+".hypopg_create_index($1)", [][]byte{[]byte(c.DefinitionOn(t))}, nil, nil, nil).Read()
		if made.Err != nil || len(made.Rows) != 1 {
			return made.Err
		}
		names[strings.Trim(string(made.Rows[0][0]), `<>`)] = true
	}
	p, err := x.plan(ctx)
	if err != nil {
		return err
	}
	t := trial{before: before, after: p.Root.TotalCost}
	for n := range p.Nodes() {
		t.used = t.used || n.Index != "" && names[strings.Trim(n.Index, `<>`)]
	}
	x.tried[c.Definition()] = t
	return nil
}

// plan has the statement planned once more.
func (x *explanation) plan(ctx context.Context) (*plan.Plan, error) {
	kept := x.raw
	defer func() { x.raw = kept }()
	return x.ask(ctx, explainPlan)
}

func (x *explanation) cost(ctx context.Context) (float64, error) {
	p, err := x.plan(ctx)
	if err != nil {
		return 0, err
	}
	return p.Root.TotalCost, nil
}

// state says what a trial has shown.
func (t trial) state() advice.State {
	if t.used && t.before >= worthwhileCost && t.after <= worthwhile*t.before {
		return advice.Verified
	}
	return advice.Refuted
}
