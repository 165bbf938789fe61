package sqlparse

// Command is the kind of a statement.
type Command uint8

const (
	// CommandNone: there is no statement.
	CommandNone Command = iota
	// CommandUnknown: a command that is not in our list.
	CommandUnknown
	// CommandSelect: SELECT, TABLE, and what WITH brings to one of these.
	CommandSelect
	// CommandValues: VALUES as a statement.
	CommandValues
	CommandInsert
	CommandUpdate
	CommandDelete
	CommandMerge
	CommandCopy
	// CommandBegin: BEGIN, START TRANSACTION.
	CommandBegin
	// CommandCommit: COMMIT, END.
	CommandCommit
	// CommandRollback: ROLLBACK and ABORT of the whole transaction.
	CommandRollback
	// CommandSavepoint: SAVEPOINT, RELEASE, ROLLBACK TO.
	CommandSavepoint
	// CommandTwoPhase: PREPARE TRANSACTION, COMMIT PREPARED, ROLLBACK PREPARED.
	CommandTwoPhase
	CommandSet
	CommandReset
	CommandShow
	CommandDiscard
	CommandPrepare
	CommandExecute
	CommandDeallocate
	CommandListen
	CommandUnlisten
	CommandNotify
	CommandDeclare
	// CommandFetch: FETCH, MOVE.
	CommandFetch
	CommandClose
	CommandLoad
	CommandDo
	CommandCall
	CommandExplain
	// CommandDDL: what changes the schema, rights, roles.
	CommandDDL
	// CommandUtility: VACUUM, ANALYZE, LOCK and other commands on data.
	CommandUtility

	commandCount
)

const (
	labelUtility     = "utility"
	labelTransaction = "tx"
)

var commands = [commandCount]struct{ name, label string }{
	CommandNone:       {"none", labelUtility},
	CommandUnknown:    {"unknown", labelUtility},
	CommandSelect:     {"select", "select"},
	CommandValues:     {"values", "select"},
	CommandInsert:     {"insert", "insert"},
	CommandUpdate:     {"update", "update"},
	CommandDelete:     {"delete", "delete"},
	CommandMerge:      {"merge", "merge"},
	CommandCopy:       {"copy", "copy"},
	CommandBegin:      {"begin", labelTransaction},
	CommandCommit:     {"commit", labelTransaction},
	CommandRollback:   {"rollback", labelTransaction},
	CommandSavepoint:  {"savepoint", labelTransaction},
	CommandTwoPhase:   {"two-phase", labelTransaction},
	CommandSet:        {"set", labelUtility},
	CommandReset:      {"reset", labelUtility},
	CommandShow:       {"show", labelUtility},
	CommandDiscard:    {"discard", labelUtility},
	CommandPrepare:    {"prepare", labelUtility},
	CommandExecute:    {"execute", labelUtility},
	CommandDeallocate: {"deallocate", labelUtility},
	CommandListen:     {"listen", labelUtility},
	CommandUnlisten:   {"unlisten", labelUtility},
	CommandNotify:     {"notify", labelUtility},
	CommandDeclare:    {"declare", labelUtility},
	CommandFetch:      {"fetch", labelUtility},
	CommandClose:      {"close", labelUtility},
	CommandLoad:       {"load", labelUtility},
	CommandDo:         {"do", labelUtility},
	CommandCall:       {"call", labelUtility},
	CommandExplain:    {"explain", labelUtility},
	CommandDDL:        {"ddl", labelUtility},
	CommandUtility:    {"utility", labelUtility},
}

// String returns the command's name.
func (c Command) String() string { return commands[c].name }

// Label returns the command as a metrics label: select, insert, update, delete,
// merge, copy, tx or utility.
func (c Command) Label() string { return commands[c].label }

// readOnly reports whether commands of this kind can be reads. Whether a
// certain text is one, only Class.ReadOnly tells: a SELECT can call a function
// that writes.
func (c Command) readOnly() bool {
	return c == CommandSelect || c == CommandValues || c == CommandShow || c == CommandExplain
}

// ignoresSettings reports whether commands of this kind do the same whatever
// the settings are.
func (c Command) ignoresSettings() bool {
	switch c {
	case CommandSet, CommandReset, CommandDiscard, CommandBegin, CommandCommit, CommandRollback, CommandSavepoint,
		CommandDeallocate, CommandListen, CommandUnlisten, CommandClose:
		return true
	}
	return false
}

// transactional reports whether PostgreSQL takes back all that commands of this
// kind have done when the connection is lost before they end.
func (c Command) transactional() bool {
	switch c {
	case CommandSelect, CommandValues, CommandInsert, CommandUpdate, CommandDelete, CommandMerge,
		CommandBegin, CommandCommit, CommandRollback, CommandSavepoint, CommandSet, CommandReset, CommandShow, CommandDiscard,
		CommandPrepare, CommandDeallocate, CommandListen, CommandUnlisten, CommandNotify, CommandDeclare, CommandFetch, CommandClose:
		return true
	}
	return false
}
