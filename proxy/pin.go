package proxy

import (
	"bytes"
	"slices"

	"github.com/pgjay/pgjay/proxy/wire"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// askable are the reasons to pin that a backend can be asked about: does it
// still have what such a statement may have left?
const askable = sqlparse.Reasons(1<<sqlparse.ReasonSetting | 1<<sqlparse.ReasonFunction | 1<<sqlparse.ReasonUnknownCommand |
	1<<sqlparse.ReasonUnparsed | 1<<sqlparse.ReasonTooLong | 1<<sqlparse.ReasonDiscard | 1<<sqlparse.ReasonCursor |
	1<<sqlparse.ReasonAdvisoryLock | 1<<sqlparse.ReasonTemporary | 1<<sqlparse.ReasonListen | 1<<sqlparse.ReasonPrepared |
	1<<sqlparse.ReasonDo | 1<<sqlparse.ReasonCall)

// leftover is what the statements of a lease may have left on the backend since
// it was last asked.
type leftover struct {
	unsure   bool // it is to be asked
	lost     bool // it was, but the answer says nothing: the label is not what the settings are
	pins     sqlparse.Reasons
	all      bool     // any setting may have changed
	settings []string // these may have
	// undone is set when some of the settings may have been put back, by RESET
	// or a rollback: then it counts whether they are set at all.
	undone bool
	// mayReset is set when start-up settings may have been reset unseen.
	mayReset bool
	// doors is set when the database's doors are to be asked for.
	doors bool
	// behind are the texts that were sent when these were not known; behindSize is how
	// long they are.
	behind     [][]byte
	behindSize int
	// text is the only text that was noted, if that has habits; nil otherwise.
	text []byte
}

// note draws the consequences of a statement for the session.
func (s *session) note(class sqlparse.Class, text []byte) {
	s.noteChanges(class, text)
	s.tx.reads = s.tx.reads && class.ReadOnly() && !class.Locks
	s.tx.tame = s.tx.tame && changesOnlyRows(class)
	s.tx.sets = s.tx.sets || class.Sets
	if class.Pins.Has(sqlparse.ReasonPrepared) {
		class = s.noteNames(class, text)
	}
	s.back.effect = max(s.back.effect, effectOf(class))
	s.who.loads = s.who.loads || class.Loads
	if s.defines(class, text) {
		s.noteDefinition(class, text)
	}
	if class.Sets && namesMeaning.Match(text) || s.who.blurred && mayTakeBack(class) {
		s.blur()
	}
	behind := s.withExecuted(class, text)
	class, urgent := s.withDoors(class, behind)
	if urgent {
		s.tx.left.keepBehind(behind)
		s.blur()
	}
	if class.Defines && s.tx.left.mayShift() {
		class.Pins |= sqlparse.ReasonTemporary.Set()
	}
	s.noteLeft(class, text, urgent)
}

// noteDefinition notes that names may mean something else from now on.
func (s *session) noteDefinition(class sqlparse.Class, text []byte) {
	s.tx.defined = true
	s.who.pool.SchemaChanged()
	if s.opens(class, text) {
		s.tx.opened, s.tx.feared = true, s.tx.feared || s.fearsDoors(text)
	}
}

// noteLeft notes what a statement may leave. urgent is set if the backend is to be asked
// whatever is known of it.
func (s *session) noteLeft(class sqlparse.Class, text []byte, urgent bool) {
	left, known := &s.tx.left, hasHabits(class)
	switch {
	case !urgent && s.executesPlain(class, text):
	case known && !urgent && s.tx.pins&opaque == 0 && s.trusts(text):
	case class.Pins != 0:
		class.Pins |= fearsOf(class, text)
		s.notePins(class, text)
		changes := changesSettings.Match(text)
		s.noteUnseenReset(class, changes)
		if !known || left.unsure || changes {
			left.text = nil
		} else {
			left.text = bytes.Clone(text)
		}
		left.note(class, text)
	case urgent:
		left.unsure, left.all, left.text = true, true, nil
	case s.tx.pins == 0:
	case class.Releases:
		left.unsure = true
	case class.First == sqlparse.CommandRollback || class.First == sqlparse.CommandSavepoint || class.Statements > 1:
		left.undone = true
	}
}

// notePins pins the session for what a statement may leave.
func (s *session) notePins(class sqlparse.Class, text []byte) {
	if class.Pins&blurring != 0 {
		s.blur()
	}
	s.tx.tries = s.onlyTries(class)
	s.tx.pins |= class.Pins
	s.tellPin(class.Pins.First(), text)
	s.tx.outlasts = s.tx.outlasts || class.Pins.Outlast()
}

// onlyTries reports whether a statement does nothing but change a setting whose name
// cannot be read, on its own: PostgreSQL refuses most of such names.
func (s *session) onlyTries(class sqlparse.Class) bool {
	const settings = sqlparse.Reasons(1<<sqlparse.ReasonSetting | 1<<sqlparse.ReasonAnySetting)
	return class.Pins.Has(sqlparse.ReasonAnySetting) && class.Pins&^settings == 0 && class.Statements == 1 &&
		!s.tx.pins.Has(sqlparse.ReasonAnySetting) &&
		s.back.status == wire.StatusIdle && s.begin.text == "" && !s.tx.unsynced && !s.queue.owesReady()
}

// noteFailed notes that a statement has failed.
func (s *session) noteFailed() {
	s.tx.discard, s.yields.failed = false, true
	s.tx.left.undone = s.tx.left.unsure
	if s.tx.tries {
		s.tx.tries = false
		s.tx.pins &^= sqlparse.ReasonAnySetting.Set()
		s.tx.left.pins &^= sqlparse.ReasonAnySetting.Set()
	}
}

// notable reports whether a statement has consequences that note draws, other
// than its effect.
func notable(class sqlparse.Class) bool {
	return !class.ReadOnly() || class.Locks || class.Pins != 0 || class.Releases || class.Advances || class.Sets || class.First != sqlparse.CommandSelect
}

// note adds what a statement with a reason to pin may leave.
func (l *leftover) note(class sqlparse.Class, text []byte) {
	l.unsure = true
	l.pins |= class.Pins
	names, known := class.Changed()
	l.settings = append(l.settings, names...)
	if !known || class.Pins != sqlparse.ReasonSetting.Set() {
		l.all = true
		l.settings = append(l.settings, namedSettings(text)...)
	}
	// SET SESSION CHARACTERISTICS names settings that it may leave alone.
	l.undone = l.undone || class.Reset != sqlparse.ResetNone || class.Statements > 1 || len(names) > 1
}

// mayShift reports whether new objects may be temporary, by the search_path.
func (l *leftover) mayShift() bool {
	return l.all || slices.Contains(l.settings, "search_path")
}

// pin makes the session keep its backend for something that it does now.
func (s *session) pin(why sqlparse.Reason) {
	s.tx.pins |= why.Set()
	s.tx.left.unsure, s.tx.left.all = true, true
	s.tx.left.pins |= why.Set()
	s.tx.left.text = nil
	s.tellPin(why, nil)
}

// tellPin tells why the session is pinned, and by which statement, if one is to
// blame. It is the first reason that is told.
func (s *session) tellPin(why sqlparse.Reason, text []byte) {
	if s.tx.pin != sqlparse.ReasonNone {
		return
	}
	s.tx.pin, s.tx.pinnedAt = why, s.loop.Now()
	s.tx.pinText = string(text[:min(len(text), maxPinText)])
	s.recordPin(why, text)
}

// unpin ends the pin: nothing of the session is left on the backend.
func (s *session) unpin() {
	s.tx.pins, s.tx.left = 0, leftover{}
	if s.tx.pin != sqlparse.ReasonNone {
		s.recordUnpin(s.tx.pin)
		s.tx.pin, s.tx.pinText = sqlparse.ReasonNone, ""
	}
}

// repin puts the reasons that were found true in the place of those that were
// feared when the backend was asked.
func (s *session) repin(found sqlparse.Reasons) {
	pins := found | s.tx.left.pins | s.tx.pins&^askable
	if pins == 0 {
		left := s.tx.left // of what was sent meanwhile
		s.unpin()
		s.tx.left = left
		return
	}
	s.tx.pins = pins
	if !pins.Has(s.tx.pin) {
		if s.tx.pin != sqlparse.ReasonNone {
			s.recordUnpin(s.tx.pin)
		}
		text := s.tx.pinText
		s.tx.pin = sqlparse.ReasonNone
		s.tellPin(pins.First(), []byte(text))
	}
}

// mayAsk reports whether the backend of a quiet session can be asked what is
// left on it, and that is not known:
//
//  1. no transaction is open;
//  2. the answer matters: the pool's mode is not session, nothing pins for good;
//  3. the client is there;
//  4. it has no unnamed statement that is on this backend only.
//
// If the client waits for what it listens to, only the first and the third count.
func (s *session) mayAsk() bool {
	if s.state != stateReady || s.gone || s.back.status != wire.StatusIdle {
		return false
	}
	unnamed := s.client.statements.unnamed
	return s.unsettled() || s.tx.left.unsure && (unnamed.none() || unnamed.body != nil) &&
		s.pooled() && !s.own && s.tx.pins&^askable == 0
}
