// Package explain finds out why statements were slow: it takes slow ones, has
// PostgreSQL explain them on a connection of its own, and keeps plans, findings and
// advice. Nothing here runs on an event loop, and no client ever waits for it.
package explain

import (
	"time"

	"github.com/pgjay/pgjay/monitor/digest"
	"github.com/pgjay/pgjay/monitor/plan"
	"github.com/pgjay/pgjay/pool"
)

// Mode says how far an explanation goes.
type Mode string

// The modes.
const (
	Off     Mode = "off"     // nothing is explained
	Plan    Mode = "plan"    // EXPLAIN: nothing is executed
	Analyze Mode = "analyze" // EXPLAIN ANALYZE where all gates let it through, else EXPLAIN
)

// Request is a slow statement, as its client has run it.
type Request struct {
	Shape *digest.Shape
	Key   pool.Key // as whom to log in
	// Settings are those of the session in which it differs from a new one, in the
	// order in which they are to be set.
	Settings []pool.Setting
	Text     []byte   // nil: it was not kept
	Types    []uint32 // of the parameters, as in Parse
	Formats  []int16  // as in Bind
	Values   [][]byte // as in Bind; nil is NULL
	// Unknown is set when the values were too long to be kept.
	Unknown  bool
	Observed time.Duration
	// Told is its plan, if PostgreSQL has told it by itself; nil: it is to be asked.
	Told Told
	// Note says why it must not be executed; empty: the gates decide.
	Note string
	// Unlike says why a session of PgJay's own cannot be like the client's was, so that it
	// must not even be planned; empty: it can.
	Unlike string
}

// Result is an explained statement. It is never changed.
type Result struct {
	Number         uint64 // from 1 on, in the order of explanation
	At             time.Time
	Shape          digest.ID
	Text           string // without literals
	Database, User string
	Observed       time.Duration // that made it be explained
	// Plan is what PostgreSQL said; nil: it said an error.
	Plan     *plan.Plan
	Findings []plan.Finding
	// Told is set when the plan is the one that was executed for the client.
	Told bool
	// Reason says why it was not executed (EXPLAIN without ANALYZE), or why there is no
	// plan, or where it comes from; empty where it was executed for the plan.
	Reason string
	Skip   Skip // the same as a label; empty where it was, and where Told
	// GenericCost is the cost without the values of parameters; 0: not known.
	GenericCost float64
	Flipped     bool // the statement had another plan the last time
	size        int  // of all this in memory, in bytes
}

// setSize notes how much memory the result takes.
func (r *Result) setSize() {
	r.size = len(r.Text) + len(r.Reason)
	for _, f := range r.Findings {
		r.size += len(f.Check) + len(f.Message)
	}
	if r.Plan != nil {
		r.size += r.Plan.Size()
	}
}
