package explain

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/pgjay/pgjay/monitor/plan"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// Where the values of the parameters are not known, as they were too long to be kept,
// PostgreSQL can still say what the generic plan is: from version 16 on.

const (
	explainGeneric = "EXPLAIN (GENERIC_PLAN, VERBOSE, SETTINGS, FORMAT JSON) "
	// genericSince is the first version that knows it.
	genericSince = 16
)

// gateGeneric says why there can be no plan without values; empty: there can. version is
// the server's. Only the simple protocol takes a text with parameters that are not bound,
// and it would execute a second statement: so it must be certain that there is none.
func gateGeneric(part *sqlparse.Part, version string) string {
	switch {
	case part == nil:
		return "its parameters were too long to be kept, and its text cannot be read for sure"
	case majorVersion(version) < genericSince:
		return "its parameters were too long to be kept, and PostgreSQL plans nothing without them before version 16"
	}
	return ""
}

// majorVersion is the number that a server_version begins with.
func majorVersion(version string) int {
	end := strings.IndexFunc(version, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(version)
	}
	n, _ := strconv.Atoi(version[:end]) // 0: it is not known
	return n
}

// explainUnbound keeps the generic plan. Nothing is executed.
func (x *explanation) explainUnbound(ctx context.Context, part *sqlparse.Part) error {
	if x.stop(SkipParameters, gateGeneric(part, x.conn.ParameterStatus("server_version"))) {
		return nil
	}
	p, err := x.askGeneric(ctx)
	if err != nil {
		return err
	}
	x.result.Plan = p
	x.stop(SkipParameters, "its parameters were too long to be kept: this is the generic plan")
	x.factsOf(ctx, p)
	x.tables = tablesOf(ctx, x.conn, p)
	_ = x.checkExpressions(ctx, p) // of what was not asked no index is advised
	return nil
}

func (x *explanation) askGeneric(ctx context.Context) (*plan.Plan, error) {
	results, err := x.conn.Exec(ctx, explainGeneric+string(x.Text)).ReadAll()
	if err != nil {
		return nil, err
	}
	if len(results) != 1 || len(results[0].Rows) != 1 {
		return nil, errors.New("EXPLAIN has returned something else than a plan")
	}
	x.raw = results[0].Rows[0][0]
	return plan.Parse(x.raw)
}
