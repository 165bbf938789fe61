package proxy

import (
	"regexp"
	"slices"

	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy/wire"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// SQL knows prepared statements by name: PREPARE, EXECUTE, DEALLOCATE and the view
// pg_prepared_statements. For these the backend is exposed: it gets the client's
// statements under the client's names, and those of all sessions are dropped.
//
// A backend stays exposed when the session gives it back with statements that SQL
// has made. When the session gets it again, and has changed none of them elsewhere,
// nothing is to be done. Any other session that gets it drops them before anything
// else. On another backend the statements are prepared again when they are needed.

// exposing is what a session knows of the statements that it has on its backend
// under the client's names.
type exposing struct {
	// exposed is set when the backend has the client's prepared statements under
	// the client's names, and no shared ones.
	exposed bool
	// bringing has an entry for each ReadyForQuery that is owed to what exposes
	// the backend: the name of the statement that is prepared, or "".
	bringing []string
	// refused are the statements that PostgreSQL would not prepare here any more.
	// Others that it refuses to execute stand in for them.
	refused map[string]*refused
	// renamed is set when a text was sent since the backend was asked that may have
	// dropped some of them, or prepared others.
	renamed bool
	// ready is set when the backend was exposed for a message that is to come.
	ready bool
	// revived is set while a failed transaction goes on for that.
	revived bool
	// amid is set while it is being exposed among the client's messages: an error
	// takes that back.
	amid bool
}

// mayExecute are the reasons of texts that may have code in them which names
// prepared statements.
const mayExecute = sqlparse.Reasons(1<<sqlparse.ReasonPrepared | 1<<sqlparse.ReasonFunction | 1<<sqlparse.ReasonUnknownCommand |
	1<<sqlparse.ReasonUnparsed | 1<<sqlparse.ReasonTooLong | 1<<sqlparse.ReasonDo | 1<<sqlparse.ReasonCall | 1<<sqlparse.ReasonAnySetting)

// mustExpose exposes the backend for a text, and reports whether that must wait.
// revival is as for expose.
func (s *session) mustExpose(class sqlparse.Class, text []byte, revival string) bool {
	return s.usesNames(class, text) && !s.copyUnended() && !s.expose(revival)
}

// usesNames reports whether a text may name prepared statements, or changes what
// those mean that SQL has made, so that they can be on the backend only where they
// are now.
func (s *session) usesNames(class sqlparse.Class, text []byte) bool {
	c := &s.client.statements
	switch {
	case class.Pins.Has(sqlparse.ReasonPrepared):
		return true
	case class.Pins == 0, class.Statements == 1 && class.Reset == sqlparse.DiscardAll: // drops them all
		return false
	case c.bySQL == 0 && len(c.named)+len(c.pending) == 0:
		return false
	case class.Pins&mayExecute == 0:
		return c.bySQL > 0 && changesMeaning(class)
	}
	return c.bySQL > 0 || class.Pins&opaque == 0 || namesStatements.Match(text) || s.hidden.namers(s.who.pool.Key())
}

// namesStatements finds in a text with code in it, or that has code for a function to
// run, that this may name prepared statements. askNamers does so in the sources of
// functions.
var namesStatements = regexp.MustCompile(`(?i)\b(?:execute|deallocate)\b|pg_prepared_statements`)

// needsNames reports whether a statement that is to be bound or described must be
// on the backend under its name, or may name others.
func (s *session) needsNames(st statement) bool {
	return st.sql != "" || st.body != nil && s.usesNames(st.body.class, st.body.sql)
}

// expose gives the backend the client's statements. It returns false if that must
// wait for replies. A failed transaction refuses what SQL does with them anyway, unless
// revival ends its failure first.
func (s *session) expose(revival string) bool {
	if s.back.refused != nil && s.back.renamed && !s.tx.unsynced && (s.back.question != nil || !s.queue.empty()) {
		s.pauseClient(pausedWaiting) // for what the names mean now
		return false
	}
	again := s.back.refused != nil && !s.back.renamed && !s.back.ready && !s.tx.unsynced // what was refused may be there again
	if !s.shares() && !s.brings() && !again {
		s.failAgain()
		return true
	}
	if s.flush(); !s.queue.empty() { // what is sent behind an error is skipped
		s.pauseClient(pausedWaiting)
		return false
	}
	switch {
	case s.back.status != wire.StatusError:
		s.bring(s.missing())
	case revival == "" || s.back.ready:
		return true
	default:
		s.revive(revival)
		s.bring(s.missing())
	}
	if s.brings() {
		s.back.ready = true
		s.pauseClient(pausedWaiting)
		return false
	}
	s.failAgain()
	return true
}

// missing returns the statements that the backend lacks: all, or those that
// PostgreSQL has refused.
func (s *session) missing() map[string]statement {
	if s.back.refused == nil {
		return s.client.statements.named
	}
	named := make(map[string]statement)
	for name := range s.back.refused {
		named[name] = s.client.statements.named[name]
	}
	s.back.refused = nil
	return named
}

// brings reports whether it is not known yet which statements PostgreSQL refuses.
func (s *session) brings() bool {
	return slices.ContainsFunc(s.back.bringing, func(name string) bool { return name != "" })
}

// bring exposes the backend and prepares statements under their names.
func (s *session) bring(named map[string]statement) {
	if s.dropShared(); len(s.back.strays) > 0 {
		s.closeStrays()
		s.syncOurs("")
	}
	s.back.exposed = true
	s.back.lease.Exposed = pool.Exposure{Owner: unknownOwner}
	s.ownUnnamed()
	s.back.amid = s.executes()
	guarded := !s.back.amid && s.back.status != wire.StatusIdle && len(named) > 0
	if guarded {
		s.runOurs("SAVEPOINT " + savepoint)
		s.syncOurs("")
	}
	for _, name := range inOrder(named) {
		s.bringOne(name, named[name])
		if guarded {
			s.runOurs("ROLLBACK TO SAVEPOINT " + savepoint)
			s.syncOurs("")
		}
	}
	if guarded {
		s.runOurs("RELEASE SAVEPOINT " + savepoint)
		s.syncOurs("")
	}
}

// savepoint keeps a transaction from failing with a statement that cannot be
// prepared any more. PREPARE is not taken back by a rollback.
const savepoint = `"pgjay: prepare"`

// bringOne prepares a statement that can be prepared anywhere.
func (s *session) bringOne(name string, st statement) {
	if st.body == nil && st.sql == "" || st.token != 0 {
		return
	}
	s.toBackend(wire.AppendCloseStatement(s.scratch[:0], name)) // it may be there already
	s.queue.push(expectOurs, swallow)
	if st.sql != "" {
		s.runOurs(st.sql)
	} else {
		s.parseMeant(name, st)
	}
	if !s.back.amid {
		s.askNamed(name)
	}
	s.syncOurs(name)
}

// ownUnnamed keeps the unnamed statement out of those that all sessions share.
func (s *session) ownUnnamed() {
	if st := s.client.statements.unnamed; st.shared() {
		s.tokens++
		s.client.statements.unnamed = statement{body: st.body, token: s.tokens}
	}
}

// ourName is that of a statement and a portal that are closed at once; after an
// error they are still there.
const ourName = "pgjay: ours"

// runOurs runs a command that leaves the client's unnamed statement and portals
// as they are.
func (s *session) runOurs(sql string) { s.sendOurs(sql, expectOurs) }

// sendOurs is runOurs. executes is what stands for the reply to its Execute.
func (s *session) sendOurs(sql string, executes expectKind) {
	out := wire.AppendFrame(wire.AppendCloseStatement(s.scratch[:0], ourName), wire.Close, "P"+ourName+"\x00")
	out = wire.AppendParse(out, ourName, sql)
	out = wire.AppendFrame(out, wire.Bind, ourName+"\x00"+ourName+"\x00\x00\x00\x00\x00\x00\x00")
	out = wire.AppendFrame(out, wire.Execute, ourName+"\x00\x00\x00\x00\x00")
	out = wire.AppendFrame(out, wire.Close, "P"+ourName+"\x00")
	s.toBackend(wire.AppendCloseStatement(out, ourName))
	for i := range 7 {
		if i == 4 {
			s.queue.push(executes, swallow)
		} else {
			s.queue.push(expectOurs, swallow)
		}
	}
}

// executes reports whether the messages since the last Sync do more than prepare: a
// Sync of ours would commit that.
func (s *session) executes() bool { return s.tx.unsynced && s.tx.bound }

// syncOurs ends what was sent on our behalf, where a Sync of ours makes no difference.
// name is that of the statement that was prepared, if any.
func (s *session) syncOurs(name string) {
	if !s.executes() {
		s.toBackend(wire.AppendEmpty(s.scratch[:0], wire.Sync))
		s.queue.push(expectSync, swallow)
		s.back.bringing = append(s.back.bringing, name)
	}
}

// brought is called at the ReadyForQuery of what exposes the backend.
func (s *session) brought() {
	name := s.back.bringing[0]
	if s.back.bringing = s.back.bringing[1:]; len(s.back.bringing) == 0 {
		s.back.bringing = nil
	}
	if r := s.back.refused[name]; r != nil && !s.gone {
		out := wire.AppendCloseStatement(wire.AppendCloseStatement(s.scratch[:0], ourName), name)
		s.toBackend(wire.AppendParseBody(out, name, r.standIn(s.client.statements.named[name])))
		for range 3 {
			s.queue.push(expectOurs, swallow)
		}
		s.syncOurs("")
	}
}

// notBrought is called for an error in what exposes the backend, and reports
// whether the client need not know it. If it does the rest has been skipped.
func (s *session) notBrought(body []byte) bool {
	if len(s.back.bringing) == 0 { // it is among the client's messages
		s.back.exposed = false
		return false
	}
	if s.back.bringing[0] != "" && refusesAll(body) {
		s.back.exposed = false
		return true
	}
	if s.back.bringing[0] != "" {
		s.refuseNamed(s.back.bringing[0], wire.ParseError(body))
	}
	return true
}

// unexpose goes back to shared statements: the client has none on the backend.
func (s *session) unexpose() {
	s.back.exposed, s.back.refused = false, nil
	s.back.lease.Exposed = pool.Exposure{}
}

// claim is called for a backend that the session has got. If it has statements of
// a client they are the session's, or they are dropped. It reports whether that was
// begun, which a Sync must end.
func (s *session) claim(b *pool.Backend) (drops bool) {
	is := b.Exposed
	b.Exposed = pool.Exposure{}
	switch c := &s.client.statements; {
	case is == pool.Exposure{}:
		return false
	case is == pool.Exposure{Owner: c.owner, Version: c.version}:
		b.Exposed.Owner = unknownOwner
		s.back.exposed = true
		s.ownUnnamed()
		return false
	}
	s.runOurs("DEALLOCATE ALL")
	b.Statements.Clear()
	return true
}

// disown is called for a backend that the session gives back. It notes whose
// statements it has. Where SQL has made none they are shared again.
func (s *session) disown(b *pool.Backend) {
	c := &s.client.statements
	if !s.back.exposed || s.gone || c.bySQL == 0 || s.back.refused != nil {
		return
	}
	if c.owner == 0 {
		s.tokens++
		c.owner = s.tokens
	}
	b.Exposed = pool.Exposure{Owner: c.owner, Version: c.version}
}
