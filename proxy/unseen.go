package proxy

import (
	"regexp"

	"github.com/pgjay/pgjay/cache"
	"github.com/pgjay/pgjay/rewrite/catalog"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// A text does not always tell what it changes: a view may call a function that writes,
// and so may an operator; and what names mean depends on what the session has done
// before.

// unsettled says what is not known of the session until its backend has been asked.
type unsettled struct {
	// shifted is set when the search path or the role may be another one than the
	// session's label says.
	shifted bool
	// renamed is set when names of prepared statements may mean something else.
	renamed bool
	// acting is set when the session may have temporary objects that do more than
	// hold rows.
	acting bool
}

// doubtful reports whether it is not known what names of relations mean, or what
// happens when they are used.
func (u *unsettled) doubtful() bool { return u.shifted || u.acting }

// settled is called when the session's label, statements and pins are known.
func (u *unsettled) settled(pins sqlparse.Reasons) {
	u.shifted, u.renamed = false, false
	u.acting = u.acting && pins.Has(sqlparse.ReasonTemporary)
}

// unsettle notes what a text that is about to be executed makes unknown.
func (s *session) unsettle(class sqlparse.Class, text []byte) {
	u := &s.tx.bracket.unsettled
	if class.ReadOnly() && !class.Sets {
		return
	}
	code := class.Pins&opaque != 0
	defines := code && s.hidden.leavers(s.who.pool.Key()) || class.Pins&unread != 0
	switch class.First {
	case sqlparse.CommandPrepare, sqlparse.CommandDeallocate, sqlparse.CommandDiscard:
		u.renamed = true
	}
	u.renamed = u.renamed || defines || class.Statements > 1 && class.Pins.Has(sqlparse.ReasonPrepared)
	u.acting = u.acting || defines || s.mayAct(class) && acts.Match(text)
	switch {
	case code && (s.hidden.setters(s.who.pool.Key()) || changesSettings.Match(text)), class.Pins&unread != 0:
		u.shifted = true
	case class.Sets, class.Reset != sqlparse.ResetNone:
		u.shifted = u.shifted || shifts.Match(text) || setsOther(text)
	}
}

// unread are the reasons of texts that may do anything to the session.
const unread = sqlparse.Reasons(1<<sqlparse.ReasonUnknownCommand | 1<<sqlparse.ReasonUnparsed | 1<<sqlparse.ReasonTooLong |
	1<<sqlparse.ReasonAnySetting)

// shifts finds in a text that changes settings one that decides what names of relations
// mean, or one whose name cannot be read.
var shifts = regexp.MustCompile(`(?i)path|role|authorization|schema|\ball\b|"|u&`)

var (
	setConfigs   = regexp.MustCompile(`(?i)set_config`)
	namedConfigs = regexp.MustCompile(`(?i)set_config\s*\(\s*'[a-z0-9_.]+'\s*,`)
)

// setsOther reports whether a text calls set_config for a setting whose name is not
// in it.
func setsOther(text []byte) bool {
	return len(setConfigs.FindAllIndex(text, -1)) > len(namedConfigs.FindAllIndex(text, -1))
}

// mayAct reports whether DDL may be about temporary objects.
func (s *session) mayAct(class sqlparse.Class) bool {
	return class.Defines && (s.who.temporary || (s.tx.pins | class.Pins).Has(sqlparse.ReasonTemporary))
}

// acts finds in DDL what makes a relation do more than hold rows.
var acts = regexp.MustCompile(`(?i)view|trigger|rule|default|check|generated|including|inherits|references|u&`)

// changesOfReading returns what a statement may change that seems to do nothing but
// read.
func (s *session) changesOfReading(class sqlparse.Class, text []byte) changes {
	db := s.who.database
	snapshot := db.snapshot()
	switch {
	case snapshot == nil:
		return changes{words: []*cache.Word{&db.space.Global}}
	case !s.tx.bracket.acting && !db.readsMayWrite(snapshot):
		return changes{}
	}
	return s.knownChanges(class, text)
}

// judged is whether reading may write, by a snapshot.
type judged struct {
	snapshot *catalog.Snapshot
	writes   bool
}

// readsMayWrite reports whether there is anything in the database by which a statement
// writes that seems only to read.
func (db *database) readsMayWrite(snapshot *catalog.Snapshot) bool {
	known := db.judged.Load()
	if known == nil || known.snapshot != snapshot {
		known = &judged{snapshot, snapshot.ReadsMayWrite(sqlparse.KnowsFunction)}
		db.judged.Store(known)
	}
	return known.writes
}

// callsWriter reports whether a statement may call something that writes, by a
// function's name, an operator or a cast.
func (s *session) callsWriter(part *sqlparse.Part) bool {
	if len(part.Functions)+len(part.Operators)+len(part.Types) == 0 {
		return false
	}
	snapshot, standing := s.who.database.snapshot(), (*standing)(nil)
	if sig := s.who.signature; sig != nil {
		standing = sig.learnt.Load()
	}
	if snapshot == nil || standing == nil || s.tx.bracket.shifted {
		return true
	}
	for _, of := range []struct {
		names    []sqlparse.Name
		mayWrite func(path, name []string) bool
	}{{part.Functions, snapshot.MayWrite}, {part.Operators, snapshot.OperatorMayWrite}, {part.Types, snapshot.TypeMayWrite}} {
		for _, name := range of.names {
			if of.mayWrite(standing.path, name) {
				return true
			}
		}
	}
	return false
}

// readsWriter reports whether what a statement reads may write.
func (s *session) readsWriter(part *sqlparse.Part, snapshot *catalog.Snapshot, path []string) bool {
	for _, name := range part.Reads {
		if snapshot.ReadingWrites(snapshot.Resolve(path, name)) != "" {
			return true
		}
	}
	return false
}
