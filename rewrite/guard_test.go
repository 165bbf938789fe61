package rewrite

import (
	"strings"
	"testing"
)

// Each script is what happens to a guard, and the state that it must be in then.
func TestGuard(t *testing.T) {
	type step struct {
		do   func(*Guard, *histogram)
		want State
		why  string
	}
	admit := func(terms Terms, ratio float64) func(*Guard, *histogram) {
		return func(g *Guard, _ *histogram) { g.Admit(terms, ratio) }
	}
	compared := func(n int) func(*Guard, *histogram) {
		return func(g *Guard, _ *histogram) {
			for range n {
				g.Compared()
			}
		}
	}
	ran := func(was, is int64) func(*Guard, *histogram) {
		return func(g *Guard, original *histogram) {
			for range enough {
				original.add(was)
			}
			for range enough {
				g.Ran(is, original)
			}
		}
	}
	trip := func(g *Guard, _ *histogram) { g.Trip("it failed") }
	reset := func(g *Guard, _ *histogram) { g.Reset() }
	withdraw := func(g *Guard, _ *histogram) { g.Withdraw("the schema has changed") }
	const ms = 1_000_000
	on, shadowed := Terms{Limit: On}, Terms{Limit: On, Shadow: true}
	for name, script := range map[string][]step{
		"begins off":                  {{func(*Guard, *histogram) {}, Off, ""}},
		"cheap":                       {{admit(on, 2), On, "times as cheap"}},
		"not much cheaper":            {{admit(on, 1.5), Canary, "a trial"}},
		"a little more expensive":     {{admit(on, 0.9), Canary, "a trial"}},
		"expensive":                   {{admit(on, 0.8), Off, "costs 1.2 times"}},
		"expensive, and blind":        {{admit(Terms{Limit: On, Blind: true}, 0.5), Canary, "a trial"}},
		"not as cheap as asked":       {{admit(Terms{Limit: On, Least: 5}, 4), Off, "cost_ratio"}, {admit(Terms{Limit: On, Least: 5}, 5), On, ""}},
		"expensive, and forced":       {{admit(Terms{Limit: On, Force: true}, 0.5), On, "forced"}},
		"forced no further":           {{admit(Terms{Limit: Shadow, Force: true}, 5), Shadow, ""}},
		"switched off":                {{admit(Terms{}, 100), Off, "switched off"}},
		"limited to the shadow":       {{admit(Terms{Limit: Shadow}, 100), Shadow, ""}, {compared(10), Shadow, "comparisons were equal"}},
		"limited to a trial":          {{admit(Terms{Limit: Canary}, 100), Canary, ""}, {ran(10*ms, ms), Canary, ""}},
		"out of the shadow":           {{admit(shadowed, 3), Shadow, "0 of 3"}, {compared(2), Shadow, "2 comparisons"}, {compared(1), On, ""}},
		"out of the shadow, on trial": {{admit(shadowed, 1), Shadow, ""}, {compared(3), Canary, ""}, {ran(10*ms, 9*ms), On, "the trial"}},
		"compared once is enough":     {{admit(shadowed, 3), Shadow, ""}, {compared(3), On, ""}, {withdraw, Off, "schema"}, {admit(shadowed, 3), On, ""}},
		"a trial that is won":         {{admit(on, 1), Canary, ""}, {ran(10*ms, 10*ms), On, "the trial"}},
		"a trial that is lost":        {{admit(on, 1), Canary, ""}, {ran(10*ms, 12*ms), Tripped, "take more than"}},
		"on, and slower":              {{admit(on, 9), On, ""}, {ran(10*ms, 12*ms), Tripped, ""}},
		"on, and not much slower":     {{admit(on, 9), On, ""}, {ran(10*ms, 10*ms+ms/2), On, ""}},
		"forced, and slower":          {{admit(Terms{Limit: On, Force: true}, 1), On, ""}, {ran(ms, 10*ms), On, ""}},
		"trips in the shadow":         {{admit(shadowed, 3), Shadow, ""}, {trip, Tripped, "failed"}},
		"trips on trial":              {{admit(on, 1), Canary, ""}, {trip, Tripped, ""}},
		"trips when it is on":         {{admit(on, 3), On, ""}, {trip, Tripped, ""}},
		"cannot trip when it is off":  {{trip, Off, ""}},
		"stays tripped":               {{admit(on, 3), On, ""}, {trip, Tripped, ""}, {admit(on, 100), Tripped, "failed"}, {compared(9), Tripped, ""}, {ran(10*ms, ms), Tripped, ""}, {withdraw, Tripped, "failed"}},
		"is reset":                    {{admit(shadowed, 3), Shadow, ""}, {compared(3), On, ""}, {trip, Tripped, ""}, {reset, Off, "reset"}, {admit(shadowed, 3), Shadow, "0 of 3"}},
		"keeps its rank":              {{admit(on, 1), Canary, ""}, {ran(10*ms, ms), On, ""}, {admit(on, 1), On, ""}},
		"goes back with its limit":    {{admit(on, 3), On, ""}, {admit(Terms{Limit: Canary}, 3), Canary, "does not allow"}, {admit(Terms{Limit: Shadow}, 3), Shadow, ""}},
		"too few samples":             {{admit(on, 1), Canary, ""}, {func(g *Guard, h *histogram) { h.add(1); g.Ran(100*ms, h) }, Canary, ""}},
	} {
		s := NewShape("", "", "")
		g := s.guard("rule")
		for i, step := range script {
			step.do(g, &s.original)
			if state, why := g.State(); state != step.want || !strings.Contains(why, step.why) {
				t.Errorf("%s: after step %d it is %s (%s), want %s (%s)", name, i+1, state, why, step.want, step.why)
			}
		}
	}
}

func TestGuardsDoorIsClosed(t *testing.T) {
	for from := Off; from <= Tripped; from++ {
		for to := Off; to <= Tripped; to++ {
			s := NewShape("", "", "")
			g := s.guard("rule")
			g.state = from
			before := s.Version()
			panics := func() (yes bool) {
				defer func() { yes = recover() != nil }()
				g.setState(to, "")
				return false
			}()
			open := from == to
			for _, legal := range legal[from] {
				open = open || legal == to
			}
			if panics == open {
				t.Errorf("from %s to %s: panics %v", from, to, panics)
			}
			if changed := s.Version() != before; changed != (open && from != to) {
				t.Errorf("from %s to %s: plans are told: %v", from, to, changed)
			}
		}
	}
}

func TestHistogram(t *testing.T) {
	var h histogram
	if h.median() != 0 {
		t.Error("an empty one has a median")
	}
	for i := range int64(1001) {
		h.add(1_000_000 + i*1000)
	}
	if m := h.median(); m < 1_450_000 || m > 1_550_000 {
		t.Errorf("the median is %d", m)
	}
	h.add(1 << 60)
	h.add(-1)
	if h.count() != 1003 {
		t.Errorf("it has %d", h.count())
	}
	h.reset()
	if h.count() != 0 || h.median() != 0 {
		t.Error("it is not empty")
	}
}
