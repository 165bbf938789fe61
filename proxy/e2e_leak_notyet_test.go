package proxy_test

import (
	"slices"
	"testing"
)

// limit is a state that is known to leak, or to be lost by the client that made
// it: it is named in the README's limits or in docs/status.md.
type limit struct {
	leakState
	reason string
}

// TestLimitsOfLeaks proves that each of the limits is one: as soon as one of them
// does not leak any more, it belongs to leakStates.
func TestLimitsOfLeaks(t *testing.T) {
	prepareForLeaks(t)
	l := newLane(t, "postgres", "leak_limits")
	for _, limit := range notYet {
		t.Run(limit.name, func(t *testing.T) {
			if !l.leaks(t, limit.leakState) {
				t.Errorf("it leaks no more, although %s: let it be one of leakStates", limit.reason)
			}
		})
	}
}

// leaks reports whether any of some ways to leave shows a difference.
func (l *lane) leaks(t *testing.T, s leakState) bool {
	t.Helper()
	s = l.complete(s)
	want := l.twin(t, s)
	return slices.ContainsFunc(partings[:2], func(p parting) bool {
		defer l.terminate(t) // what is left there is not for the next one
		return l.leak(t, s, want, p) != ""
	})
}

const unremovable = "nothing but the end of a backend takes it away"

var notYet = []limit{
	{leakState{name: "setting of an application, reset", steps: sql("set app.x = 'left'"), probe: "select current_setting('app.x', true) is null"}, unremovable},
	{leakState{name: "local setting of an application", steps: sql("begin; set local app.x = 'left'; commit"), probe: "select current_setting('app.x', true) is null"}, unremovable},
	{leakState{name: "schema of temporary objects", steps: sql("create temp table left_behind (id int)"), probe: "select pg_my_temp_schema() = 0"}, unremovable},
}
