package proxy

import (
	"bytes"
	"hash/maphash"
	"maps"

	"github.com/pgjay/pgjay/cache"
	"github.com/pgjay/pgjay/proxy/wire"
	"github.com/pgjay/pgjay/rewrite/catalog"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// What clients change must not be served from the cache afterwards. So the words of
// what a transaction may change say that a change is on its way from before the
// message that may commit it is forwarded until its outcome is known: see package
// cache. They say so too long rather than too short.

// bracket has the words of what the transaction under way may change.
type bracket struct {
	begun   []*cache.Word // a change is on its way
	pending []*cache.Word // to be begun before the transaction can end
	// ended is set when something was sent that may end the transaction: what is
	// sent behind it, without a Sync between, is another one.
	ended bool
	unsettled
}

// changes are the words of what one statement may change.
type changes struct {
	words []*cache.Word
	// ends is set when it may end a transaction: then it may make visible what was
	// changed before it, too.
	ends bool
}

// noteChanges is called before a statement is forwarded, or bound.
func (s *session) noteChanges(class sqlparse.Class, text []byte) {
	if s.who.database != nil {
		s.expectChanges(s.changesOf(class, text))
	}
}

// noteExecuted is called before a prepared statement is bound that has no body, or
// whose name may mean another one.
func (s *session) noteExecuted(st statement) {
	switch {
	case s.who.database == nil:
	case s.tx.bracket.renamed:
		s.expectChanges(s.changesOfUnread())
	default:
		s.expectChanges(s.changesOfPrepared(st))
	}
}

// changesOfPrepared returns what executing a prepared statement may change.
func (s *session) changesOfPrepared(st statement) changes {
	b := st.body
	if b == nil {
		b = st.here
	}
	switch {
	case b != nil:
		return s.changesOf(b.class, b.sql)
	case st.sql != "":
		class := sqlparse.Classify([]byte(st.sql))
		class.First = sqlparse.CommandUnknown // it is not prepared now
		s.unsettle(class, []byte(st.sql))
		return s.knownChanges(class, []byte(st.sql))
	}
	return s.changesOfUnread()
}

// expectChanges notes what is about to be changed.
func (s *session) expectChanges(c changes) {
	w := &s.tx.bracket
	w.ended = w.ended || c.ends
	switch {
	case s.inTransaction() && !w.ended:
		w.pending = append(w.pending, c.words...)
	case len(c.words) > 0 || len(w.pending) > 0:
		w.begin(w.pending)
		w.begin(c.words)
		w.pending = w.pending[:0]
	}
}

// begin says that changes are on their way.
func (w *bracket) begin(words []*cache.Word) {
	for _, word := range words {
		if !contains(w.begun, word) {
			word.Begin()
			w.begun = append(w.begun, word)
		}
	}
}

func contains(words []*cache.Word, word *cache.Word) bool {
	for _, w := range words {
		if w == word {
			return true
		}
	}
	return false
}

// inTransaction reports whether what is sent next is executed in a transaction that
// has begun already, and does not end with it.
func (s *session) inTransaction() bool {
	if s.begin.text != "" {
		return true
	}
	return s.back.status == wire.StatusTransaction && !s.queue.owesReady()
}

// endChanges ends the changes if no transaction is open and nothing is under way.
func (s *session) endChanges() {
	w := &s.tx.bracket
	if s.who.database == nil || s.back.lease == nil || s.back.status != wire.StatusIdle || !s.quiet() {
		return
	}
	if len(w.begun) > 0 {
		s.who.database.settle(w.begun)
	}
	w.begun, w.pending, w.ended = w.begun[:0], w.pending[:0], false
	if !s.tx.left.unsure {
		w.settled(s.tx.pins)
	}
}

// settle ends changes whose outcome is known.
func (db *database) settle(begun []*cache.Word) {
	if contains(begun, &db.space.Schema) {
		db.schemaChanged()
	}
	for _, word := range begun {
		word.End()
	}
}

// loseChanges is called when the backend is lost with the lease. It may still be
// about to commit: the words stay as they are until it is gone.
func (s *session) loseChanges() {
	w := &s.tx.bracket
	if len(w.begun) == 0 {
		return
	}
	db, begun, pid := s.who.database, w.begun, s.back.lease.PID
	*w = bracket{}
	s.work(func() { db.await(pid); db.settle(begun) })
}

// changesOf returns what a text may change.
func (s *session) changesOf(class sqlparse.Class, text []byte) changes {
	if class.First != sqlparse.CommandExecute || class.Statements > 1 {
		s.unsettle(class, text)
	}
	if class.Statements == 1 && !class.Pins.Has(sqlparse.ReasonTooLong) {
		switch class.First {
		case sqlparse.CommandSelect, sqlparse.CommandValues:
			if class.ReadOnly() {
				return s.changesOfReading(class, text)
			}
		case sqlparse.CommandBegin, sqlparse.CommandSavepoint, sqlparse.CommandSet, sqlparse.CommandReset, sqlparse.CommandShow,
			sqlparse.CommandPrepare, sqlparse.CommandDeallocate, sqlparse.CommandListen, sqlparse.CommandUnlisten, sqlparse.CommandNotify,
			sqlparse.CommandFetch, sqlparse.CommandClose, sqlparse.CommandLoad, sqlparse.CommandDiscard, sqlparse.CommandNone:
			return changes{}
		case sqlparse.CommandCommit, sqlparse.CommandRollback:
			return changes{ends: true}
		case sqlparse.CommandExecute:
			return s.changesOfExecute(text)
		case sqlparse.CommandDDL:
			if !changesRows(text) {
				return s.schemaChanges(text)
			}
		}
	}
	return s.knownChanges(class, text)
}

// changesOfExecute returns what EXECUTE may change: it depends on whom the statement
// belongs to, and on what is called for its arguments.
func (s *session) changesOfExecute(text []byte) changes {
	st := s.texts.memo.Get(text)
	if s.tx.bracket.renamed || !st.Cheap() {
		return s.changesOfUnread()
	}
	if facts := st.Facts(); !facts.Opaque && len(facts.Parts) == 1 {
		part := &facts.Parts[0]
		e, ok := part.Detail.(*sqlparse.Execute)
		if ok && !e.Creates && !s.callsWriter(part) {
			st, _ := s.client.statements.get([]byte(e.Name))
			return s.changesOfPrepared(st)
		}
	}
	return s.changesOfUnread()
}

// changesOfUnread may be any, and what it leaves in the session, too.
func (s *session) changesOfUnread() changes {
	s.unsettle(sqlparse.Unread(), nil)
	return s.unknownChanges(sqlparse.Unread(), nil)
}

// changesRows reports whether a text with DDL changes rows only: TRUNCATE and REFRESH
// MATERIALIZED VIEW.
func changesRows(text []byte) bool {
	const n = len("truncate")
	text = bytes.TrimLeft(text, " \n\r\t")
	return len(text) > n && (bytes.EqualFold(text[:n], []byte("truncate")) || bytes.EqualFold(text[:n], []byte("refresh ")))
}

// schemaChanges are those of DDL. It may be about rights, or rewrite a table. text is
// nil if it is not known.
func (s *session) schemaChanges(text []byte) changes {
	db := s.who.database
	c := changes{words: []*cache.Word{&db.space.Schema, &db.space.ACL}, ends: true}
	if text == nil || mayChangeRoles(text) {
		s.databases.each(func(other *database) { c.words = append(c.words, &other.space.ACL) })
	}
	return c
}

// each calls f for all databases.
func (all *databases) each(f func(*database)) {
	all.mu.Lock()
	defer all.mu.Unlock()
	for _, db := range all.known {
		f(db)
	}
}

// unknownChanges may be any. Functions may change the schema, too; of those that
// triggers call the keeper of the catalog hears.
func (s *session) unknownChanges(class sqlparse.Class, text []byte) changes {
	c := changes{words: []*cache.Word{&s.who.database.space.Global}, ends: true}
	switch {
	case class.Pins.Has(sqlparse.ReasonTooLong):
		c.words = append(c.words, s.schemaChanges(nil).words...)
	case s.defines(class, text), class.Pins&opaque != 0 && s.hidden.leavers(s.who.pool.Key()):
		c.words = append(c.words, s.schemaChanges(text).words...)
	}
	return c
}

// knownChange is what a loop remembers of texts with one pattern.
type knownChange struct {
	text      []byte // the pattern
	signature *signature
	snapshot  *catalog.Snapshot
	changes   changes
}

// maxKnownChanges bounds the memory of a loop.
const maxKnownChanges = 4096

// knownChanges finds out what a text may change, or knows it already.
func (s *session) knownChanges(class sqlparse.Class, text []byte) changes {
	db, sig := s.who.database, s.who.signature
	snapshot := db.snapshot()
	if snapshot == nil || sig == nil || sig.standing(db, s) == nil || class.Pins.Has(sqlparse.ReasonTooLong) || s.tx.bracket.doubtful() {
		return s.unknownChanges(class, text)
	}
	pattern, ok := sqlparse.AppendPattern(s.scratch[:0], text)
	if !ok {
		pattern = text
	}
	hash := maphash.Bytes(habitSeed, pattern)
	s.forgetChanges(snapshot)
	known := s.changed[hash]
	if known == nil || known.signature != sig || known.snapshot != snapshot || !bytes.Equal(known.text, pattern) {
		known = &knownChange{text: bytes.Clone(pattern), signature: sig, snapshot: snapshot}
		known.changes = s.findChanges(class, text, snapshot)
		if len(s.changed) >= maxKnownChanges {
			clear(s.changed)
		}
		s.changed[hash] = known
	}
	return known.changes
}

// forgetChanges forgets what was found with the snapshot before this one, which takes
// much memory.
func (s *session) forgetChanges(snapshot *catalog.Snapshot) {
	db := s.who.database
	before := s.snapshots[db]
	if before == snapshot {
		return
	}
	s.snapshots[db] = snapshot
	maps.DeleteFunc(s.changed, func(_ uint64, known *knownChange) bool { return known.snapshot == before })
}

// findChanges asks the parser and the catalog what a text may change.
func (s *session) findChanges(class sqlparse.Class, text []byte, snapshot *catalog.Snapshot) (c changes) {
	c.ends = class.Statements > 1
	st := s.texts.memo.Get(text)
	if !st.Cheap() || st.Facts().Opaque || snapshot.NamesRowWriter(text) {
		return s.unknownChanges(class, text)
	}
	path := s.who.signature.learnt.Load().path
	for _, part := range st.Facts().Parts {
		if !s.addChanges(&c, class, part, snapshot, path) {
			return s.unknownChanges(class, text)
		}
	}
	return c
}

// addChanges adds what one statement changes. It returns false if that is not known.
func (s *session) addChanges(c *changes, class sqlparse.Class, part sqlparse.Part, snapshot *catalog.Snapshot, path []string) bool {
	db := s.who.database
	command := part.Command
	if command == sqlparse.CommandExplain {
		if !part.Analyze {
			return true
		}
		command = part.Explained
	}
	switch command {
	case sqlparse.CommandCommit, sqlparse.CommandRollback:
		c.ends = true
	case sqlparse.CommandDo, sqlparse.CommandCall, sqlparse.CommandUnknown, sqlparse.CommandExecute, sqlparse.CommandTwoPhase:
		return false
	case sqlparse.CommandDDL:
		if class.Statements > 1 {
			return false
		}
	}
	if s.callsWriter(&part) || s.readsWriter(&part, snapshot, path) {
		return false
	}
	for _, name := range part.Writes {
		relation := snapshot.Resolve(path, name)
		switch {
		case relation == nil && s.tx.pins.Has(sqlparse.ReasonTemporary):
			continue // of the session's own
		case relation == nil && command == sqlparse.CommandSelect: // it makes the table
			c.words = append(c.words, &db.space.Schema, &db.space.ACL)
			continue
		case relation == nil:
			return false
		}
		oids, opaque := snapshot.Written(writeCommand(command, len(part.Writes)), relation)
		if opaque != "" {
			return false
		}
		for _, oid := range oids {
			c.words = append(c.words, db.space.Table(oid))
		}
	}
	return true
}

// writeCommand says what a command may do to one of the relations that it changes.
// Where there are several it is not known which of its parts is about which.
func writeCommand(c sqlparse.Command, relations int) catalog.Command {
	switch {
	case c == sqlparse.CommandDDL:
		return catalog.Truncate | catalog.Refresh
	case relations > 1:
	case c == sqlparse.CommandInsert:
		return catalog.Insert | catalog.Update // ON CONFLICT
	case c == sqlparse.CommandUpdate:
		return catalog.Update
	case c == sqlparse.CommandDelete:
		return catalog.Delete
	case c == sqlparse.CommandCopy:
		return catalog.Copy
	}
	return catalog.Merge
}
