package cache

// Outcome is what Get found.
type Outcome uint8

// The outcomes. The first four come with an entry.
const (
	Hit      Outcome = iota // to be served
	Stale                   // to be served; its soft time is over, and somebody else refreshes it
	Refresh                 // to be served like Stale, and the caller has to refresh it
	OnError                 // to be served as PostgreSQL does not answer; only Cache.OnError finds this
	Absent                  // a miss: nothing is remembered under this key
	Expired                 // a miss: its time is over
	Moved                   // a miss: something that it depends on has changed, or is about to
	Unserved                // a miss: as Moved, and the answer has not been served once
	outcomes
)

// Served reports whether there is an entry to be served.
func (o Outcome) Served() bool { return o <= OnError }

// String is the label in metrics.
func (o Outcome) String() string {
	return [outcomes]string{"hit", "stale", "refresh", "on_error", "absent", "expired", "moved", "unserved"}[o]
}

// Reason says why an answer was neither taken from the cache nor put into it.
type Reason uint8

// The reasons. Those up to DroppedFull come from Put; the others are for who
// decides about a statement: see Shape.Refuse.
const (
	NoReason         Reason = iota
	DroppedMoved            // something that it depends on has changed meanwhile
	DroppedLarge            // longer than max_entry
	DroppedExpired          // its time was over already
	DroppedFull             // the cache could not take it at this moment
	RefusedStatement        // the statement itself, whatever the session: Shape.Why says it
	RefusedInFlight         // a change of what it reads was on its way
	RefusedReply            // the reply had a notice, an error, a COPY or was cut off
	RefusedRule             // a rule says never
	RefusedHint             // the statement says nocache
	RefusedCost             // caching this shape costs more than it saves
	RefusedWrites           // a table it reads is written too often
	reasons
)

// String is the label in metrics.
func (r Reason) String() string {
	return [reasons]string{"", "moved", "large", "expired", "full", "statement", "in_flight",
		"reply", "rule", "hint", "cost", "writes"}[r]
}
