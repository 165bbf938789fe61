package advice

// Thresholds says from when on what applications do is worth a word. Shares are from 0
// to 1.
type Thresholds struct {
	// Streaks is how many rows of equal statements (n+1, repeated) it takes.
	Streaks int `yaml:"streaks"`
	// Rows is how many rows a statement without a LIMIT returns on average.
	Rows int `yaml:"rows"`
	// WideRowBytes is the size of a row of SELECT * on average.
	WideRowBytes int `yaml:"wide_row_bytes"`
	// LiteralShare is the share of a statement's calls that had their values in the text.
	LiteralShare float64 `yaml:"literal_share"`
	// ConflictShare is the share that ended in a serialization failure or a deadlock.
	ConflictShare float64 `yaml:"conflict_share"`
	// StormConflicts is how many of these in ten seconds are a storm: tries that fail again.
	StormConflicts int `yaml:"storm_conflicts"`
	// LockSeconds is how long an advisory lock of a session is held that is told of.
	LockSeconds float64 `yaml:"lock_seconds"`
	// IdleShare is the part of the time of transactions in which their client did nothing.
	IdleShare float64 `yaml:"idle_share"`
	// TransactionExchanges is how many exchanges a transaction has on average.
	TransactionExchanges int `yaml:"transaction_exchanges"`
	// LoginTransactions is below how many transactions a client logs in for too few.
	LoginTransactions int `yaml:"login_transactions"`
	// EvictedShare is the part of the statements prepared on backends that had to go.
	EvictedShare float64 `yaml:"evicted_share"`
	// Cases is how many calls, transactions, logins or rows make a share mean something.
	Cases int `yaml:"cases"`
}

// DefaultThresholds returns the built-in ones.
func DefaultThresholds() Thresholds {
	return Thresholds{
		Streaks: 3, Rows: 10_000, WideRowBytes: 2000, LiteralShare: 0.9, ConflictShare: 0.05, StormConflicts: 100, LockSeconds: 60,
		IdleShare: 0.5, TransactionExchanges: 50, LoginTransactions: 5, EvictedShare: 0.5, Cases: 100,
	}
}
