package catalog

// Command is what is done to a relation. It is a set: INSERT ... ON CONFLICT DO
// UPDATE is Insert | Update.
type Command uint8

// The commands. What COPY FROM changes is what INSERT changes.
const (
	Insert Command = 1 << iota
	Update
	Delete
	Truncate
	Refresh // a materialized view

	Copy  = Insert
	Merge = Insert | Update | Delete

	// For hazards: reading the relation may write, and an answer from it must
	// not be remembered.
	read     Command = 1 << 6
	remember Command = 1 << 7

	written = Insert | Update | Delete | Truncate | Refresh
)
