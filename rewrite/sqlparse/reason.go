package sqlparse

import "math/bits"

// Reason says why a session must keep its backend after a statement. A greater
// reason replaces a smaller one: the first ones are those that a caller may
// know how to do without.
type Reason uint8

const (
	// ReasonNone: it need not.
	ReasonNone Reason = iota
	// ReasonSequence: currval or lastval. Classify does not say so of what these
	// depend on: see Class.Advances.
	ReasonSequence
	// ReasonBackendPID: the client asked for the process ID of its backend.
	ReasonBackendPID
	// ReasonFunction: a function that is not known to leave nothing behind.
	ReasonFunction
	// ReasonUnknownCommand: a command that is not in our list.
	ReasonUnknownCommand
	// ReasonUnparsed: what the text does depends on how it is read, or we
	// cannot read it.
	ReasonUnparsed
	// ReasonEncoding: the client's encoding makes texts unreadable. Classify
	// never says so: see Readable.
	ReasonEncoding
	// ReasonTooLong: a text too long to be looked at. Classify never says so.
	ReasonTooLong
	// ReasonSetting: SET, RESET or set_config.
	ReasonSetting
	// ReasonAnySetting: the same, of a setting whose name cannot be read in the
	// text. PostgreSQL lists no settings of applications: who does not know the
	// name cannot ask for it.
	ReasonAnySetting
	// ReasonDiscard: DISCARD.
	ReasonDiscard
	// ReasonPrepared: PREPARE, EXECUTE, DEALLOCATE of a name, or the view of
	// prepared statements.
	ReasonPrepared
	// ReasonSeed: setseed.
	ReasonSeed
	// ReasonListen: LISTEN, UNLISTEN.
	ReasonListen
	// ReasonCursor: DECLARE ... WITH HOLD.
	ReasonCursor
	// ReasonAdvisoryLock: an advisory lock that is held beyond its transaction.
	ReasonAdvisoryLock
	// ReasonTemporary: a temporary object.
	ReasonTemporary
	// ReasonReplication: a replication origin, a replication slot or an online
	// backup of this session.
	ReasonReplication
	// ReasonLoad: LOAD.
	ReasonLoad
	// ReasonDo: DO.
	ReasonDo
	// ReasonCall: CALL.
	ReasonCall
	// ReasonStartup: start-up parameters that cannot be set later. Classify
	// never says so.
	ReasonStartup
	// ReasonNewBackend: the session would see that its backend is not a new one.
	// Classify never says so.
	ReasonNewBackend

	reasonCount
)

var reasons = [reasonCount]struct{ label, sentence string }{
	ReasonNone:           {"none", "nothing is left behind"},
	ReasonSequence:       {"sequence", "currval and lastval depend on this session"},
	ReasonBackendPID:     {"backend_pid", "the client asked for the process ID of its backend"},
	ReasonFunction:       {"function", "a function may have left session state behind"},
	ReasonUnknownCommand: {"unknown_command", "a command that PgJay does not know"},
	ReasonUnparsed:       {"unparsed", "a text that PgJay cannot read for sure"},
	ReasonEncoding:       {"encoding", "texts in the client's encoding cannot be read for sure"},
	ReasonTooLong:        {"too_long", "a text too long to be looked at"},
	ReasonSetting:        {"setting", "a setting was changed"},
	ReasonAnySetting:     {"any_setting", "a setting was changed whose name is not in the text"},
	ReasonDiscard:        {"discard", "DISCARD was used"},
	ReasonPrepared:       {"prepared", "a prepared statement has a name"},
	ReasonSeed:           {"random_seed", "the seed of random() was set"},
	ReasonListen:         {"listen", "LISTEN or UNLISTEN was used"},
	ReasonCursor:         {"cursor", "a cursor WITH HOLD was declared"},
	ReasonAdvisoryLock:   {"advisory_lock", "an advisory lock may be held beyond its transaction"},
	ReasonTemporary:      {"temporary", "a temporary object may have been created"},
	ReasonReplication:    {"replication", "a replication origin, slot or backup belongs to this session"},
	ReasonLoad:           {"load", "a library was loaded"},
	ReasonDo:             {"do", "DO may have left session state behind"},
	ReasonCall:           {"call", "CALL may have left session state behind"},
	ReasonStartup:        {"startup", "a start-up parameter cannot be set later"},
	ReasonNewBackend:     {"new_backend", "it makes a difference that others have had the backend"},
}

// Reasons is a set of reasons.
type Reasons uint32

// Set returns the set that has this reason only; that of ReasonNone is empty.
func (r Reason) Set() Reasons { return 1 << r &^ 1 }

// Has reports whether the reason is in the set.
func (s Reasons) Has(r Reason) bool { return s&r.Set() != 0 }

// First returns the least reason in the set, ReasonNone if there is none.
func (s Reasons) First() Reason {
	if s == 0 {
		return ReasonNone
	}
	return Reason(bits.TrailingZeros32(uint32(s)))
}

// loose reports whether a statement with this reason may leave something behind
// although it fails.
func (r Reason) loose() bool {
	switch r {
	case ReasonFunction, ReasonUnknownCommand, ReasonUnparsed, ReasonReplication:
		return true
	}
	return false
}

// Outlast reports whether what a statement with these reasons may have left in
// its backend outlasts DISCARD ALL: such a backend is not for another client.
func (s Reasons) Outlast() bool {
	return s&(ReasonSeed.Set()|ReasonReplication.Set()|ReasonLoad.Set()) != 0
}

// loading are the reasons of statements that may load a library into the backend.
const loading = Reasons(1<<ReasonFunction | 1<<ReasonUnknownCommand | 1<<ReasonUnparsed | 1<<ReasonLoad | 1<<ReasonDo | 1<<ReasonCall)

// Label returns the reason as a metrics label.
func (r Reason) Label() string { return reasons[r].label }

// String returns the reason as it is told in logs: the end of a sentence that
// begins with "the session keeps its backend: ".
func (r Reason) String() string { return reasons[r].sentence }
