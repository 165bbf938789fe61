package proxy

import (
	"strings"
	"unique"

	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy/wire"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// A statement that is prepared again, on another backend, is to mean what it meant when
// the client prepared it. So PostgreSQL parses it under the settings of then: they are
// set ahead of its Parse and put back behind it. SET LOCAL is taken back with the
// transaction if the Parse fails, and does not outlast it otherwise.
//
// While the session's meaning is blurred the settings have to be asked for: behind the
// Parse of a named statement, and before a statement from another time is prepared.

// isKnown reports whether a meaning is that of known settings, as meaningOf has them.
func isKnown(meaning unique.Handle[string]) bool {
	return strings.IndexByte(meaning.Value(), 0) >= 0
}

// hasLiterals reports whether what statements like this mean may depend on settings.
// Others, which run as they are written, may be refused behind anything else that is
// executed before the Sync (xact.c, PreventInTransactionBlock).
func hasLiterals(class sqlparse.Class) bool {
	return class.First != sqlparse.CommandDDL && class.First != sqlparse.CommandUtility
}

// mean has the settings set to what they are in one meaning, where that differs from
// another, which they have now.
func (s *session) mean(to, from unique.Handle[string]) {
	now := strings.Split(from.Value(), "\x00")
	for i, value := range strings.Split(to.Value(), "\x00") {
		if i == len(meaning) || value == now[i] {
			continue
		}
		literal := "DEFAULT"
		if value != "" {
			literal = "'" + strings.ReplaceAll(value, "'", "''") + "'"
		}
		s.runOurs("SET LOCAL " + meaning[i] + " TO " + literal)
	}
}

// otherwise reports whether a statement of the client's must be parsed under other
// settings than the session has now. Where one of the two is not known it means what it
// would mean now.
func (s *session) otherwise(st statement) bool {
	return st.meaning != s.who.meaning && isKnown(st.meaning) && isKnown(s.who.meaning) && hasLiterals(st.body.class)
}

// mustAskMeaning asks what the session's settings are if they must be known to prepare a
// statement, and reports whether that must wait for the answer.
func (s *session) mustAskMeaning(st statement) bool {
	if s.who.mute || isKnown(s.who.meaning) || !isKnown(st.meaning) || !hasLiterals(st.body.class) || s.mayHaveFailed() {
		return false
	}
	if s.back.question == nil && len(s.back.meanings) == 0 {
		s.beginBatch()
		s.askMeaning()
	}
	s.flush()
	return true
}

// askPrepared asks for the settings under which a named statement has just been
// prepared, if nobody will tell. Outside of a transaction the backend is asked anyway.
func (s *session) askPrepared(class sqlparse.Class) {
	if !isKnown(s.who.meaning) && !s.outside() && !s.mayHaveFailed() && hasLiterals(class) && len(s.back.meanings) == 0 {
		s.askMeaning()
	}
}

// askMeaning asks what the settings are by which the session's texts mean something.
func (s *session) askMeaning() {
	var sql strings.Builder
	for i, name := range meaning {
		sql.WriteString([]string{"SELECT ", ", "}[min(i, 1)])
		sql.WriteString("pg_catalog.current_setting('" + name + "', true)")
	}
	s.sendOurs(sql.String(), expectMeaning)
	s.back.meanings = append(s.back.meanings, s.who.meaning)
}

// answerMeaning takes the answer.
func (s *session) answerMeaning(row []byte) {
	values, ok := columnsOf(row, len(meaning))
	if !ok {
		return
	}
	var text strings.Builder
	for _, value := range values {
		text.Write(value)
		text.WriteByte(0)
	}
	asked, is := s.back.meanings[0], unique.Make(text.String())
	s.meant(asked, is)
	if s.who.meaning == asked {
		s.who.meaning = is
	}
}

// meant notes what the texts meant that were prepared under settings which were not
// known.
func (s *session) meant(asked, is unique.Handle[string]) {
	c := &s.client.statements
	for name, st := range c.named {
		if st.meaning == asked {
			s.remean(&st, is)
			c.named[name] = st
		}
	}
	for _, st := range append(c.inChange(), &c.unnamed) {
		if st.meaning == asked {
			s.remean(st, is)
		}
	}
}

// remean does so for one. Where it has been prepared it is the same still.
func (s *session) remean(st *statement, is unique.Handle[string]) {
	then := *st
	st.meaning = is
	if st.body == nil || st.token != 0 {
		return
	}
	if s.back.lease != nil {
		s.back.lease.Statements.Rekey(s.statementKey(then), s.statementKey(*st))
	}
	if d := s.who.pool.Description(s.statementKeyThen(then)); d != (pool.Description{}) {
		s.who.pool.NoteDescription(s.statementKeyThen(*st), d)
	}
}

// inChange returns the statements in changes.
func (c *statements) inChange() (all []*statement) {
	for i := range c.pending {
		all = append(all, &c.pending[i].to)
	}
	for i := range c.undo {
		all = append(all, &c.undo[i].to)
	}
	return all
}

// unasked forgets the oldest that were asked for.
func (s *session) unasked(n int) {
	s.back.meanings = append(s.back.meanings[:0], s.back.meanings[n:]...)
}

// loadMeant prepares a shared statement, under the settings of when the client prepared it.
func (s *session) loadMeant(st *pool.Statement, own statement) {
	if !s.otherwise(own) {
		s.load(st, own, swallow)
		return
	}
	s.mean(own.meaning, s.who.meaning)
	s.sendLoad(st, own.body, swallow)
	s.mean(s.who.meaning, own.meaning)
	s.askRowType(st.Name, own)
}

// parseMeant prepares a statement under the client's name, likewise.
func (s *session) parseMeant(name string, st statement) {
	other := s.otherwise(st)
	if other {
		s.mean(st.meaning, s.who.meaning)
	}
	s.toBackend(wire.AppendParseBody(s.scratch[:0], name, st.body.text))
	s.queue.push(expectOurs, swallow)
	if other {
		s.mean(s.who.meaning, st.meaning)
	}
}
