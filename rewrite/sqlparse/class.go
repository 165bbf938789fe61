package sqlparse

// Class is what a text may do to the session it runs in. The zero value:
// nothing. It refers to the text while the text may not change.
type Class struct {
	// Pin says why the session must keep its backend: the greatest reason
	// that was found.
	Pin Reason
	// Pins has all reasons that were found.
	Pins Reasons
	// Releases is set when the text may take away what a session is pinned
	// for: DROP, CLOSE, UNLISTEN, DEALLOCATE, DISCARD, pg_advisory_unlock.
	Releases bool
	// Defines is set when the text may change what names mean: DDL, or code
	// that may have some.
	Defines bool
	// Drops is set when the text drops all prepared statements.
	Drops bool
	// First is the command of the first statement.
	First Command
	// Reset says whether the text puts settings back to their defaults.
	Reset ResetKind
	// ReadsReset is set when a statement stands behind one that puts a setting
	// back, and may depend on the setting.
	ReadsReset bool
	// Nulls is set when set_config may be given NULL for a value, which puts the setting
	// back to its default: ask Class.Configs.
	Nulls bool
	// ReadsState is set when the answer depends on the state of the session
	// beyond its settings: only its own backend knows.
	ReadsState bool
	// Stateful is set when a function is called that is declared to be.
	Stateful bool
	// Advances is set when the text may call nextval or setval, which decide what
	// currval and lastval say in this session, as far as it tells: the default of
	// a column does so, too.
	Advances bool
	// Sets is set when the text changes a setting, if only for the transaction, as
	// far as it tells.
	Sets bool
	// Loads is set when the text may load a library into its backend.
	Loads bool
	// ReadsSequences is set when the text may call currval or lastval.
	ReadsSequences bool
	// Locks is set when the text has FOR UPDATE, FOR SHARE or the like in it.
	Locks bool
	// CountsLogins is set when the text reads how many logins there were.
	CountsLogins bool
	// Statements is how many statements the text has. The body of an SQL
	// function in BEGIN ATOMIC ... END, and the actions of a rule in
	// parentheses, count once for each semicolon in them.
	Statements int

	writes bool // it may change something outside the session
	loose  bool // it may leave something behind although it fails
	exits  bool // the first statement is one that a failed transaction executes
	text   []byte
}

// ResetKind says which settings a text puts back to their defaults.
type ResetKind uint8

const (
	// ResetNone: no setting.
	ResetNone ResetKind = iota
	// ResetName: some; ask Class.Resets which.
	ResetName
	// ResetAll: all that RESET ALL does; it is the only statement.
	ResetAll
	// DiscardAll: DISCARD ALL is the only statement. When it succeeds nothing
	// of the session is left on the backend.
	DiscardAll
)

// Unread is the Class of a text that is too long to be looked at.
func Unread() Class {
	return Class{Pin: ReasonTooLong, Pins: ReasonTooLong.Set(), First: CommandUnknown, Statements: 1, Loads: true, writes: true, loose: true}
}

// ReadOnly reports whether the text does nothing but read, so that it may run
// twice: it is one SELECT, VALUES, SHOW or EXPLAIN without INTO, without a
// writing WITH, with no function that may change something, and with no reason
// to pin.
func (c Class) ReadOnly() bool {
	return c.Statements == 1 && c.First.readOnly() && !c.writes && c.Pin == ReasonNone
}

// EndsTransaction reports whether the text is one that PostgreSQL executes in a
// failed transaction too (postgres.c, IsTransactionExitStmt): COMMIT, PREPARE
// TRANSACTION, ROLLBACK or ROLLBACK TO.
func (c Class) EndsTransaction() bool { return c.Statements == 1 && c.exits }

// Atomic reports whether nothing of what the text does is left behind when it
// fails or its connection is lost: it is made of statements that PostgreSQL takes
// back with their transaction, without a function that is not known.
func (c Class) Atomic() bool { return !c.loose }

// Resets reports whether the setting has its default after the text and had
// not necessarily before: the last that the text does to it is RESET, SET ...
// TO DEFAULT or the like. local is set if it does so by SET LOCAL: then it has it until
// the end of the transaction. The name is compared without regard to case. The
// text is read again; it must not have changed since Classify.
func (c Class) Resets(setting string) (reset, local bool) {
	if c.Reset == ResetNone {
		return false, false
	}
	cl := classifier{scanner: scanner{text: c.text}, setting: setting}
	cl.run()
	return cl.reset, cl.resetLocal
}
