package proxy

import (
	"regexp"
	"strconv"
	"strings"
	"unique"

	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// What a text means is decided when PostgreSQL parses it, by some settings: under
// another datestyle the literal in date '01/02/2024' is another day, and the
// prepared statement has that day. (For search_path and role it parses again,
// plancache.c, RevalidateCachedQuery.) So these settings are part of what makes a
// shared statement the same, and it is prepared under them (meant.go). While it is not known which of them the session has,
// because a text may have changed them and the backend has not been asked yet or
// the transaction is to end first, the session has a meaning that no other has.

// meaningOf returns the settings in a label that say what a text means.
func meaningOf(l pool.Label) unique.Handle[string] {
	var text strings.Builder
	for _, name := range meaning {
		value, _ := l.Get(name)
		text.WriteString(value)
		text.WriteByte(0)
	}
	return unique.Make(text.String())
}

// namesMeaning finds in a text that changes settings one of those, or one whose
// name cannot be read.
var namesMeaning = regexp.MustCompile(`(?i)` + strings.Join(meaning[:], "|") +
	`|\btime\b|\bnames\b|\bxml\b|\ball\b|"|set_config\s*\(\s*[^'\s]`)

// blurring are the reasons of texts that may change settings unseen.
const blurring = opaque | sqlparse.Reasons(1<<sqlparse.ReasonUnknownCommand|1<<sqlparse.ReasonUnparsed|1<<sqlparse.ReasonEncoding|
	1<<sqlparse.ReasonTooLong|1<<sqlparse.ReasonAnySetting|1<<sqlparse.ReasonDiscard|1<<sqlparse.ReasonPrepared)

// blur notes that it is not known what the session's texts mean.
func (s *session) blur() {
	s.tokens++
	s.who.meaning, s.who.blurred = unique.Make("session "+strconv.FormatUint(s.tokens, 10)), true
}

// mayTakeBack reports whether a text may put settings back that were changed in the
// transaction.
func mayTakeBack(class sqlparse.Class) bool {
	return class.Statements > 1 || class.First == sqlparse.CommandRollback || class.First == sqlparse.CommandSavepoint ||
		class.First == sqlparse.CommandCommit
}

// focus is called when a transaction has ended or the backend has been asked: if it
// is known now what the session's texts mean, it is what the label says. Otherwise
// it may not be what it was in the transaction.
func (s *session) focus() {
	switch {
	case !s.who.blurred:
	case s.tx.left.unsure:
		s.blur()
	default:
		was := s.who.meaning
		s.who.meaning, s.who.blurred = meaningOf(s.who.label), false
		s.meant(was, s.who.meaning)
	}
}
