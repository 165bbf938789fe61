package proxy

import (
	"slices"
	"strings"

	"github.com/pgjay/pgjay/pool"
	"github.com/pgjay/pgjay/proxy/wire"
	"github.com/pgjay/pgjay/rewrite/sqlparse"
)

// A client's named statements, and its unnamed one if the text is seen again and
// again, are prepared on whatever backend it has when it uses them, under a name
// that all sessions share: pool.Statements. Where the client's Parse is not
// needed its reply is made here, in its place in the queue. Errors are always
// PostgreSQL's own: it is made to find what the client would have found.

// parsed returns what a Parse says.
func (s *session) parsed(frame []byte) *body {
	name, rest, _ := wire.CString(frame[wire.HeaderLen:])
	return s.bodies.get(rest, len(name) > 0)
}

// parse handles a Parse. b is nil, and frame its beginning, if it is longer than
// maxText.
func (s *session) parse(frame []byte, b *body) {
	name, _, ok := wire.CString(frame[wire.HeaderLen:])
	if !ok {
		s.pass(frame)
		return
	}
	if b == nil {
		s.note(sqlparse.Unread(), nil)
		s.parseHere(name, nil, frame)
		return
	}
	if s.sample.command == sqlparse.CommandNone {
		s.sample.command = b.class.First
	}
	switch {
	case len(name) > 0 && s.back.exposed && !s.full():
		own := s.newStatement(b)
		s.client.statements.push(name, own, s.batch())
		s.traffic.ParsedThere()
		s.send(frame)
		s.queue.push(expectChange, forward)
		s.askRowType(string(name), own)
	case len(name) > 0 && s.leavesToBackend(name):
		s.noteBody(b)
		s.parseHere(name, b, frame)
	case len(name) > 0 && s.defined(name):
		s.parseAgain(name, frame)
	case b.handle == unshared || !s.shares():
		s.tokens++
		s.client.statements.push(nil, statement{body: b, token: s.tokens}, s.batch())
		s.traffic.ParsedThere()
		s.send(frame)
		s.queue.push(expectChange, forward)
	default:
		s.parseShared(name, b, frame)
	}
	if len(name) > 0 {
		s.askPrepared(b.class)
	}
}

// parseHere prepares a statement that cannot be brought to another backend.
func (s *session) parseHere(name []byte, b *body, frame []byte) {
	s.pin(sqlparse.ReasonPrepared)
	s.tokens++
	s.client.statements.push(name, statement{here: b, token: s.tokens}, s.batch())
	s.traffic.ParsedThere()
	s.send(frame)
	s.queue.push(expectChange, forward)
}

// parseAgain handles the Parse of a name that is taken: PostgreSQL refuses it
// when it has a statement with this name. An empty one will do.
func (s *session) parseAgain(name, frame []byte) {
	out := wire.AppendCloseStatement(s.scratch[:0], ownName(name)) // it may be there from the last time
	s.toBackend(wire.AppendParse(out, ownName(name), ""))
	s.queue.push(expectReply, swallow)
	s.queue.push(expectReply, swallow)
	s.back.strays = append(s.back.strays, ownName(name))
	s.keep(frame)
	s.toBackend(wire.AppendParseBody(s.scratch[:0], ownName(name), string(frame[wire.HeaderLen+len(name)+1:])))
	s.queue.push(expectReply, forward)
}

// parseShared handles the Parse of a statement that all sessions share.
func (s *session) parseShared(name []byte, b *body, frame []byte) {
	on := &s.back.lease.Statements
	own := s.newStatement(b)
	st := on.Use(s.statementKey(own))
	s.traffic.FoundPrepared(st != nil)
	s.client.statements.push(name, own, s.batch())
	s.keep(frame)
	again := s.mayHaveFailed() && !b.class.EndsTransaction() || s.tx.copies // PostgreSQL may refuse it now
	switch {
	case st == nil:
		s.load(on.Add(s.statementKey(own), len(b.text)), own, forward)
	case again && len(name) > 0 && s.queue.owesReady() && !s.tx.copies:
		s.load(on.Add(s.statementKey(own), len(b.text)), own, forward)
		s.closeSpare(spare{string(name), b, st.Name}) // the old one may be stale
	case again:
		s.prepareSpare(name, b)
	default:
		s.queue.push(expectParsed, forward)
		s.tx.spared = true
		if s.who.timed { // statement_timeout begins with the Parse; a Describe will do
			s.toBackend(wire.AppendDescribeStatement(s.scratch[:0], st.Name))
			s.queue.push(expectReply, swallow)
		}
	}
}

// spare is a statement that is prepared for the messages up to the next Sync: PostgreSQL may
// refuse it, and then the one that sessions share must not be lost.
type spare struct {
	name string // the client's
	body *body
	on   string // the backend's
}

func (s *session) prepareSpare(name []byte, b *body) {
	st := s.back.lease.Statements.Spare()
	s.sendLoad(st, b, forward)
	s.tx.spares = append(s.tx.spares, spare{string(significant(name)), b, st.Name})
}

// spareOf returns the backend's name of the spare that a client's name means; empty: there
// is none.
func (s *session) spareOf(name []byte, st statement) string {
	for i := len(s.tx.spares) - 1; i >= 0; i-- {
		if p := &s.tx.spares[i]; p.body == st.body && p.name == string(significant(name)) {
			return p.on
		}
	}
	return ""
}

// closeSpares has the spares closed before the Sync, or later if PostgreSQL may be reading
// copy data, for which a Close is an error.
func (s *session) closeSpares() {
	for _, p := range s.tx.spares {
		if s.tx.copies {
			s.back.strays = append(s.back.strays, p.on)
		} else {
			s.closeSpare(p)
		}
	}
	s.tx.spares = s.tx.spares[:0]
}

func (s *session) closeSpare(p spare) {
	s.toBackend(wire.AppendCloseStatement(s.scratch[:0], p.on))
	s.queue.push(expectSpare, swallow)
	s.back.spares = append(s.back.spares, p)
}

// skipSpares is called when the backend skips messages up to a Sync, among which are n
// Closes of spares, or before which those are not closed that were prepared last. They are
// closed later.
func (s *session) skipSpares(n int, synced bool) {
	s.back.skipped = append(s.back.skipped[:0], s.back.spares[:n]...)
	s.back.spares = append(s.back.spares[:0], s.back.spares[n:]...)
	if !synced {
		s.back.skipped = append(s.back.skipped, s.tx.spares...)
		s.tx.spares = s.tx.spares[:0]
	}
	for _, p := range s.back.skipped {
		s.back.strays = append(s.back.strays, p.on)
	}
}

// mayHaveFailed reports whether the transaction that the next message meets may
// be a failed one.
func (s *session) mayHaveFailed() bool {
	return s.back.status == wire.StatusError || s.begin.failed || s.queue.owesReady()
}

// load sends the Parse of a shared statement, and asks what its rows are like.
func (s *session) load(st *pool.Statement, own statement, act action) {
	s.sendLoad(st, own.body, act)
	s.askRowType(st.Name, own)
}

// askRowType asks what the rows are like of a statement that was just prepared.
func (s *session) askRowType(name string, own statement) {
	s.toBackend(wire.AppendDescribeStatement(s.scratch[:0], name))
	s.back.describing = append(s.back.describing, describing{key: s.statementKey(own)})
	s.queue.push(expectRowType, swallow)
}

func (s *session) sendLoad(st *pool.Statement, b *body, act action) {
	st.Batch = s.batch()
	s.back.loads = append(s.back.loads, st)
	s.traffic.ParsedThere()
	text := b.text
	if made := st.Text(); made != asWritten {
		text = made.Value() + b.text[len(b.sql):]
	}
	s.toBackend(wire.AppendParseBody(s.scratch[:0], st.Name, text))
	if act == forward {
		s.queue.push(expectChangeLoad, forward)
	} else {
		s.queue.push(expectLoad, swallow)
	}
}

// bind handles a Bind. frame may be the beginning of it.
func (s *session) bind(frame []byte, n int) {
	portal, rest, _ := wire.CString(frame[wire.HeaderLen:])
	name, values, ok := wire.CString(rest)
	if !ok {
		s.pass(frame)
		return
	}
	st, _ := s.client.statements.get(name)
	if st.body != nil {
		if s.sample.command == sqlparse.CommandNone {
			s.sample.command = st.body.class.First
		}
		s.noteBody(st.body)
		s.tx.drops = s.tx.drops || st.body.class.Drops
		s.tx.ends = s.tx.ends || st.body.class.EndsTransaction()
	}
	s.observeBind(portal, st, values, n == len(frame))
	if st.sql != "" && (!st.plain || s.hasDoor([]byte(st.sql))) {
		s.note(sqlparse.Classify([]byte(st.sql)), []byte(st.sql))
	}
	if st.body == nil && !st.none() || len(name) > 0 && s.tx.bracket.renamed {
		s.noteExecuted(st)
	}
	s.tx.copies = s.tx.copies || st.body == nil && st.sql == "" || st.body != nil && st.body.class.First == sqlparse.CommandCopy
	s.bindReset(portal, st, values)
	if st.body != nil && seedsBy(st.body.class, values) {
		s.pin(sqlparse.ReasonSeed)
		s.tx.outlasts = true
	}
	s.noteBindValues(st.body, values, n == len(frame))
	if st.changed && s.back.status != wire.StatusError {
		s.refuseChanged(st, wire.Bind, frame)
		return
	}
	if s.page != nil && s.bindPage(frame, portal, st) {
		return
	}
	on := s.standIn(name, st, values)
	if on == "" {
		on = s.serverName(name, st)
	}
	if on == "" || on == string(name) {
		s.pass(frame)
		return
	}
	s.keep(frame)
	s.toBackend(wire.AppendBindHead(s.scratch[:0], n+len(on)-len(name), portal, on))
	s.toBackend(values)
	s.queue.push(expectReply, forward)
}

// describe handles the Describe of a statement.
func (s *session) describe(frame []byte) {
	name, _, ok := wire.CString(frame[wire.HeaderLen+1:])
	st, _ := s.client.statements.get(name)
	if st.changed && s.back.status != wire.StatusError {
		s.refuseChanged(st, wire.Describe, frame)
		return
	}
	if refused := s.back.refused[string(name)]; refused != nil && s.back.status != wire.StatusError {
		s.describeRefused(st, refused, frame)
		return
	}
	on := s.describesNothing(name, st)
	if ok && on == "" {
		on = s.serverName(name, st)
	}
	if on == "" || on == string(name) {
		s.pass(frame)
		return
	}
	s.keep(frame)
	s.toBackend(wire.AppendDescribeStatement(s.scratch[:0], on))
	s.queue.push(expectReply, forward)
}

// closeStatement handles the Close of a statement.
func (s *session) closeStatement(frame []byte) {
	name, _, _ := wire.CString(frame[wire.HeaderLen+1:])
	st, _ := s.client.statements.get(name)
	s.client.statements.push(name, statement{}, s.batch())
	if len(name) > 0 && (st.token != 0 || s.back.question != nil) {
		s.tx.left.unsure = true // it may have been the last that pins, or be told to
	}
	if len(name) > 0 && st.token == 0 && s.shares() && !s.tx.copies {
		s.keep(frame)
		s.queue.push(expectClosed, forward)
		return
	}
	s.send(frame)
	s.queue.push(expectChange, forward)
}

// serverName returns the backend's name for a statement of the client's, and has
// the backend know it.
func (s *session) serverName(name []byte, st statement) string {
	switch {
	case st.shared() && !s.back.exposed:
		if on := s.spareOf(name, st); on != "" {
			return on
		}
		return s.ensure(name, st)
	case len(name) == 0:
		s.useUnnamed(st)
		return ""
	case st.sql != "" && s.shares():
		return s.refusedName() // the transaction has failed
	case st.none() && s.shares():
		return s.unknown(ownName(name))
	}
	return "" // it is there
}

// unknown returns a name for which PostgreSQL has no statement either.
func (s *session) unknown(name string) string {
	if slices.Contains(s.back.strays, name) {
		s.toBackend(wire.AppendCloseStatement(s.scratch[:0], name))
		s.queue.push(expectReply, swallow)
	}
	return name
}

// ownName returns a client's name as it may be told to a backend: it must not be
// that of a shared statement.
func ownName(name []byte) string {
	if strings.HasPrefix(string(name), pool.StatementPrefix) {
		return "_" + string(name)
	}
	return string(name)
}

// ensure has the backend know a shared statement, and returns its name there.
func (s *session) ensure(name []byte, own statement) string {
	key := s.statementKey(own)
	st := s.back.lease.Statements.Use(key)
	if st == nil {
		if own.meaning != s.who.meaning && !s.otherwise(own) { // it will mean what it means now
			own.meaning = s.who.meaning
			s.client.statements.set(string(significant(name)), own)
			return s.ensure(name, own)
		}
		st = s.back.lease.Statements.Add(key, len(own.body.text))
		s.loadMeant(st, own)
		s.traffic.FoundPrepared(false)
		return st.Name
	}
	s.traffic.FoundPrepared(true)
	return st.Name
}

// useUnnamed prepares the backend for a message that names the unnamed statement.
func (s *session) useUnnamed(st statement) {
	b, c := s.back.lease, &s.client.statements
	if _, batch := c.get(nil); batch != 0 || b.UnnamedOwner == st.token {
		return
	}
	if st.body != nil {
		s.traffic.ParsedThere()
		s.toBackend(wire.AppendParseBody(s.scratch[:0], "", st.body.text))
	} else {
		s.toBackend(wire.AppendCloseStatement(s.scratch[:0], ""))
	}
	c.push(nil, st, s.batch())
	s.queue.push(expectChange, swallow)
}

// noteBody notes that a statement is going to be executed.
func (s *session) noteBody(b *body) {
	s.back.effect = max(s.back.effect, b.effect)
	if b.noted || s.who.always != sqlparse.ReasonNone || s.hasDoor(b.sql) {
		s.note(s.withAlways(s.withDeclared(b.class, b.sql)), b.sql)
		if b.class.Pins.Has(sqlparse.ReasonListen) {
			s.noteListen(b.class, b.sql)
			if s.listen != nil {
				s.listen.unsettled = true
			}
		}
	} else {
		s.noteChanges(b.class, b.sql)
	}
}

// newStatement returns the shared statement that the client prepares now.
func (s *session) newStatement(b *body) statement {
	s.client.nulls = s.client.nulls || b.class.Nulls
	return statement{body: b, epoch: s.who.pool.SchemaEpoch(), scope: s.who.scope, meaning: s.who.meaning}
}

// statementKey returns what makes a shared statement the same on a backend.
func (s *session) statementKey(st statement) pool.StatementKey {
	return pool.StatementKey{Body: st.body.handle, Scope: s.who.scope, Meaning: st.meaning, Epoch: st.epoch, Text: s.newText(st.body)}
}

// defined reports whether the client has a statement with this name.
func (s *session) defined(name []byte) bool {
	st, _ := s.client.statements.get(name)
	return !st.none()
}

// shares reports whether the session shares prepared statements with others.
func (s *session) shares() bool { return !s.own && !s.back.exposed && s.maxStatements() > 0 }

// mustWaitFor reports whether a message of the extended protocol must wait,
// because what it names may change with replies that are under way:
//
//  1. an earlier exchange changes the statement that has the name;
//  2. it is being prepared on the backend by an earlier exchange;
//  3. a Query is under way, which drops the unnamed statement;
//  4. something is under way that drops all of them, or the backend must be
//     given the client's statements first: behind a Bind it would be too late to
//     find out without the client's noticing what PostgreSQL refuses;
//  5. as much as can be remembered is under way;
//  6. the schema has changed since the client prepared it: are its rows what they
//     were?
func (s *session) mustWaitFor(typ byte, frame []byte) bool {
	name, ok := statementName(typ, frame)
	if !ok {
		return false
	}
	s.tx.drops = s.tx.drops && !s.queue.empty()
	st, batch := s.client.statements.get(name)
	switch {
	case s.tx.drops:
		s.flush()
		return true
	case !s.tx.unsynced && s.client.statements.bySQL > 0 && !s.expose(""):
		return true
	case typ != wire.Parse && typ != wire.Close && s.needsNames(st) && !s.expose(""):
		return true
	case len(name) > 0 && !s.shares():
		return false
	case batch != 0 && batch != s.batch() && (typ != wire.Parse || len(name) > 0),
		batch == 0 && len(name) == 0 && typ != wire.Parse && s.queue.owesQuery():
		return true
	case typ != wire.Parse && s.spareOf(name, st) != "":
		return false
	case (typ == wire.Bind || typ == wire.Describe) && st.shared():
		known := s.back.lease.Statements.Use(s.statementKey(st))
		if known == nil {
			return batch == 0 && (s.mustAskMeaning(st) || s.mustCompare(name, st))
		}
		return !known.Ready && known.Batch != s.batch()
	case typ == wire.Parse:
		return s.loading(frame)
	}
	return false
}

// loading reports whether the statement of a Parse is being prepared on the
// backend by an earlier exchange.
func (s *session) loading(frame []byte) bool {
	if len(s.back.loads) == 0 {
		return false
	}
	_, rest, _ := wire.CString(frame[wire.HeaderLen:])
	b := s.bodies.known[string(rest)]
	if b == nil || b.handle == unshared {
		return false
	}
	known := s.back.lease.Statements.Use(s.statementKey(s.newStatement(b)))
	return known != nil && !known.Ready && known.Batch != s.batch()
}

// statementName returns the statement that a message names.
func statementName(typ byte, frame []byte) (name []byte, ok bool) {
	rest := frame[wire.HeaderLen:]
	switch typ {
	case wire.Bind:
		_, rest, _ = wire.CString(rest)
	case wire.Describe, wire.Close:
		if len(rest) == 0 || rest[0] != 'S' {
			return nil, false
		}
		rest = rest[1:]
	case wire.Parse:
	default:
		return nil, false
	}
	name, _, ok = wire.CString(rest)
	return name, ok
}
