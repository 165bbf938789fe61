package rewrite

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

// State is how far a rule may go with the statements of one shape.
type State uint8

// The states.
const (
	// Off: it does nothing.
	Off State = iota
	// Shadow: its statement is run besides the client's at times, and compared.
	Shadow
	// Canary: a few of the client's statements are rewritten.
	Canary
	// On: nearly all are.
	On
	// Tripped: it gave another answer, failed, or was slower. That stays until
	// somebody resets it.
	Tripped
)

func (s State) String() string { return [...]string{"off", "shadow", "canary", "on", "tripped"}[s] }

// legal lists where each state may go.
var legal = [...][]State{
	Off:     {Shadow, Canary, On},
	Shadow:  {Off, Canary, On, Tripped},
	Canary:  {Off, Shadow, On, Tripped},
	On:      {Off, Shadow, Canary, Tripped},
	Tripped: {Off},
}

// What the guard goes by.
const (
	// acceptRatio is how much cheaper PostgreSQL must think the new statement is so
	// that it is used without a trial.
	acceptRatio = 2.0
	// refuseRatio: so much more expensive it is not even tried.
	refuseRatio = 1.2
	// slower is how the times of the new statement may compare to the old one's.
	slower = 1.1
	// enough samples of both say something.
	enough = 20
	// comparisons that were equal end the shadow.
	comparisons = 3
	// keepOriginal: one statement in this many stays as it is where a rule is on.
	keepOriginal = 64
	// canaryShare: one in this many is rewritten where it is a canary.
	canaryShare = 20
	// compareShare: one in this many is compared, after the first ones.
	compareShare = 256
	// compareSoon: one in this many, until it was compared often enough.
	compareSoon = 16
)

// Guard decides whether one rule acts on the statements of one shape of one role. Any
// number of goroutines may use it.
type Guard struct {
	rule string

	mu       sync.Mutex
	state    State   // guarded by mu
	why      string  // guarded by mu
	limit    State   // guarded by mu; the configuration's
	blind    bool    // guarded by mu; costs do not count
	ratio    float64 // guarded by mu; of the costs, old to new; 0: not known
	compared int     // guarded by mu; equal ones
	form     string  // guarded by mu; what the rule makes of the statement, without literals
	changes  *atomic.Uint64

	times histogram // of the new statement
	used  atomic.Uint64
	saved atomic.Int64 // ns
}

// setState is the one door between states. The caller holds mu.
func (g *Guard) setState(to State, why string) {
	if g.state == to {
		g.why = why
		return
	}
	if !slices.Contains(legal[g.state], to) {
		panic(fmt.Sprintf("rewrite: illegal change of a guard from %s to %s", g.state, to))
	}
	g.state, g.why = to, why
	g.changes.Add(1)
}

// State returns the state and the sentence about it.
func (g *Guard) State() (State, string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.state, g.why
}

// Terms are what a rule's guard begins with.
type Terms struct {
	// Limit is how far the rule may go: what the configuration says.
	Limit State
	// Shadow has it compared before it acts.
	Shadow bool
	// Blind is set where PostgreSQL's costs say nothing about the gain.
	Blind bool
	// Force lets it act whatever it costs: for tests.
	Force bool
}

// Admit is called when the rule is found to apply, with what PostgreSQL thinks of both
// statements. The decision, in order:
//
//  1. what has tripped stays so;
//  2. no further than the configuration allows;
//  3. where it is forced it is on;
//  4. what is more expensive is not tried, unless costs do not count;
//  5. a rule that begins in the shadow goes there until it was compared;
//  6. what is twice as cheap is on, and between there is a trial.
func (g *Guard) Admit(t Terms, ratio float64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.limit, g.blind, g.ratio = t.Limit, t.Blind, ratio
	switch {
	case g.state == Tripped:
	case t.Limit == Off:
		g.setState(Off, "it is switched off")
	case t.Force && t.Limit == On:
		g.setState(On, "it is forced")
	case !t.Blind && ratio*refuseRatio < 1:
		g.setState(Off, fmt.Sprintf("PostgreSQL thinks that it costs %.1f times as much", 1/ratio))
	case t.Limit == Shadow || t.Shadow && g.compared < comparisons:
		g.setState(Shadow, fmt.Sprintf("%d of %d comparisons were equal so far", g.compared, comparisons))
	case g.state == Canary || g.state == On: // its times decide
		g.cap()
	default:
		g.rise()
	}
}

// rise leaves the shadow, or begins. The caller holds mu.
func (g *Guard) rise() {
	if g.ratio >= acceptRatio {
		g.setState(min(On, g.limit), fmt.Sprintf("PostgreSQL thinks that it is %.3g times as cheap", g.ratio))
		return
	}
	g.setState(min(Canary, g.limit), fmt.Sprintf("a trial: PostgreSQL thinks that it is %.3g times as cheap", g.ratio))
}

// cap goes back to what the configuration allows. The caller holds mu.
func (g *Guard) cap() {
	if g.state > g.limit {
		g.setState(g.limit, "the configuration does not allow more")
	}
}

// Withdraw is called when the rule does not apply any more.
func (g *Guard) Withdraw(why string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.state != Tripped {
		g.setState(Off, why)
	}
}

// Trip stops the rule for the shape.
func (g *Guard) Trip(why string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.state != Off && g.state != Tripped {
		g.setState(Tripped, why)
	}
}

// Reset forgets that it has tripped, and what was measured.
func (g *Guard) Reset() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.state == Tripped {
		g.compared = 0
		g.times.reset()
		g.setState(Off, "it was reset")
	}
}

// Compared notes a comparison that was equal.
func (g *Guard) Compared() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.compared++
	if g.state != Shadow {
		return
	}
	if g.compared >= comparisons && g.limit > Shadow {
		g.rise()
		return
	}
	g.why = fmt.Sprintf("%d comparisons were equal", g.compared)
}

// Ran notes how long a rewritten statement took, and what the original takes, and
// decides about the rule at times.
func (g *Guard) Ran(ns int64, original *histogram) {
	n := g.times.add(ns)
	g.used.Add(1)
	if n%enough != 0 || original.count() < enough {
		return
	}
	was, is := original.median(), g.times.median()
	g.saved.Add((was - is) * enough)
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.state != Canary && g.state != On:
	case float64(is) > slower*float64(was):
		if g.why != "it is forced" {
			g.setState(Tripped, fmt.Sprintf("half of the statements take more than %s, and %s as they were", short(is), short(was)))
		}
	case g.state == Canary && g.limit == On:
		g.setState(On, fmt.Sprintf("the trial: half of the statements take more than %s, and %s as they were", short(is), short(was)))
	}
}
