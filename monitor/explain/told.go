package explain

import (
	"context"
	"log/slog"
	"time"

	"github.com/pgjay/pgjay/monitor/digest"
	"github.com/pgjay/pgjay/monitor/plan"
)

// Plans that PostgreSQL has told by itself are those that were executed: also of what may
// not be executed twice, and where it took a generic plan. They wait in a queue of their
// own, as nothing is asked twice; what the statistics say of the tables is asked all the same.

// Told is a plan as auto_explain tells it. It has literals.
type Told []byte

// WantsTold reports whether the plan of a statement of this shape that took so long would
// be taken: a session asks before it copies it. It locks for a moment.
func (e *Explainer) WantsTold(sh *digest.Shape, took time.Duration) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.cfg.Told.tells() && e.told.skips(sh.ID(), took, time.Now()) == ""
}

// OfferTold queues a statement whose plan was told. Nobody need ask for it any more, unless
// it says less than what is asked for.
func (e *Explainer) OfferTold(r *Request) {
	e.mu.Lock()
	e.counts.Offered++
	if e.told.put(r) {
		e.counts.Skips[SkipQueue]++
	}
	if e.cfg.toldIsEnough() {
		delete(e.queue.waiting, r.Shape.ID())
		e.queue.cool(r.Shape.ID(), time.Now(), e.cfg.Cooldown)
	}
	e.mu.Unlock()
	e.wake()
}

// tells reports whether anything is to be done.
func (m Mode) tells() bool { return m != Off && m != "" }

// toldIsEnough reports whether a plan that was told says as much as one that is asked for.
func (c *Config) toldIsEnough() bool { return c.Mode != Analyze || c.Told == Analyze }

// takeTold reads the plan of a statement. What the server says of its tables is asked as
// far as that is possible: that it is not costs advice, not the plan.
func (e *Explainer) takeTold(ctx context.Context, l *links, x *explanation) error {
	p, err := plan.ParseTold(x.Told, x.Observed)
	if err != nil {
		return err
	}
	x.result.Plan, x.result.Told = p, true
	x.stop("", "auto_explain has told the plan that was executed")
	e.mu.Lock()
	connect := e.connect
	e.mu.Unlock()
	leave, err := x.attach(ctx, l, connect)
	if err != nil {
		return nil
	}
	defer leave()
	if x.begin(ctx) == nil {
		x.lookAround(ctx)
		_ = x.checkExpressions(ctx, p) // of what was not asked no index is advised
	}
	return nil
}

// Source says where the plan comes from.
func (r *Result) Source() string {
	if r.Told {
		return "auto_explain"
	}
	return "explain"
}

// logTold adds the plan of a slow statement to the log.
func (e *Explainer) logTold(r *Result) {
	list := []slog.Attr{
		slog.String("database", r.Database), slog.String("user", r.User), slog.Duration("duration", r.Observed),
		slog.String("shape", r.Shape.String()), slog.String("plan", r.Plan.ID), slog.Float64("cost", r.Plan.Root.TotalCost),
	}
	if len(r.Findings) > 0 {
		list = append(list, slog.String("finding", r.Findings[0].Check+": "+r.Findings[0].Message))
	}
	e.log.LogAttrs(context.Background(), slog.LevelWarn, "plan of a slow statement", list...)
}
