package advice

import (
	"fmt"
	"time"
)

// Usage is how a user uses a database, since the start of PgJay.
type Usage struct {
	Database, User string
	Since          time.Time
	Logins         uint64
	Transactions   uint64 // with those of one exchange
	// Of transactions of several exchanges.
	Blocks         uint64
	BlockExchanges uint64
	BlockTime      time.Duration
	BlockIdle      time.Duration // of it, without an exchange under way
	// Statements that were prepared on backends, and that had to go there.
	Prepared, Evicted uint64
	// Advisory locks of sessions that were held for LockSeconds and more, and for how long.
	LongLocks uint64
	LockTime  time.Duration
}

// OfUsage says what the way in which databases are used leads to.
func OfUsage(all []Usage, t Thresholds) (list []Advice) {
	now := time.Now()
	for i := range all {
		u := &all[i]
		for _, look := range []func(*Usage, *Thresholds) (Kind, string){idle, chatty, churn, evictions, locks} {
			if kind, why := look(u, &t); why != "" {
				list = append(list, Advice{
					ID: string(kind) + " " + u.Database + " " + u.User, Kind: kind, State: Unverified,
					Database: u.Database, User: u.User, Why: why, First: u.Since, Last: now,
				})
			}
		}
	}
	return list
}

func idle(u *Usage, t *Thresholds) (Kind, string) {
	if u.Blocks < uint64(t.Cases) || float64(u.BlockIdle) < t.IdleShare*float64(u.BlockTime) {
		return "", ""
	}
	return IdleInTransaction, fmt.Sprintf("in %d %% of the time of its %d transactions the client did nothing, while they kept a backend, locks and old rows; "+
		"do what needs no database before BEGIN or after COMMIT", 100*u.BlockIdle/max(u.BlockTime, 1), u.Blocks)
}

func chatty(u *Usage, t *Thresholds) (Kind, string) {
	if u.Blocks < uint64(t.Cases) || u.BlockExchanges/u.Blocks < uint64(t.TransactionExchanges) {
		return "", ""
	}
	return Chatty, fmt.Sprintf("its %d transactions have %d exchanges on average, each a way to PostgreSQL and back; "+
		"send several rows in one INSERT, COPY them, or use a pipeline", u.Blocks, u.BlockExchanges/u.Blocks)
}

func churn(u *Usage, t *Thresholds) (Kind, string) {
	if u.Logins < uint64(t.Cases) || u.Transactions >= u.Logins*uint64(t.LoginTransactions) {
		return "", ""
	}
	return Churn, fmt.Sprintf("clients have logged in %d times for %d transactions; keep connections, with a pool in the application", u.Logins, u.Transactions)
}

func evictions(u *Usage, t *Thresholds) (Kind, string) {
	if u.Evicted < uint64(t.Cases) || float64(u.Evicted) < t.EvictedShare*float64(u.Prepared) {
		return "", ""
	}
	return Evictions, fmt.Sprintf("%d of the %d statements that were prepared on backends had to go for others; "+
		"raise pool.max_prepared_statements, or make fewer texts: = ANY ($1) in the place of lists", u.Evicted, u.Prepared)
}

func locks(u *Usage, t *Thresholds) (Kind, string) {
	if u.LongLocks == 0 {
		return "", ""
	}
	return LongLocks, fmt.Sprintf("%d times a session had advisory locks for %v and more, %v on average, and kept its backend for them; "+
		"unlock as soon as possible, or use pg_advisory_xact_lock", u.LongLocks, time.Duration(t.LockSeconds*float64(time.Second)),
		(u.LockTime / time.Duration(u.LongLocks)).Round(time.Millisecond))
}
