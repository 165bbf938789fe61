package explain

import (
	"context"
	"time"

	"github.com/pgjay/pgjay/monitor/advice"
	"github.com/pgjay/pgjay/pool"
)

// revisitEvery is how often it is looked whether indexes that are advised are there.
const revisitEvery = 5 * time.Minute

// revisit looks whether indexes that are advised have been created, and those that are not needed dropped. What cannot be asked
// is asked the next time.
func (e *Explainer) revisit(ctx context.Context, l *links) {
	e.mu.Lock()
	open, connect := e.advices.open(), e.connect
	e.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	defer l.releaseAll(ctx)
	e.lookAgain(ctx, l)
	without := make(map[pool.Key]bool)
	for _, a := range open {
		if without[a.key] {
			continue
		}
		conn, err := l.get(ctx, a.key, connect)
		if err != nil {
			without[a.key] = true
			continue
		}
		before, known := e.table.Find(a.shape)
		t, err := tableOf(ctx, conn, a.index.Table.Schema, a.index.Table.Name)
		if err != nil {
			l.drop(a.key)
			continue
		}
		if t == nil || !known {
			continue
		}
		now := advice.Candidate{Table: t, Node: a.index.Node, Method: a.index.Method, Keys: a.index.Keys, Include: a.index.Include, Where: a.index.Where}
		there := now.Made()
		after, _ := e.table.Find(a.shape) // forgotten just now: nothing has run since
		e.mu.Lock()
		if there {
			a.adopted(&after, time.Now())
		} else {
			a.start = before.Histogram
		}
		e.mu.Unlock()
	}
}
