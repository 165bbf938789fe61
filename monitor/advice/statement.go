package advice

import (
	"fmt"
	"time"

	"github.com/pgjay/pgjay/monitor/digest"
)

const (
	// fewStreaks is how many rows of equal statements there may be without advice.
	fewStreaks = 3
	// manyRows is how many rows a statement returns on average that wants a LIMIT.
	manyRows = 10_000
)

// OfStatements says what the statistics of statements lead to.
func OfStatements(stats []digest.Stat) (list []Advice) {
	for i := range stats {
		s := &stats[i]
		switch {
		case s.SameStreaks >= fewStreaks:
			list = append(list, ofStatement(s, Repeated,
				fmt.Sprintf("%d times a client has run it %d times in a row with the same parameters", s.SameStreaks, digest.StreakMark),
				"keep the answer in the application, or let the cache have it (cache.enabled, a rule with cache: always)"))
		case s.Streaks >= fewStreaks:
			list = append(list, ofStatement(s, NPlusOne,
				fmt.Sprintf("%d times a client has run it %d times in a row with other parameters", s.Streaks, digest.StreakMark),
				"ask for all at once: a join, or = ANY ($1) with an array"))
		}
		if s.Calls > 0 && s.Rows/s.Calls >= manyRows && s.Errors < s.Calls {
			list = append(list, ofStatement(s, Unbounded, fmt.Sprintf("it returns %d rows on average", s.Rows/s.Calls), "a LIMIT, a cursor, or an aggregate"))
		}
	}
	return list
}

func ofStatement(s *digest.Stat, kind Kind, why, hint string) Advice {
	return Advice{
		ID: string(kind) + " " + s.ID.String(), Kind: kind, State: Unverified,
		Database: s.Database, User: s.User, Statement: s.ID.String(), Text: s.Text,
		Why: why + "; " + hint, First: s.First, Last: s.Last, Seen: int(s.Calls), Saved: PerHour(s.Total, s.Last.Sub(s.First)),
	}
}

// PerHour is what part of a time would be in an hour. Less than a minute is no base for it.
func PerHour(total, in time.Duration) time.Duration {
	if in < time.Minute {
		return total
	}
	return time.Duration(float64(total) / in.Hours())
}
