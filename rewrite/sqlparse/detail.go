package sqlparse

// Detail is what a statement that the session must follow says. A value of
// text in it is right for standard_conforming_strings on.
type Detail interface{ detail() }

func (*Transaction) detail() {}
func (*Setting) detail()     {}
func (*Prepare) detail()     {}
func (*Execute) detail()     {}
func (*Deallocate) detail()  {}
func (*Channel) detail()     {}
func (*Cursor) detail()      {}
func (*Discard) detail()     {}

// TransactionKind says what a Transaction does.
type TransactionKind uint8

const (
	TransactionBegin    TransactionKind = iota // BEGIN, START TRANSACTION
	TransactionCommit                          // COMMIT, END
	TransactionRollback                        // ROLLBACK, ABORT
	TransactionSavepoint
	TransactionRelease
	TransactionRollbackTo
	TransactionPrepare // PREPARE TRANSACTION
	TransactionCommitPrepared
	TransactionRollbackPrepared
)

// Transaction is a statement that begins or ends a transaction or a part of it.
type Transaction struct {
	Kind TransactionKind
	// Name is that of the savepoint or of the prepared transaction.
	Name string
	// At is the savepoint's name in the text.
	At Span
	// Modes are those of BEGIN.
	Modes Modes
	// Chain is set for AND CHAIN.
	Chain bool
}

// Modes are the properties of a transaction, as far as they are given.
type Modes struct {
	Isolation  string // in lower case: "read committed"
	ReadOnly   Choice
	Deferrable Choice
	Snapshot   string // SET TRANSACTION SNAPSHOT
}

// Choice is yes, no, or not given.
type Choice uint8

const (
	Unset Choice = iota
	No
	Yes
)

// SettingKind says what a Setting does.
type SettingKind uint8

const (
	SettingValue    SettingKind = iota
	SettingDefault              // SET name TO DEFAULT
	SettingCurrent              // SET name FROM CURRENT
	SettingReset                // RESET name
	SettingResetAll             // RESET ALL
	// SettingTransaction is SET TRANSACTION: of the transaction that is open.
	SettingTransaction
	// SettingCharacteristics is SET SESSION CHARACTERISTICS: of all that follow.
	SettingCharacteristics
)

// Setting is SET or RESET.
type Setting struct {
	Kind SettingKind
	// Name is that of the setting: session_authorization for SET SESSION
	// AUTHORIZATION, timezone for SET TIME ZONE, and so on. The case of its
	// letters is as PostgreSQL reads it and does not matter. It is empty for
	// RESET ALL and where Modes are set.
	Name string
	// Local is set for SET LOCAL.
	Local bool
	// Values are those of SettingValue: several for a list.
	Values []string
	// Inexact is set when the value is no constant, or has a type: an
	// interval as time zone. Then Values may not have it.
	Inexact bool
	// Modes are those of SettingTransaction and SettingCharacteristics.
	Modes Modes
}

// Prepare is PREPARE of a statement.
type Prepare struct {
	Name string
	At   Span // the name in the text
	// Types is the list of types between the parentheses, empty if there is
	// none.
	Types Span
	// Body is the statement that is prepared.
	Body Span
}

// Execute is EXECUTE, also behind EXPLAIN and CREATE TABLE AS.
type Execute struct {
	Name string
	At   Span // the name in the text
	// Creates is set for CREATE TABLE AS EXECUTE.
	Creates bool
}

// Deallocate is DEALLOCATE.
type Deallocate struct {
	Name string // empty: ALL
	At   Span   // the name in the text, or ALL
}

// ChannelKind says what a Channel does.
type ChannelKind uint8

const (
	ChannelListen ChannelKind = iota
	ChannelUnlisten
	ChannelUnlistenAll
	ChannelNotify
)

// Channel is LISTEN, UNLISTEN or NOTIFY.
type Channel struct {
	Kind    ChannelKind
	Name    string
	At      Span // the name in the text, or the star
	Payload string
}

// CursorKind says what a Cursor does.
type CursorKind uint8

const (
	CursorDeclare CursorKind = iota
	CursorFetch
	CursorMove
	CursorClose
	CursorCloseAll
)

// Cursor is DECLARE, FETCH, MOVE or CLOSE.
type Cursor struct {
	Kind CursorKind
	Name string
	At   Span // the name in the text, or ALL
	// Hold is set for DECLARE ... WITH HOLD.
	Hold bool
}

// DiscardKind says what is discarded.
type DiscardKind uint8

const (
	DiscardingAll DiscardKind = iota
	DiscardingPlans
	DiscardingSequences
	DiscardingTemporary
)

// Discard is DISCARD.
type Discard struct{ Kind DiscardKind }
