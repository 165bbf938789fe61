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

// understanding is what is known of a session's meaning.
//
// While it is blurred the meaning is a name for a stretch of what the session sends, in
// which what its texts mean does not change. A new one begins with each text that may change it,
// and with what may take that back: the end of a transaction. What is known at some
// time says what the texts of the stretch mean that was the last to be sent by then.
// Nobody waits for that: either something is under way, whose end leads to focus,
// or a transaction is open, or left.unsure has the backend asked; and who must know now asks
// (mustAskMeaning).
type understanding struct {
	meaning   unique.Handle[string]
	blurred   bool
	blurredIn uint64 // the batch in which the stretch began
	mute      bool   // the backend was asked for the settings of the stretch, and did not say
}

// blur begins a stretch of which it is not known what its texts mean.
func (s *session) blur() {
	s.tokens++
	s.who.meaning = unique.Make("session " + strconv.FormatUint(s.tokens, 10))
	s.who.blurred, s.who.blurredIn, s.who.mute = true, s.batch(), false
}

// mayTakeBack reports whether a text may put settings back that were changed in the
// transaction.
func mayTakeBack(class sqlparse.Class) bool {
	return class.Statements > 1 || class.First == sqlparse.CommandRollback || class.First == sqlparse.CommandSavepoint ||
		class.First == sqlparse.CommandCommit
}

// focus is called when all that was sent has been answered and no transaction is open: if
// nothing is left to be asked, the session's texts mean what the label says.
func (s *session) focus() {
	if !s.who.blurred || s.tx.left.unsure || s.tx.left.lost {
		return
	}
	was := s.who.meaning
	s.who.meaning, s.who.blurred = meaningOf(s.who.label), false
	if !isKnown(was) {
		s.meant(was, s.who.meaning)
	}
}

// focusOn is called when it has become known what the texts of a stretch meant, which
// was the last when the backend was asked. If another has begun since, that is as
// blurred as before.
func (s *session) focusOn(asked, is unique.Handle[string]) {
	if !isKnown(asked) {
		s.meant(asked, is)
	}
	if s.who.meaning == asked && !s.back.relabels {
		s.who.meaning, s.who.blurred = is, false
	}
}
