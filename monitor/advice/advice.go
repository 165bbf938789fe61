// Package advice says what to change so that statements get faster: indexes above all.
// It has no I/O: the caller brings plans, what the catalog says of the tables, and what
// became of an index when it was tried.
package advice

import "time"

// Kind is what an advice is about.
type Kind string

// The kinds.
const (
	Index     Kind = "index"           // create one
	Redundant Kind = "redundant index" // drop one: another does all that it does
	PlanFlip  Kind = "plan flip"       // a statement has another plan than before
	NPlusOne  Kind = "n+1"             // one statement again and again, with other parameters
	Repeated  Kind = "repeated"        // the same with the same parameters: the cache may take it
	Unbounded Kind = "unbounded"       // many rows without a LIMIT
	WideRows  Kind = "wide rows"       // SELECT * of much
	Literals  Kind = "literals"        // values in the text
	Conflicts Kind = "conflicts"       // serialization failures and deadlocks
	Storm     Kind = "conflict storm"
	FirstRow  Kind = "slow first row" // all rows are made before the first is sent
	Reader    Kind = "slow reader"    // the client does not take the rows

	IdleInTransaction Kind = "idle in transaction" // of a user: the client is away
	Chatty            Kind = "chatty transactions" // of many exchanges
	Churn             Kind = "connection churn"    // logins for few transactions
	LongLocks         Kind = "long advisory locks"
	Evictions         Kind = "prepared churn" // prepared statements push each other out
)

// State says how sure it is that an advice helps.
type State string

// The states.
const (
	Unverified State = "unverified" // by rules alone
	Verified   State = "verified"   // the planner would use it: HypoPG was asked
	Refuted    State = "refuted"    // the planner would not; it is not shown
	Adopted    State = "adopted"    // the index is there
)

// Advice is something to be done.
type Advice struct {
	ID             string // the same for the same advice
	Kind           Kind
	State          State
	Database, User string
	Statement      string // digest.ID of the shape that it is for; empty: of several
	Text           string // that shape
	Table          string // schema.name; empty: none
	Extension      string // what DDL needs, to be sent before it and apart from it; empty: nothing
	DDL            string // to be pasted: one statement; empty: there is none
	Why            string // the evidence, in sentences
	Cost           string // what it costs: size and writes
	// CostBefore and CostAfter are the planner's for the statement; 0: not known.
	CostBefore, CostAfter float64
	Saved                 time.Duration // in an hour at most, as far as is known; 0: not known
	First, Last           time.Time     // when the reason was seen
	Seen                  int
	// Before and After are medians of the time before an index appeared and since.
	Before, After time.Duration
}
