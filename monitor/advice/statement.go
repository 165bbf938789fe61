package advice

import (
	"fmt"
	"regexp"
	"time"

	"github.com/pgjay/pgjay/monitor/digest"
)

// OfStatements says what the statistics of statements lead to.
func OfStatements(stats []digest.Stat, t Thresholds) (list []Advice) {
	for i := range stats {
		s := &stats[i]
		if s.Mixed {
			continue
		}
		for _, look := range []func(*digest.Stat, *Thresholds) (Kind, string){streaks, unbounded, wide, literals, conflicts, storms, firstRow, reader} {
			if kind, why := look(s, &t); why != "" {
				list = append(list, ofStatement(s, kind, why))
			}
		}
	}
	return list
}

func streaks(s *digest.Stat, t *Thresholds) (Kind, string) {
	switch {
	case s.SameStreaks >= uint64(t.Streaks):
		return Repeated, fmt.Sprintf("%d times a client has run it %d times in a row with the same parameters; "+
			"keep the answer in the application, or let the cache have it (cache.enabled, a rule with cache: always)", s.SameStreaks, digest.StreakMark)
	case s.Streaks >= uint64(t.Streaks):
		return NPlusOne, fmt.Sprintf("%d times a client has run it %d times in a row with other parameters; "+
			"ask for all at once: a join, or = ANY ($1) with an array", s.Streaks, digest.StreakMark)
	}
	return "", ""
}

// limited finds what bounds the rows of a statement: it may also stand in a subquery.
var limited = regexp.MustCompile(`(?i)\b(limit|fetch)\b`)

func unbounded(s *digest.Stat, t *Thresholds) (Kind, string) {
	if s.Calls == 0 || s.Parts > 0 || s.Rows/s.Calls < uint64(t.Rows) || s.Errors >= s.Calls || limited.MatchString(s.Text) {
		return "", ""
	}
	return Unbounded, fmt.Sprintf("it returns %d rows on average; a LIMIT, a cursor, or an aggregate", s.Rows/s.Calls)
}

// star finds a list of results with all columns of something.
var star = regexp.MustCompile(`(?i)(\bselect\s+(distinct\s+)?|,\s*|\.)\*`)

func wide(s *digest.Stat, t *Thresholds) (Kind, string) {
	if s.Rows == 0 || s.Rows < uint64(t.Cases) || s.Bytes/s.Rows < uint64(t.WideRowBytes) || !star.MatchString(s.Text) {
		return "", ""
	}
	return WideRows, fmt.Sprintf("it asks for all columns, and a row has %d bytes on average; name those that are needed", s.Bytes/s.Rows)
}

func literals(s *digest.Stat, t *Thresholds) (Kind, string) {
	asked := s.Sources[digest.SourceBackend]
	if s.Literal < uint64(t.Cases) || asked == 0 || float64(s.Literal) < t.LiteralShare*float64(asked) {
		return "", ""
	}
	return Literals, fmt.Sprintf("%d of %d times its values were in the text, so that PostgreSQL has parsed and planned it anew each time; "+
		"send them as parameters: prepared statements are shared by all clients", s.Literal, asked)
}

func conflicts(s *digest.Stat, t *Thresholds) (Kind, string) {
	if s.Calls < uint64(t.Cases) || float64(s.Conflicts) < t.ConflictShare*float64(s.Calls) {
		return "", ""
	}
	return Conflicts, fmt.Sprintf("%d of %d times it failed because others were at the same rows (40001, 40P01); "+
		"lock in one order, keep transactions short, and wait longer before each new try", s.Conflicts, s.Calls)
}

func storms(s *digest.Stat, t *Thresholds) (Kind, string) {
	if s.Storm == 0 || s.Storm < uint64(t.StormConflicts) {
		return "", ""
	}
	return Storm, fmt.Sprintf("in %v it failed %d times because others were at the same rows (40001, 40P01), as all try again at once; "+
		"wait before each new try, for longer each time and for a random part of it", digest.StormTime, s.Storm)
}

// pace reports whether a part of the time that PostgreSQL took for a statement is long
// enough, and much of it.
func (t *Thresholds) pace(s *digest.Stat, part time.Duration, share float64) bool {
	return s.Calls > 0 && part.Seconds() >= t.PaceSeconds*float64(s.Calls) && float64(part) >= share*float64(s.Backend)
}

func firstRow(s *digest.Stat, t *Thresholds) (Kind, string) {
	if !t.pace(s, s.FirstRow, t.FirstRowShare) || s.Rows/s.Calls < uint64(t.Cases) {
		return "", ""
	}
	return FirstRow, fmt.Sprintf("its first row comes after %v of %v, on average, though there are %d: all are made before one is sent; "+
		"an index in the order of ORDER BY or GROUP BY, or less to sort and to group",
		each(s.FirstRow, s.Calls), each(s.Backend, s.Calls), s.Rows/s.Calls)
}

func reader(s *digest.Stat, t *Thresholds) (Kind, string) {
	if !t.pace(s, s.Stalled, t.ReaderShare) {
		return "", ""
	}
	return Reader, fmt.Sprintf("for %v of %v, on average, the client did not take the rows that were there, and kept its backend; "+
		"read them first and work on them afterwards, or ask for fewer at a time", each(s.Stalled, s.Calls), each(s.Backend, s.Calls))
}

// each is the part of a time that one of n has, rounded for people.
func each(d time.Duration, n uint64) time.Duration {
	return (d / time.Duration(n)).Round(time.Millisecond)
}

func ofStatement(s *digest.Stat, kind Kind, why string) Advice {
	return Advice{
		ID: string(kind) + " " + s.ID.String(), Kind: kind, State: Unverified,
		Database: s.Database, User: s.User, Statement: s.ID.String(), Text: s.Text,
		Why: why, First: s.First, Last: s.Last, Seen: int(s.Calls), Saved: PerHour(s.Total, s.Last.Sub(s.First)),
	}
}

// PerHour is what part of a time would be in an hour. Less than a minute is no base for it.
func PerHour(total, in time.Duration) time.Duration {
	if in < time.Minute {
		return total
	}
	return time.Duration(float64(total) / in.Hours())
}
