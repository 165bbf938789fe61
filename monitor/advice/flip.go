package advice

import (
	"fmt"
	"time"

	"github.com/pgjay/pgjay/monitor/digest"
)

// Subject is the statement that an advice is for.
type Subject struct{ Statement, Text, Database, User string }

const (
	// flipCalls is how many executions it takes to compare two plans, flipFactor and
	// flipMargin by how much the new one must be slower to be called worse.
	flipCalls  = 20
	flipFactor = 1.5
	flipMargin = 10 * time.Millisecond
)

// OfFlip tells that a statement has another plan than before.
func OfFlip(s Subject, f digest.Flip) Advice {
	why := fmt.Sprintf("its plan was %s and is %s now; half of the calls until that one was last seen took less than %v",
		f.Before.Plan, f.After.Plan, f.Before.Histogram.Quantile(0.5).Round(time.Microsecond))
	if f.Flaps {
		why += "; it has changed three times within an hour: ANALYZE the tables more often, see CREATE STATISTICS and plan_cache_mode"
	}
	return Advice{
		ID: "flip " + s.Statement, Kind: PlanFlip, State: Unverified, Statement: s.Statement, Text: s.Text, Database: s.Database, User: s.User,
		Why: why, Before: f.Before.Histogram.Quantile(0.5),
	}
}

// Worse reports whether a statement is slower with its last plan than with the one
// before, and says by how much.
func Worse(plans []digest.PlanUse) (bool, string) {
	n := len(plans)
	if n < 2 || plans[n-1].Calls < flipCalls || plans[n-2].Calls < flipCalls {
		return false, ""
	}
	before, after := plans[n-2].Histogram.Quantile(0.95), plans[n-1].Histogram.Quantile(0.95)
	if float64(after) <= flipFactor*float64(before) || after-before < flipMargin {
		return false, ""
	}
	return true, fmt.Sprintf("with plan %s 95 %% of the calls take less than %v, with plan %s before it was %v", plans[n-1].Plan, after, plans[n-2].Plan, before)
}

// Advice is to create the index, or says why that is not possible.
func (c *Candidate) Advice(s Subject) Advice {
	a := Advice{
		ID: c.ID(s.Database), Kind: Index, State: Unverified, Statement: s.Statement, Text: s.Text, Database: s.Database, User: s.User,
		Table: c.on(), Why: c.Why,
	}
	if unfit := c.Unfit(); unfit != "" {
		a.Why += "; " + unfit
		return a
	}
	if !c.Complete() {
		a.Why += "; write its own values, as they are in its text, where ddl has " + placeholder + ": values are not kept"
	}
	if refusing := c.refusing(); refusing != "" {
		a.Why += "; " + refusing
	}
	a.Extension, a.DDL, a.Cost = c.Extension(), c.DDL(), c.Cost()
	return a
}
